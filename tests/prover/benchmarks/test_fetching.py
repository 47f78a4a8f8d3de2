"""Fetching over a real HTTP server and from a real git repository on this machine; only the content is small."""

import hashlib
import http.server
import io
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import prover.commands.data.fetch as command
from lean_env.errors import SetupError
from prover.benchmarks import published as known
from prover.benchmarks.catalogue import catalogue, load
from prover.benchmarks.fetching import fetch_benchmark, keep, kept, kept_at
from prover.benchmarks.published import PUBLISHED, Published, pin_of, published_named
from prover.sources import UserInputError

SMALL = {
    "MiniF2F/Test/imo_1999_p9.lean": "import Mathlib\n\ntheorem imo_1999_p9 : 1 = 1 := by sorry",
    "MiniF2F/Valid/amc8_2030_p1.lean": "import Mathlib\n\ntheorem amc8_2030_p1 (n : ℕ) :\r\n  n = n := by sorry",
    "MiniF2F/Minif2fImport.lean": "import Mathlib",
    "README.md": "theorem",
}
# Names, splits, headers and statements of SMALL in the form that `pin_of` hashes.
SMALL_PIN = hashlib.sha256(
    '[["amc8_2030_p1", "valid", "import Mathlib", "theorem amc8_2030_p1 (n : ℕ) :\\n  n = n"], '
    '["imo_1999_p9", "test", "import Mathlib", "theorem imo_1999_p9 : 1 = 1"]]'.encode()
).hexdigest()
LINES = "\n".join(
    json.dumps({"name": f"aime_{i}", "split": "test", "header": "import Mathlib", "formal_statement": statement})
    for i, statement in enumerate(["theorem aime_0 : 0 = 0 := by\n", "theorem aime_1 : 1 = 1 := by\n"])
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROVER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "cache"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a web server and the folder that it serves."""
    folder = tmp_path / "www"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


def archive(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(f"repository-123/{name}")
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def named(name: str) -> Published:
    found = published_named(name)
    assert found is not None
    return found


def small(url: str, pin: str = SMALL_PIN) -> Published:
    return replace(named("minif2f"), url=url, pin=pin)


def quiet(stage: str, done: int, total: int) -> None:
    pass


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_an_archive(home: tuple[str, Path], cache: Path) -> None:
    data = archive(SMALL)
    (home[1] / "a.tar.gz").write_bytes(data)
    published = small(f"{home[0]}/a.tar.gz")
    told: list[tuple[str, int, int]] = []
    rows, complaints = fetch_benchmark(published, kept_at(published), lambda *said: told.append(said))
    assert complaints == []
    assert [(row.name, row.split, row.topic) for row in rows] == [
        ("amc8_2030_p1", "valid", "amc"),
        ("imo_1999_p9", "test", "imo"),
    ]
    assert told[0] == ("fetching minif2f", 0, 0)
    assert told[-1] == ("fetching minif2f", len(data), len(data))
    assert files_below(cache) == [cache / "benchmarks" / "minif2f-5746b7d6c478.jsonl"]
    again, _ = kept(published)
    assert [replace(row, label="") for row in again] == [replace(row, label="") for row in rows]
    assert again[0].lineage == "yangky11/miniF2F-lean4 @ 5746b7d6c478"


def test_content_that_is_not_pinned_is_not_kept(home: tuple[str, Path], cache: Path) -> None:
    changed = SMALL | {"MiniF2F/Test/imo_1999_p9.lean": "import Mathlib\n\ntheorem imo_1999_p9 : 1 = 2 := by sorry"}
    (home[1] / "a.tar.gz").write_bytes(archive(changed))
    with pytest.raises(SetupError, match=rf"content of minif2f .* is not the pinned one: .* wanted {SMALL_PIN}\.$"):
        fetch_benchmark(small(f"{home[0]}/a.tar.gz"), cache / "x.jsonl", quiet)
    assert files_below(cache) == []


def test_a_file_and_its_hash(home: tuple[str, Path], cache: Path) -> None:
    (home[1] / "minif2f.jsonl").write_text(LINES)
    digest = hashlib.sha256(LINES.encode()).hexdigest()
    published = replace(named("minif2f-deepseek"), url=f"{home[0]}/minif2f.jsonl", sha256=digest, pin="")
    rows, _ = fetch_benchmark(published, cache / "x.jsonl", quiet)
    assert [(row.name, row.statement) for row in rows] == [
        ("aime_0", "theorem aime_0 : 0 = 0"),
        ("aime_1", "theorem aime_1 : 1 = 1"),
    ]
    (home[1] / "minif2f.jsonl").write_text(LINES + " ")
    with pytest.raises(SetupError, match=r"the file of minif2f-deepseek .* is not the pinned one"):
        fetch_benchmark(published, cache / "y.jsonl", quiet)
    assert not (cache / "y.jsonl").exists()


@pytest.mark.parametrize("data", [b"", b"no archive", archive(SMALL)[:150], archive({"README.md": "x"})])
def test_an_archive_that_is_none(home: tuple[str, Path], cache: Path, data: bytes) -> None:
    (home[1] / "a.tar.gz").write_bytes(data)
    with pytest.raises((SetupError, UserInputError)) as caught:
        fetch_benchmark(small(f"{home[0]}/a.tar.gz"), cache / "x.jsonl", quiet)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    assert files_below(cache) == []


def test_no_network_and_no_file(home: tuple[str, Path], cache: Path) -> None:
    with pytest.raises(SetupError, match=r"cannot be fetched: the server says 404\.$"):
        fetch_benchmark(small(f"{home[0]}/nothing"), cache / "x.jsonl", quiet)
    with pytest.raises(SetupError, match=r"cannot be fetched \(.+\): a network is needed once; .* --data PATH\.$"):
        fetch_benchmark(small("http://127.0.0.1:9/a.tar.gz"), cache / "x.jsonl", quiet)


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, str]:
    """A git repository with a small ProofNet in it, and the number of the commit before the last one."""
    folder = tmp_path / "repository"
    (folder / "datasets").mkdir(parents=True)

    def git(*arguments: str) -> str:
        who = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, check=True, text=True)
        return done.stdout.strip()

    git("init", "--quiet")
    for text in (LINES, LINES.replace("1 = 1", "1 = 2")):
        (folder / "datasets" / "proofnet.jsonl").write_text(text)
        git("add", ".")
        git("commit", "--quiet", "-m", "x")
    return folder, git("rev-parse", "HEAD~1")


def test_git_gives_what_stood_at_the_commit(
    repository: tuple[Path, str], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in a hook of another repository, which is none of our business.
    monkeypatch.setenv("GIT_DIR", str(cache / "elsewhere"))
    published = replace(named("proofnet"), url=repository[0].as_uri(), commit=repository[1])
    rows, _ = fetch_benchmark(published, kept_at(published), quiet)
    assert [row.statement for row in rows] == ["theorem aime_0 : 0 = 0", "theorem aime_1 : 1 = 1"]
    assert kept(published)[0][0].lineage == f"deepseek-ai/DeepSeek-Prover-V1.5 @ {repository[1][:12]}"


def test_git_without_the_commit_or_the_repository(repository: tuple[Path, str], cache: Path) -> None:
    for url, commit in ((repository[0].as_uri(), "1" * 40), ((cache / "nothing").as_uri(), repository[1])):
        with pytest.raises(SetupError, match=r"^git cannot fetch it \(.+\): .*\.$"):
            fetch_benchmark(replace(named("proofnet"), url=url, commit=commit), cache / "x.jsonl", quiet)


def test_no_git(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SetupError, match=r"^git is not installed"):
        fetch_benchmark(named("proofnet"), cache / "x.jsonl", quiet)


def test_what_was_kept_and_then_changed_is_refused(home: tuple[str, Path]) -> None:
    (home[1] / "a.tar.gz").write_bytes(archive(SMALL))
    published = small(f"{home[0]}/a.tar.gz")
    fetch_benchmark(published, kept_at(published), quiet)
    kept_at(published).write_text(kept_at(published).read_text().replace("n = n", "n = 0"))
    with pytest.raises(UserInputError, match=r"is not what was fetched: delete it and run `prover data fetch minif2f`"):
        kept(published)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SetupError, match="Permission denied"):
        keep(tmp_path / "x", "")


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match=r"cannot be written: .+\.$"):
        keep(tmp_path / "file" / "x", "")


def run(*arguments: str) -> tuple[int, str, str]:
    app = typer.Typer()
    app.command()(command.fetch)
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, SetupError | UserInputError):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_the_command(home: tuple[str, Path], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home[1] / "a.tar.gz").write_bytes(archive(SMALL))
    own = small(f"{home[0]}/a.tar.gz")
    monkeypatch.setattr(known, "PUBLISHED", tuple(own if p.name == own.name else p for p in PUBLISHED))
    said = f"minif2f: 2 theorems (yangky11/miniF2F-lean4 @ 5746b7d6c478) in {kept_at(own)}\n"
    with pytest.raises(UserInputError, match=r"minif2f is not here yet: run `prover data fetch minif2f`, or give a"):
        load("minif2f")
    assert run("minif2f") == (0, said, "prover: fetching minif2f\n")
    assert run("minif2f") == (0, said, "")  # from the cache
    assert [row.name for row in load("minif2f").rows] == ["amc8_2030_p1", "imo_1999_p9"]
    out = tmp_path / "out"
    assert run("minif2f", "--out", str(out))[0] == 0
    assert load("minif2f", out / "minif2f.jsonl").hash == load("minif2f").hash
    assert {entry.name: (entry.here, entry.how) for entry in catalogue() if "minif2f" in entry.name} == {
        "minif2f-core": (True, ""),
        "minif2f": (True, ""),
        "minif2f-deepseek": (False, "prover data fetch minif2f-deepseek"),
    }


def test_the_command_with_a_copy(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "proofnet.jsonl").write_text(LINES)
    code, out, err = run("proofnet", "--data", str(tmp_path / "proofnet.jsonl"))
    assert code == 0
    assert "2 theorems (deepseek-ai/DeepSeek-Prover-V1.5 (unpinned copy))" in out
    assert err.endswith("cannot be checked: an unpinned copy\n")
    # And so it stays known for what it is.
    assert {row.lineage for row in load("proofnet").rows} == {"deepseek-ai/DeepSeek-Prover-V1.5 (unpinned copy)"}


def test_an_unpinned_copy_of_what_has_a_pin(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text(LINES)
    run("minif2f", "--data", str(tmp_path / "c.jsonl"))
    assert pin_of(load("minif2f").rows) != named("minif2f").pin
    assert {row.lineage for row in load("minif2f").rows} == {"yangky11/miniF2F-lean4 (unpinned copy)"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["minif2f-core"], "minif2f-core is part of this program; there is nothing to fetch."),
        (["nothing"], "There is no benchmark nothing; known are minif2f-core, minif2f, minif2f-deepseek"),
        (["minif2f", "--data", "/nowhere"], "There is no file /nowhere."),
        (["minif2f", "--out", __file__], "is a file; --out names a folder."),
    ],
)
def test_the_command_refuses(arguments: list[str], said: str) -> None:
    with pytest.raises(UserInputError) as caught:
        run(*arguments)
    assert said in str(caught.value)

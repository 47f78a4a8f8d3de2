"""Takes a published benchmark from its home, once, checks that it is the pinned one, and keeps its rows as JSON lines.

A file of the rows appears whole or not at all: it is written under another name and renamed.
"""

import hashlib
import io
import os
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Literal

import httpx

from lean_env.errors import SetupError
from lean_env.wasm.install import cache_root
from prover.benchmarks.json_rows import to_json_lines
from prover.benchmarks.published import Files, Published, Read, pin_of, rows_of, wanted
from prover.outputs import replace_file
from prover.sources import FULL, UserInputError, decoded, read_text

Progress = Callable[[str, int, int], None]  # stage, done, total; a total of 0 is unknown
LARGEST = 256 << 20  # bytes of a download; the largest has a few million
SECONDS = 30.0  # without a sign of life


def kept_at(published: Published) -> Path:
    """Where the rows are kept: `benchmarks/` in the user's cache, or in the folder that PROVER_CACHE names."""
    return cache_root() / "benchmarks" / f"{published.name}-{published.commit[:12]}.jsonl"


def fetch_benchmark(published: Published, target: Path, progress: Progress) -> Read:
    """The rows from the benchmark's home, kept at `target`.

    Raises:
        SetupError: no network, no git, not the pinned content, or `target` cannot be written; nothing is kept then.
    """
    stage = f"fetching {published.name}"
    progress(stage, 0, 0)
    if published.road == "git":
        files = _members(_from_git(published), published, "r:")
    else:
        data = _download(published.url, lambda done, total: progress(stage, done, total))
        if published.sha256:
            _check(published, "file", hashlib.sha256(data).hexdigest(), published.sha256)
        if published.road == "archive":
            files = _members(data, published, "r:gz")
        else:
            files = {published.url.rpartition("/")[2]: decoded(data, published.url)}
    rows, complaints = rows_of(published, wanted(published, files, published.url), checked=True)
    if published.pin:
        _check(published, "content", pin_of(rows), published.pin)
    keep(target, to_json_lines(rows))
    return rows, complaints


def copied(published: Published, path: Path) -> Read:
    """The rows from a copy: the published files, a folder with them in it, or what `prover data fetch` has kept.

    Raises:
        UserInputError: it is no copy of this benchmark.
    """
    if not path.is_dir():
        return rows_of(published, {str(path): read_text(path)}, checked=False)
    # The folder's name counts: `Valid` may be given for `Valid/*.lean`.
    files = {
        f"{path.resolve().name}/{file.relative_to(path).as_posix()}": file
        for file in path.rglob("*")
        if file.suffix in (".lean", ".jsonl") and ".lake" not in file.parts and file.is_file()
    }
    texts = {name: read_text(files[name]) for name in wanted(published, dict.fromkeys(files, ""), str(path))}
    return rows_of(published, texts, checked=False)


def kept(published: Published) -> Read:
    """The rows that were fetched before, or taken from a copy: then their lineage says so.

    Raises:
        UserInputError: they were not, or are not as they were.
    """
    path, command = kept_at(published), f"`prover data fetch {published.name}`"
    if not path.is_file():
        raise UserInputError(f"{published.name} is not here yet: run {command}, or give a copy with --data PATH.")
    rows, complaints = published.read({str(path): read_text(path)})
    if published.pin and pin_of(rows) != published.pin and rows[0].lineage == published.lineage:
        raise UserInputError(f"{path} is not what was fetched: delete it and run {command}.")
    return rows, complaints


def keep(target: Path, text: str) -> None:
    """Writes a file whole or not at all.

    Raises:
        SetupError: it cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_file(target, text.encode())
    except OSError as error:
        full = "the disk is full" if error.errno in FULL else error.strerror or str(error)
        raise SetupError(f"{target} cannot be written: {full}.") from error


def _download(url: str, progress: Callable[[int, int], None]) -> bytes:
    """What is at this address, some megabytes at most."""
    parts: list[bytes] = []
    done = 0
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=SECONDS) as response:
            response.raise_for_status()
            length = response.headers.get("content-length", "")
            # The length is that of what is sent, which may be compressed.
            total = int(length) if length.isdigit() and "content-encoding" not in response.headers else 0
            for part in response.iter_bytes():
                parts.append(part)
                done += len(part)
                if done > LARGEST:
                    raise SetupError(f"{url} is larger than it can be.")
                progress(done, total)
    except httpx.HTTPStatusError as error:
        raise SetupError(f"{url} cannot be fetched: the server says {error.response.status_code}.") from error
    except httpx.HTTPError as error:
        raise SetupError(
            f"{url} cannot be fetched ({_reason(error)}): a network is needed once; or give a copy with --data PATH."
        ) from error
    return b"".join(parts)


def _from_git(published: Published) -> bytes:
    """A tar of the wanted folder at the commit. Git checks every object it gets against its hash, up to the commit's.

    The commit's number is therefore a hash of the content, and no other is needed.
    """
    with tempfile.TemporaryDirectory(prefix="prover-") as folder:
        _git(folder, "init", "--quiet", ".")
        _git(folder, "fetch", "--quiet", "--depth", "1", published.url, published.commit)
        return _git(folder, "archive", "--format=tar", "--prefix=repository/", published.commit, "--", published.below)


def _git(folder: str, *arguments: str) -> bytes:
    # Never asks for a password, and speaks English; the settings of an outer repository are not ours to follow.
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment = {**inherited, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env=environment, capture_output=True, stdin=subprocess.DEVNULL, timeout=600
        )
    except FileNotFoundError:
        raise SetupError(
            "git is not installed, which fetches this benchmark; or give a copy with --data PATH."
        ) from None
    except subprocess.TimeoutExpired:
        raise SetupError("git got no answer in 600 s; try again, or give a copy with --data PATH.") from None
    if done.returncode:
        said = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()] or ["no reason"]
        raise SetupError(f"git cannot fetch it ({said[0].strip()}): a network is needed once; or use --data PATH.")
    return done.stdout


def _members(data: bytes, published: Published, mode: Literal["r:", "r:gz"]) -> Files:
    """The texts in a tar, by path without the folder that everything lies in."""
    files = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode=mode) as tar:
            for member in tar:
                path = str(PurePosixPath(*PurePosixPath(member.name).parts[1:]))
                content = tar.extractfile(member) if member.isfile() and path.endswith((".lean", ".jsonl")) else None
                if content is not None:
                    files[path] = content.read().decode("utf-8-sig").replace("\r\n", "\n")
    except (tarfile.TarError, zlib.error, EOFError, OSError, UnicodeDecodeError) as error:
        raise SetupError(f"the archive of {published.repository} cannot be unpacked ({error}).") from error
    return files


def _check(published: Published, what: str, found: str, pinned: str) -> None:
    if found != pinned:
        raise SetupError(
            f"the {what} of {published.name} at {published.url} is not the pinned one: "
            f"SHA-256 {found}, wanted {pinned}."
        )


def _reason(error: httpx.HTTPError) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__

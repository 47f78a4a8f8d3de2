"""Installs the WebAssembly Lean: downloads, unpacks, cleans and patches it, once, into a folder of the user's cache.

The folder appears whole or not at all: it is made under another name and renamed, under a lock. What a crash leaves is
removed by the next install. The folder's name holds a hash of the patches, so that other patches make another folder.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import platformdirs
from filelock import FileLock, Timeout

from lean_env.errors import SetupError
from lean_env.wasm import patch, slim
from lean_env.wasm.download import INTEGRITY, PACKAGE, VERSION, Fetch, Progress, download, fetch_package
from lean_env.wasm.node import node_executable

__all__ = ["Installation", "cache_root", "ensure_installed", "installed", "node_executable"]

UNFINISHED = ".unfinished-"
FILES = ("lean.js", "lean.wasm", "symbols.tsv")


@dataclass(frozen=True)
class Installation:
    """An installed Lean: `lean.js`, `lean.wasm`, `symbols.tsv` and `lib/` (the oleans) in `folder`.

    `integrity` is the hash of the package it was made from, `size` the bytes of all its files.
    """

    folder: Path
    version: str
    integrity: str
    size: int


class BrokenPackage(Exception):
    """The package does not hold what the pinned one holds."""


UNPACKING_ERRORS = (
    BrokenPackage,
    patch.PatchError,
    slim.WasmError,
    tarfile.TarError,
    zlib.error,
    EOFError,
    UnicodeDecodeError,
)


def cache_root() -> Path:
    """The folder that holds installations: the user's cache, or the one that the variable PROVER_CACHE names."""
    own = os.environ.get("PROVER_CACHE")
    return Path(own).expanduser().absolute() if own else platformdirs.user_cache_path("lean-rl-prover", appauthor=False)


def folder_name() -> str:
    """The name of the installation that this version of the patches makes."""
    digest = hashlib.sha256()
    for module in (patch, slim):
        digest.update(Path(str(module.__file__)).read_bytes())
    return f"{PACKAGE}-{VERSION}-{digest.hexdigest()[:12]}"


def installed(root: Path) -> Installation | None:
    """The installation below `root`; None if there is none, or if one of its files is not as long as it was made."""
    folder = root / folder_name()
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        whole = all((folder / name).stat().st_size == manifest["files"][name] for name in FILES)
        if not whole or not (folder / "lib").is_dir():
            return None
        return Installation(folder, manifest["version"], manifest["integrity"], manifest["size"])
    except (OSError, ValueError, KeyError):
        return None


def ensure_installed(
    progress: Progress | None = None,
    *,
    root: Path | None = None,
    fetch: Fetch = fetch_package,
    integrity: str = INTEGRITY,
) -> Installation:
    """The installation, made first if it is not there; then the network is needed, and about 600 MB of disk.

    `progress(stage, done, total)` is told of every step; a total of 0 means that it is not known.

    Raises:
        SetupError: no network, a package with another hash, a full disk, a folder that cannot be written.
    """
    root = root or cache_root()
    report = progress or (lambda stage, done, total: None)
    found = installed(root)
    if found:
        return found
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / "install.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            report("waiting for another install", 0, 0)
            lock.acquire()
        try:
            return installed(root) or _install(root, fetch, integrity, report)
        finally:
            lock.release()
    except UNPACKING_ERRORS as error:
        raise SetupError(f"the package {PACKAGE} {VERSION} cannot be unpacked ({error}).") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = "free 600 MB, or name a folder on another disk in the variable PROVER_CACHE"
            raise SetupError(f"the disk with {root} is full: {hint}.") from error
        hint = "name a folder that can be written in the variable PROVER_CACHE"
        raise SetupError(f"Lean cannot be installed into {root} ({error.strerror or error}): {hint}.") from error


def _install(root: Path, fetch: Fetch, integrity: str, progress: Progress) -> Installation:
    for leftover in root.glob(UNFINISHED + "*"):
        _remove(leftover)
    work = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=root))
    try:
        (work / "download").mkdir()
        kept = root / "downloads" / f"{PACKAGE}-{VERSION}.tgz"
        tarball = download(work / "download", kept, fetch, integrity, progress)
        made = work / "made"
        made.mkdir()
        unpack(tarball, made, progress)
        sizes = {name: (made / name).stat().st_size for name in FILES}
        size = sum(sizes.values()) + sum(file.stat().st_size for file in made.glob("lib/**/*") if file.is_file())
        manifest = {"package": PACKAGE, "version": VERSION, "integrity": integrity, "size": size, "files": sizes}
        (made / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
        progress("protecting the library", 0, 0)
        make_read_only(made / "lib")
        target = root / folder_name()
        if target.exists():  # a damaged one
            os.rename(target, work / "damaged")
        os.rename(made, target)
        return Installation(target, VERSION, integrity, size)
    finally:
        _remove(work)


def unpack(tarball: Path, folder: Path, progress: Progress) -> None:
    """Writes the patched `lean.js`, the slim `lean.wasm`, `symbols.tsv` and the library `lib/` into `folder`.

    Raises:
        BrokenPackage, PatchError, WasmError, TarError: the package is not the one that this was written for.
    """
    script = module = None
    library = 0
    total = tarball.stat().st_size
    with tarball.open("rb") as raw, tarfile.open(fileobj=raw, mode="r|gz") as outer:
        for member in outer:
            content = outer.extractfile(member) if member.isfile() else None
            if content is None:
                continue
            name = PurePosixPath(member.name).name
            if name == "lean-lib.tar.gz":
                library = unpack_library(content, folder / "lib", lambda: progress("unpacking", raw.tell(), total))
            elif name == "lean.js":
                progress("patching lean.js", raw.tell(), total)
                script = patch.patch_lean_js(content.read().decode())
            elif name == "lean.wasm":
                progress("unpacking", raw.tell(), total)
                module = content.read()
    if script is None or module is None or not library:
        raise BrokenPackage("a file is missing from it")
    progress("rewriting lean.wasm", 0, 0)
    slim_module, symbols = slim.slim_wasm(module, kept_exports(script))
    (folder / "lean.js").write_text(script)
    (folder / "lean.wasm").write_bytes(slim_module)
    # Sorted by byte, for the binary search in the patched lean.js.
    (folder / "symbols.tsv").write_bytes(b"".join(sorted(f"{k}\t{v}\n".encode() for k, v in symbols.items())))


def kept_exports(script: str) -> set[str]:
    """The exports that the patched `lean.js` calls by name, and the program's entry, which it looks up as a symbol."""
    return {"__main_argc_argv"} | set(re.findall(r'wasmExports\["([^"]+)"\]', script))


def unpack_library(stream: IO[bytes], folder: Path, progress: Callable[[], None]) -> int:
    """Unpacks the tar of oleans into `folder` without the `._NAME` twins that macOS adds; returns the number of files.

    Raises:
        BrokenPackage: a path leaves the folder, or is neither a file nor a folder.
    """
    count = 0
    folder.mkdir()
    with tarfile.open(fileobj=stream, mode="r|gz") as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            if path.name.startswith("._"):
                continue
            if path.is_absolute() or ".." in path.parts:
                raise BrokenPackage(f"the path {member.name} leads out of the library")
            target = folder / path
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            content = tar.extractfile(member) if member.isfile() else None
            if content is None:
                raise BrokenPackage(f"{member.name} is neither a file nor a folder")
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as out:
                shutil.copyfileobj(content, out, 1 << 20)
            count += 1
            if count % 50 == 0:
                progress()
    return count


def make_read_only(folder: Path) -> None:
    """Takes away every right to write below `folder` and to it."""
    for place, _, files in os.walk(folder, topdown=False):
        for name in files:
            os.chmod(os.path.join(place, name), 0o444)
        os.chmod(place, 0o555)


def _remove(folder: Path) -> None:
    """Removes a tree, read-only folders included."""
    for place, _, _ in os.walk(folder):
        os.chmod(place, 0o755)
    shutil.rmtree(folder, ignore_errors=True)

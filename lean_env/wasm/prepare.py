"""Prepares the server for the installed WebAssembly Lean, once: compiles it, and keeps the machine code of a warm run.

Two files come out, in a folder named after the hash of everything they are made from: `ProverServer.ir`, the compiled
server, and `code.bin`, what V8 had compiled after a run of typical work (hundreds of functions that every worker
would otherwise compile again, slowly, while it works). Without `code.bin` everything works, later.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from filelock import FileLock

from lean_env.errors import SetupError, WorkerLost
from lean_env.resources import lake_project
from lean_env.wasm.download import Progress
from lean_env.wasm.install import Installation, ensure_installed
from lean_env.wasm.node import node_executable
from lean_env.wasm.road import HERE, SERVER_ARGUMENTS, WasmRoad, node_command, note_use, server_options
from lean_env.wasm.warm_up import WARM_UP
from lean_env.worker import LeanWorker

SERVER = "ProverServer.lean"
UNFINISHED = ".unfinished-"
KEPT = 2  # of the prepared servers: this one, and the one before it
UNUSED_SECONDS = 24 * 3600


def ready_road(progress: Progress | None = None) -> WasmRoad:
    """The WebAssembly Lean, installed and prepared first where that is needed.

    Raises:
        SetupError: it cannot be installed, or the server does not compile.
    """
    installation = ensure_installed(progress)
    return WasmRoad(installation, prepared(installation, progress))


def prepared(installation: Installation, progress: Progress | None = None) -> Path:
    """The folder with the compiled server; made first if it is not there."""
    report = progress or (lambda stage, done, total: None)
    target = installation.folder / f"server-{_digest()}"
    if target.is_dir():
        note_use(target)
        return target
    try:
        with FileLock(installation.folder / "server.lock"):
            if not target.is_dir():
                work = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=installation.folder))
                try:
                    report("compiling the server", 0, 0)
                    _compile(installation, work)
                    report("warming up", 0, 0)
                    _warm_up(installation, work)
                    os.rename(work, target)
                finally:
                    shutil.rmtree(work, ignore_errors=True)
                note_use(target)
                remove_old(installation.folder)
    except OSError as error:
        raise SetupError(
            f"the server cannot be prepared in {installation.folder}: {error.strerror or error}."
        ) from error
    return target


def remove_old(folder: Path) -> None:
    """Removes prepared servers that nobody will miss, and what a crash left. To be called under the lock.

    The two used last stay, and what was used within a day: a process that has been running for long may still start
    workers from it.
    """
    servers = sorted(folder.glob("server-*/"), key=lambda server: server.stat().st_mtime, reverse=True)
    old = [server for server in servers[KEPT:] if server.stat().st_mtime < time.time() - UNUSED_SECONDS]
    for place in (*old, *folder.glob(f"{UNFINISHED}*/")):
        shutil.rmtree(place, ignore_errors=True)


def _digest() -> str:
    digest = hashlib.sha256()
    sources = [lake_project() / SERVER, HERE / "boot.lean", HERE / "boot.js", HERE / "warm_up.py"]
    for source in sources:
        digest.update(source.read_bytes())
    digest.update(str(node_executable().stat().st_size).encode())
    return digest.hexdigest()[:12]


def _compile(installation: Installation, work: Path) -> None:
    shutil.copyfile(lake_project() / SERVER, work / SERVER)
    arguments = ["-j1", "-R", "/build", "-o", "/build/ProverServer.olean", f"/build/{SERVER}"]
    command = node_command(installation.folder, ["--mount", f"{work}=/build"], arguments)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if not (work / "ProverServer.ir").is_file():
        errors = [line for line in done.stdout.splitlines() if "error" in line] or [done.stderr[-300:]]
        raise SetupError(f"the server does not compile: {errors[0]}.")


class _WarmingRoad(WasmRoad):
    """A server that compiles eagerly and writes down the machine code when it ends."""

    def command(self, requests: int, answers: int) -> list[str]:
        options = [*server_options(self.compiled, requests, answers), "--save-code", str(self.compiled / "code.bin")]
        flags = ("--wasm-tiering-budget=1000000",)
        return node_command(self.installation.folder, options, SERVER_ARGUMENTS, flags)


def _warm_up(installation: Installation, work: Path) -> None:
    worker = LeanWorker(_WarmingRoad(installation, work))
    try:
        for request in WARM_UP:
            worker.request(wall_seconds=120, **request)
        worker.finish(wall_seconds=60)
    except WorkerLost as error:
        raise SetupError(f"the server does not start: {error}.") from error
    finally:
        worker.kill()

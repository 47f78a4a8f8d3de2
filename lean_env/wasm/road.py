"""Starts the WebAssembly Lean: as the server, or as a plain `lean` with arguments of one's own."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from lean_env.road import RoadName, stack_kib, with_stack
from lean_env.wasm.install import Installation
from lean_env.wasm.node import node_executable

HERE = Path(__file__).resolve().parent


def node_command(folder: Path, options: list[str], lean_arguments: list[str], flags: tuple[str, ...] = ()) -> list[str]:
    """The argument vector that runs boot.js, which documents `options`."""
    # V8 counts its own frames a little differently from the system: leave it a sixth of the stack as a margin.
    stack = f"--stack-size={stack_kib() * 5 // 6}"
    node = [str(node_executable()), stack, "--allow-natives-syntax", *flags]
    return with_stack([*node, str(HERE / "boot.js"), str(folder), *options, "--", *lean_arguments])


def confined(folders: list[Path]) -> tuple[str, ...]:
    """Node's own permission model as a second wall: reads below these folders, threads, and nothing else."""
    return ("--permission", "--allow-worker", *(f"--allow-fs-read={folder}" for folder in folders))


def server_options(compiled: Path, requests: int, answers: int) -> list[str]:
    """Options of boot.js for a server whose compiled form lies in the folder `compiled` (see prepare.py)."""
    files = {"boot.lean": HERE / "boot.lean", "ProverServer.ir": compiled / "ProverServer.ir"}
    copied = [part for name, host in files.items() for part in ("--file", f"{host}=/server/{name}")]
    return ["--in", str(requests), "--out", str(answers), *copied]


def note_use(compiled: Path) -> None:
    """Marks a prepared server as used now: those that nobody uses are removed some day (see prepare.py)."""
    with contextlib.suppress(OSError):  # such as a cache that can only be read
        os.utime(compiled)


SERVER_ARGUMENTS = ["-j1", "--run", "/server/boot.lean"]


@dataclass(frozen=True)
class WasmRoad:
    """The default: nothing of the host is mounted, the library can only be read, there is no network."""

    installation: Installation
    compiled: Path
    stack_mib: int = 256
    name: RoadName = "wasm"
    sandbox: str = "wasm"
    interrupts: bool = True

    @property
    def package(self) -> str:
        return self.installation.integrity

    def command(self, requests: int, answers: int) -> list[str]:
        note_use(self.compiled)
        options = server_options(self.compiled, requests, answers)
        options += ["--stack", str(self.stack_mib)]
        code = self.compiled / "code.bin"
        if code.is_file():
            options += ["--code", str(code)]
        flags = confined([self.installation.folder, HERE])
        return node_command(self.installation.folder, options, SERVER_ARGUMENTS, flags)

    def folder(self) -> Path | None:
        return None

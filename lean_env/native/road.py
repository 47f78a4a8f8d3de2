"""Starts the server on a native Lean, inside `lake-project/` so that Mathlib is in reach."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lean_env.errors import SetupError
from lean_env.native.checker import Checker, file_text
from lean_env.native.sandbox import bubblewrap, confine, limited
from lean_env.native.toolchain import NativeLean, find_native
from lean_env.resources import lake_project
from lean_env.road import RoadName, with_stack
from lean_env.theorem import Candidate, Theorem

SERVER = "ProverServer.lean"


@dataclass(frozen=True)
class NativeRoad:
    """Lean through elan and lake. The channel is a pair of inherited descriptors, opened once by the server.

    `lean_path` is where lake says that compiled modules lie, separated by `:`.
    """

    lean: NativeLean
    project: Path
    lean_path: str
    name: RoadName = "native"
    package: str = ""
    interrupts: bool = False

    @property
    def sandbox(self) -> str:
        return "bubblewrap" if bubblewrap() else "none"

    def command(self, requests: int, answers: int) -> list[str]:
        variables = [f"PROVER_IN=/dev/fd/{requests}", f"PROVER_OUT=/dev/fd/{answers}", f"LEAN_PATH={self.lean_path}"]
        return self._apart(["env", *variables, str(self.lean.lean), "--run", SERVER])

    def refusal(self, theorem: Theorem, candidate: Candidate, heartbeats: int, wall_seconds: float) -> str:
        checker = Checker(self.lean.lean, self.lean_path, self.project, self._apart)
        return checker.refusal(file_text(theorem, candidate), heartbeats, wall_seconds)

    def _apart(self, command: list[str], more: Sequence[Path] = (), writable: Sequence[Path] = ()) -> list[str]:
        """`command` in the sandbox, if there is one, and within its limits. It reads what Lean reads, and `more`."""
        if not bubblewrap():
            return with_stack(limited(command))
        readable = [self.lean.lean.parent.parent, self.project, *map(Path, filter(None, self.lean_path.split(":")))]
        return with_stack(confine(command, [*readable, *more], self.project, writable))

    def folder(self) -> Path | None:
        return self.project


def native_road() -> NativeRoad:
    """The native Lean of this machine.

    Raises:
        SetupError: there is none of the pinned version, or its lake does not work.
    """
    lean, project = find_native(), lake_project()
    command = [str(lean.lake), "env", "printenv", "LEAN_PATH"]
    try:
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=600, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{lean.lake} does not run in {project} ({error}).") from error
    return NativeRoad(lean, project, done.stdout.strip())

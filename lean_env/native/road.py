"""Starts the server on a native Lean, inside `lake-project/` so that Mathlib is in reach."""

from dataclasses import dataclass
from pathlib import Path

from lean_env.native.toolchain import NativeLean, find_native
from lean_env.resources import lake_project
from lean_env.road import RoadName, with_stack

SERVER = "ProverServer.lean"


@dataclass(frozen=True)
class NativeRoad:
    """Lean through elan and lake. The channel is a pair of inherited descriptors, opened once by the server."""

    lean: NativeLean
    project: Path
    name: RoadName = "native"
    package: str = ""
    sandbox: str = "none"

    def command(self, requests: int, answers: int) -> list[str]:
        channel = ["env", f"PROVER_IN=/dev/fd/{requests}", f"PROVER_OUT=/dev/fd/{answers}"]
        run = [str(self.lean.lake), "env", str(self.lean.lean), "--run", SERVER]
        return with_stack([*channel, *run])

    def folder(self) -> Path | None:
        return self.project


def native_road() -> NativeRoad:
    """The native Lean of this machine.

    Raises:
        SetupError: there is none of the pinned version.
    """
    return NativeRoad(find_native(), lake_project())

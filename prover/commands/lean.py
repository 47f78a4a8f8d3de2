"""What every command that needs Lean has in common: its options, checked, and a pool that shows how it is installed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

import typer

from lean_env import LeanPool
from prover.commands.setup import install_progress
from prover.sources import UserInputError

ProvingLeanOption = Annotated[str, typer.Option("--lean", metavar="wasm|native", help="Which Lean proves and judges.")]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", metavar="N", min=1, help="Lean processes (default: one a core).")
]


def lean_road(lean: str) -> Literal["wasm", "native"]:
    """The `--lean` option, checked."""
    if lean not in ("wasm", "native"):
        raise UserInputError(f"--lean is `wasm` or `native`, not `{lean}`.")
    return "wasm" if lean == "wasm" else "native"


@contextmanager
def open_pool(lean: str, workers: int | None, tasks: int) -> Iterator[LeanPool]:
    """A pool for so many tasks, installed first if need be. Never more workers than tasks: each costs a gigabyte."""
    size = max(1, min(workers or os.cpu_count() or 1, tasks))
    with install_progress() as show:
        pool = LeanPool(workers=size, lean=lean_road(lean), progress=show)
    with pool:
        yield pool

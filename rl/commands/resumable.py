"""How a command that is gone on with ends before its end: one sentence, and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from prover.command_group import INTERRUPTED
from rl.rollouts.lost import RolloutsLost

LOST = 3


def say(text: str) -> None:
    """A line on standard error."""
    typer.echo(f"prover-rl: {text}", err=True)


@contextmanager
def resumable(folder: Path, kept: str = "What is finished is kept") -> Iterator[None]:
    """Work that the same command goes on with in `folder`; `kept` is said where Lean or the model was lost.

    Raises:
        typer.Exit: it was interrupted, or what it needs was lost and did not come back; it has been said.
    """
    try:
        yield
    except RolloutsLost as error:
        say(f"{error} {kept}; the same command goes on with {folder}.")
        raise typer.Exit(LOST) from error
    except KeyboardInterrupt:
        say(f"interrupted; the same command goes on with {folder}")
        raise typer.Exit(INTERRUPTED) from None

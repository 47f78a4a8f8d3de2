"""What the commands `prover` and `prover-rl` have in common: how their errors end, `--version`, and their output."""

import importlib.metadata
import sys
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup

from lean_env.errors import LeanEnvError
from prover.sampling.faults import cannot_import
from prover.sources import FULL, UNUSABLE

INTERRUPTED = 130
HELP_NAMES = {"help_option_names": ["-h", "--help"]}


class Commands(TyperGroup):
    """Turns what a user can cause into one sentence on standard error and exit code 2, for every command.

    `program` begins the sentence. `extras` are packages that are imported when they are needed, each with the extra
    that it comes with; that another one is missing is a fault of ours.
    """

    program: ClassVar[str] = "prover"
    extras: ClassVar[Mapping[str, str]] = {}

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except LeanEnvError as error:
            self._say(str(error))
            raise typer.Exit(2) from error
        except ModuleNotFoundError as error:
            extra = self.extras.get((error.name or "").split(".")[0])
            if extra is None:
                raise
            self._say(cannot_import("this needs more than is installed", extra, error))
            raise typer.Exit(2) from error
        except KeyboardInterrupt as error:
            self._say("interrupted")
            raise typer.Exit(INTERRUPTED) from error
        except BrokenPipeError as error:
            # Whoever read our output has gone; the interpreter must not complain about it again when it flushes.
            sys.stdout = None
            raise typer.Exit(1) from error
        except OSError as error:
            if error.errno in FULL:
                sys.stdout = None  # as above
                self._say(f"the output cannot be written: {error.strerror}.")
            elif error.errno in UNUSABLE and error.filename:
                self._say(f"{error.filename} cannot be used: {error.strerror}.")
            else:
                raise
            raise typer.Exit(2) from error

    def _say(self, sentence: str) -> None:
        typer.echo(f"{self.program}: {sentence}", err=True)


def version_of(program: str) -> Callable[[bool], None]:
    """What `--version` does."""

    def show(wanted: bool) -> None:
        if wanted:
            typer.echo(f"{program} {importlib.metadata.version('lean-rl-prover')}")
            raise typer.Exit

    return show


def run(app: typer.Typer) -> None:
    """Runs a program; proofs are full of symbols, so output never fails for want of a character."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app()

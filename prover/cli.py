"""The command `prover`: what every command has in common, and the list of them."""

import importlib.metadata
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lean_env.errors import LeanEnvError
from prover.commands.bench import bench
from prover.commands.data.app import data
from prover.commands.doctor import doctor
from prover.commands.export_onnx import export_onnx
from prover.commands.policies import policies
from prover.commands.prove import prove
from prover.commands.setup import setup
from prover.commands.verify import verify
from prover.sources import FULL, UNUSABLE

INTERRUPTED = 130


class Commands(TyperGroup):
    """Turns what a user can cause into one sentence on standard error and exit code 2, for every command."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except LeanEnvError as error:
            typer.echo(f"prover: {error}", err=True)
            raise typer.Exit(2) from error
        except KeyboardInterrupt as error:
            typer.echo("prover: interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from error
        except BrokenPipeError as error:
            # Whoever read our output has gone; the interpreter must not complain about it again when it flushes.
            sys.stdout = None
            raise typer.Exit(1) from error
        except OSError as error:
            if error.errno in FULL:
                sys.stdout = None  # as above
                typer.echo(f"prover: the output cannot be written: {error.strerror}.", err=True)
            elif error.errno in UNUSABLE and error.filename:
                typer.echo(f"prover: {error.filename} cannot be used: {error.strerror}.", err=True)
            else:
                raise
            raise typer.Exit(2) from error


app = typer.Typer(
    cls=Commands,
    name="prover",
    help="Proves theorems in Lean 4, and judges proofs. Real Lean checks everything that is said to be proved.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(prove)
app.command()(verify)
app.command()(policies)
app.command()(export_onnx)
app.add_typer(bench, name="bench")
app.add_typer(data, name="data")
app.command()(setup)
app.command()(doctor)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"prover {importlib.metadata.version('lean-rl-prover')}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Proves theorems in Lean 4, and judges proofs. Real Lean checks everything that is said to be proved."""


def main() -> None:
    """The entry point: proofs are full of symbols, so output never fails for want of a character."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app()


if __name__ == "__main__":
    main()

"""The command `prover`: the list of its commands."""

from typing import Annotated

import typer

from prover.command_group import HELP_NAMES, Commands, run, version_of
from prover.commands.bench import bench
from prover.commands.data.app import data
from prover.commands.doctor import doctor
from prover.commands.export_onnx import export_onnx
from prover.commands.policies import policies
from prover.commands.prove import prove
from prover.commands.setup import setup
from prover.commands.verify import verify

app = typer.Typer(
    cls=Commands,
    name="prover",
    help="Proves theorems in Lean 4, and judges proofs. Real Lean checks everything that is said to be proved.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings=HELP_NAMES,
)
app.command()(prove)
app.command()(verify)
app.command()(policies)
app.command()(export_onnx)
app.add_typer(bench, name="bench")
app.add_typer(data, name="data")
app.command()(setup)
app.command()(doctor)


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=version_of("prover"), is_eager=True, help="Print the version and leave."),
    ] = False,
) -> None:
    """Proves theorems in Lean 4, and judges proofs. Real Lean checks everything that is said to be proved."""


def main() -> None:
    """The entry point."""
    run(app)


if __name__ == "__main__":
    main()

"""The command `prover-rl`: what every command has in common, and the list of them."""

import importlib
import importlib.metadata
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lean_env.errors import LeanEnvError
from prover.sampling.faults import cannot_import
from prover.sources import FULL, UNUSABLE
from rl.command_line import HeadedCommand

INTERRUPTED = 130

# The module of each, which has a function `command`, and what the list says of it. A module is imported when its
# command is run or asked for help.
COMMANDS = {
    "harvest": ("rl.commands.harvest", "Collect the proofs that runs have found, as training data."),
    "synthesize": ("rl.commands.synthesize", "Generate theorems in core Lean to learn from."),
    "sft": ("rl.commands.sft", "Train a model on proofs: the cold start."),
    "expert-iteration": ("rl.commands.expert_iteration", "Search, keep what is proved, train on it, again."),
    "grpo": ("rl.commands.grpo", "Train a model by reinforcement learning on the judge's verdicts."),
    "report": ("rl.commands.report", "Show the curves of runs: a table and a figure."),
}
HELP_NAMES = {"help_option_names": ["-h", "--help"]}

# What is imported when it is needed, and the extra that it comes with.
EXTRAS = {
    **dict.fromkeys(("torch", "transformers", "accelerate", "peft", "safetensors", "pyarrow", "tensorboardX"), "rl"),
    **dict.fromkeys(("onnx", "onnxruntime", "tokenizers"), "onnx"),
    "matplotlib": "report",
    "vllm": "vllm",
    "ray": "ray",
}


class Commands(TyperGroup):
    """Turns what a user can cause into one sentence on standard error and exit code 2, for every command."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, _, rest = super().resolve_command(ctx, args)
        assert name is not None
        alone = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=HELP_NAMES)
        alone.command(name, cls=HeadedCommand)(importlib.import_module(COMMANDS[name][0]).command)
        return name, typer.main.get_command(alone), rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except LeanEnvError as error:
            typer.echo(f"prover-rl: {error}", err=True)
            raise typer.Exit(2) from error
        except ModuleNotFoundError as error:
            extra = EXTRAS.get((error.name or "").split(".")[0])
            if extra is None:
                raise
            typer.echo(f"prover-rl: {cannot_import('this needs more than is installed', extra, error)}", err=True)
            raise typer.Exit(2) from error
        except KeyboardInterrupt as error:
            typer.echo("prover-rl: interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from error
        except BrokenPipeError as error:
            # Whoever read our output has gone; the interpreter must not complain about it again when it flushes.
            sys.stdout = None
            raise typer.Exit(1) from error
        except OSError as error:
            if error.errno in FULL:
                sys.stdout = None  # as above
                typer.echo(f"prover-rl: the output cannot be written: {error.strerror}.", err=True)
            elif error.errno in UNUSABLE and error.filename:
                typer.echo(f"prover-rl: {error.filename} cannot be used: {error.strerror}.", err=True)
            else:
                raise
            raise typer.Exit(2) from error


app = typer.Typer(
    cls=Commands,
    name="prover-rl",
    help="Trains a prover policy on what real Lean says of its proofs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # see `HeadedCommand`
    context_settings=HELP_NAMES,
)


def _imported_later() -> None:
    """Stands in the list for a command."""


for _name, (_, _text) in COMMANDS.items():
    app.command(_name, help=_text)(_imported_later)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"prover-rl {importlib.metadata.version('lean-rl-prover')}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Trains a prover policy on what real Lean says of its proofs."""


def main() -> None:
    """The entry point: proofs are full of symbols, so output never fails for want of a character."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app()


if __name__ == "__main__":
    main()

"""The command `prover-rl`: the list of its commands."""

import importlib
from typing import Annotated, Any

import typer

from prover.command_group import HELP_NAMES, Commands, run, version_of
from rl.command_line import HeadedCommand

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

# What is imported when it is needed, and the extra that it comes with.
EXTRAS = {
    **dict.fromkeys(("torch", "transformers", "accelerate", "peft", "safetensors", "pyarrow", "tensorboardX"), "rl"),
    "onnx": "onnx",
    "matplotlib": "report",
    "vllm": "vllm",
    "ray": "ray",
}


class LearningCommands(Commands):
    """A command is imported when it is run or asked for help: the list of them costs no torch."""

    program = "prover-rl"
    extras = EXTRAS

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, _, rest = super().resolve_command(ctx, args)
        assert name is not None
        alone = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=HELP_NAMES)
        alone.command(name, cls=HeadedCommand)(importlib.import_module(COMMANDS[name][0]).command)
        return name, typer.main.get_command(alone), rest


app = typer.Typer(
    cls=LearningCommands,
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


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=version_of("prover-rl"), is_eager=True, help="Print the version and leave."),
    ] = False,
) -> None:
    """Trains a prover policy on what real Lean says of its proofs."""


def main() -> None:
    """The entry point."""
    run(app)


if __name__ == "__main__":
    main()

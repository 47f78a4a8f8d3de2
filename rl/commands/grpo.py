"""`prover-rl grpo`: trains a model on the judge's verdicts; kill it whenever you like, the same command goes on."""

import shlex
from typing import TYPE_CHECKING

import typer

from rl.command_line import options_of
from rl.commands.resumable import resumable, say
from rl.grpo.config import GRPOConfig

if TYPE_CHECKING:
    from rl.grpo.loop import Evaluated


@options_of(GRPOConfig)
def command(config: GRPOConfig) -> None:
    """Train a model by reinforcement learning: Lean's judge says which of its proofs hold.

    For every theorem of a step a group of rollouts is sampled, and those that are better than the others of their group
    become likelier. Killed, the same command goes on. The model is in the run's folder `model`.

    Exit code 0 after the last step; 2 for bad input, or a loss that is not finite; 3 when Lean or the sampler was lost
    and did not come back; 130 when interrupted.
    """
    # Here and not above: the help needs no torch.
    from rl.grpo.train import train

    with resumable(config.out, kept="What was learned is saved"):
        done = train(config, say)
    last = "" if done.last is None else f"; the last evaluation has {_percent(done.last)} of rollouts proved"
    shown = f"prover bench BENCHMARK --policy hf:{shlex.quote(str(done.model))}"
    typer.echo(f"{done.steps} steps{last}; the model is in {done.model}, and `{shown}` tries it")
    if done.best is not None and done.best.step != done.steps:
        typer.echo(f"the best evaluation has {_percent(done.best)}, after step {done.best.step}: {done.best_model}")


def _percent(evaluated: "Evaluated") -> str:
    return f"{100 * evaluated.reward:.1f} %"

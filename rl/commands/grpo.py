"""`prover-rl grpo`: trains a model on the judge's verdicts; kill it whenever you like, the same command goes on."""

import shlex

import typer

from rl.command_line import options_of
from rl.grpo.config import GRPOConfig

LOST, INTERRUPTED = 3, 130


@options_of(GRPOConfig)
def command(config: GRPOConfig) -> None:
    """Train a model by reinforcement learning: Lean's judge says which of its proofs hold.

    For every theorem of a step a group of rollouts is sampled, and those that are better than the others of their group
    become likelier. Killed, the same command goes on. The model is in the run's folder `model`.

    Exit code 0 after the last step; 2 for bad input, or a loss that is not finite; 3 when Lean was lost and did not
    come back; 130 when interrupted.
    """
    # Here and not above: the help needs no torch.
    from rl.grpo.train import train
    from rl.rollouts.lean import JudgeLost

    def say(text: str) -> None:
        typer.echo(f"prover-rl: {text}", err=True)

    try:
        done = train(config, say)
    except JudgeLost as error:
        say(f"{error} What was learned is saved; the same command goes on with {config.out}.")
        raise typer.Exit(LOST) from error
    except KeyboardInterrupt:
        say(f"interrupted; the same command goes on with {config.out}")
        raise typer.Exit(INTERRUPTED) from None
    best = "" if done.reward is None else f"; the best evaluation has {100 * done.reward:.1f} % of rollouts proved"
    shown = f"prover bench BENCHMARK --policy hf:{shlex.quote(str(done.model))}"
    typer.echo(f"{done.steps} steps{best}; the model is in {done.model}, and `{shown}` tries it")

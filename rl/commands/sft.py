"""`prover-rl sft`: trains a model on pairs; kill it whenever you like, the same command goes on."""

import typer

from prover.command_group import INTERRUPTED
from rl.command_line import options_of
from rl.sft.config import SftConfig


@options_of(SftConfig)
def command(config: SftConfig) -> None:
    """Train a model on proofs: the tactics of their steps, whole proofs, or both.

    The loss is taken of the answers alone. The weights with the least loss on theorems that are held out end in the
    run's folder `model`, which `--policy hf:FOLDER/model` uses. Killed, the same command goes on.
    """
    # Here and not above: the help needs no torch.
    from rl.sft.train import fine_tune

    def say(text: str) -> None:
        typer.echo(f"prover-rl: {text}", err=True)

    try:
        done = fine_tune(config, say=say)
    except KeyboardInterrupt:
        say(f"interrupted; the same command goes on with {config.out}")
        raise typer.Exit(INTERRUPTED) from None
    told = f"step {done.best_step} of {done.steps}"
    if done.loss is not None:
        told = f"held-out loss {done.loss:.4f} after {told}"
    early = f" (of {done.planned} planned: it became no better)" if done.steps < done.planned else ""
    typer.echo(f"{told}{early}; the model is in {done.model}")

"""`prover-rl sft`: trains a model on pairs; kill it whenever you like, the same command goes on."""

import typer

from rl.command_line import options_of
from rl.commands.resumable import resumable, say
from rl.sft.config import SftConfig


@options_of(SftConfig)
def command(config: SftConfig) -> None:
    """Train a model on proofs: the tactics of their steps, whole proofs, or both.

    The loss is taken of the answers alone. The weights with the least loss on theorems that are held out end in the
    run's folder `model`, which `--policy hf:FOLDER/model` uses. Killed, the same command goes on.
    """
    # Here and not above: the help needs no torch.
    from rl.sft.train import fine_tune

    with resumable(config.out):
        done = fine_tune(config, say=say)
    told = f"step {done.best_step} of {done.steps}"
    if done.loss is not None:
        told = f"held-out loss {done.loss:.4f} after {told}"
    early = f" (of {done.planned} planned: it became no better)" if done.steps < done.planned else ""
    typer.echo(f"{told}{early}; the model is in {done.model}")

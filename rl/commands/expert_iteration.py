"""`prover-rl expert-iteration`: rounds of search and training; kill it whenever you like, the same command goes on."""

import typer

from prover.commands.lean import open_pool
from rl.command_line import options_of
from rl.commands.resumable import resumable, say
from rl.expert_iteration.config import ExpertIterationConfig


@options_of(ExpertIterationConfig)
def command(config: ExpertIterationConfig) -> None:
    """Search for proofs, train a model on those that Lean accepts, search with the model, and so on.

    The first round searches with the portfolio: nobody has to write a proof. Every round is evaluated on theorems that
    are not learned from. The best round's model ends in the run's folder `model`. Killed, the same command goes on;
    with more --rounds it goes on as well.

    Exit code 0 after the last round; 2 for bad input; 3 when Lean was lost and did not come back; 130 when interrupted.
    """
    # Here and not above: the help needs no torch, and no pyarrow.
    from rl.expert_iteration.loop import expert_iteration
    from rl.expert_iteration.planning import open_iteration

    with resumable(config.out), open_iteration(config) as (run, theorems):
        tasks = len(theorems.training) + len(theorems.valid.rows)
        with open_pool(config.lean, config.workers, tasks) as pool:
            done = expert_iteration(run, theorems, pool, say=say)
    told = f"{done.proved} of {len(theorems.training)} training theorems have a proof"
    if done.refuted:
        told += f", {done.refuted} are refuted"
    best = done.sentence(config)
    typer.echo(f"{told}; {best}" if best else told)

"""Attempts every synthetic theorem with the portfolio's best-first search, in a run that goes on after a kill."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from lean_env import LeanPool
from prover.algorithms import plan_named
from prover.benchmarks.row import Benchmark
from prover.policies.plan import plan_policy
from prover.policies.spec import Options
from rl.search_run import Attempts, search_run
from rl.synthetic.generate import Made


def check(
    made: Sequence[Made],
    folder: Path,
    attempts: Attempts,
    pool: LeanPool,
    say: Callable[[str], None] = lambda text: None,
) -> list[Made]:
    """The theorems, those that were proved with their proofs, without those that do not elaborate.

    Every attempt is durable in `folder` before the next begins.

    Raises:
        UserInputError: the folder holds a run of other theorems or settings.
        JudgeLost: Lean did not come back; what is finished is kept.
    """
    theorems = Benchmark("synthetic", tuple(one.row for one in made))
    policy = plan_policy("portfolio", Options(), plan_named(attempts.search))
    run = search_run(folder, theorems, policy, attempts, pool, say=say)
    proofs = {attempt.theorem: attempt.proof for attempt in run.attempts if attempt.reward == 1}
    return [replace(one, proof=proofs.get(i)) for i, one in enumerate(made) if i not in run.problems]

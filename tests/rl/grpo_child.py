"""What `test_grpo_resume.py` does in a process of its own, which is killed while it waits."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from prover.benchmarks.row import Row
from rl.benchmark.bandit import course, play
from rl.grpo.config import Choosing, Course
from rl.grpo.loop import Environment
from rl.objective.policy_loss import PolicyObjective
from rl.rollouts.rollout import Group

STEPS = 8


def everything(lag: int, steps: int = STEPS) -> Course:
    """A course in which there is something of everything that a checkpoint has to keep."""
    return course(
        seed=3,
        steps=steps,
        lag=lag,
        updates=2,
        minibatches=2,
        reference_reset=3,
        evaluation_every=3,
        checkpoint_every=3,
        choosing=Choosing(theorems_per_step=2, refills=1, replay_share=0.5),
        objective=PolicyObjective(kl="k3", kl_coefficient=0.01, temperature=0.9),
    )


def waiting_at(step: int) -> "object":
    """An environment that, asked for this step, waits to be killed."""

    def around(environment: Environment) -> Environment:
        def collect(rows: Sequence[Row], asked: int, version: int) -> Sequence[Group]:
            if asked == step:
                time.sleep(120)
            return environment.collect(rows, asked, version)

        return replace(environment, collect=collect)

    return around


if __name__ == "__main__":
    play(Path(sys.argv[1]), everything(int(sys.argv[2])), waiting_at(int(sys.argv[3])))  # type: ignore[arg-type]

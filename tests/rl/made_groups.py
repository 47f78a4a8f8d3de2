"""Groups made by hand: what a theorem's rollouts came to, without a model or Lean."""

from collections.abc import Sequence

from prover.benchmarks.row import Row
from rl.rollouts.rollout import Group, Rollout, Turn


def row(name: str) -> Row:
    return Row(name, f"theorem {name} : True")


def rollout(reward: int | None, proof: str = "by\n  trivial", log_probability: float = -0.5) -> Rollout:
    turn = Turn((1, 2), (3, 4), (log_probability, 0.0), "stop", "trivial")
    ended = {0: "refused", 1: "proved", None: "lost"}[reward]
    return Rollout((turn,), reward, ended, proof)  # type: ignore[arg-type]


def group(name: str, rewards: Sequence[int | None], version: int = 0) -> Group:
    return Group(row(name), tuple(map(rollout, rewards)), version)

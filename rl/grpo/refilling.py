"""Dynamic sampling: groups without anything to compare are dropped, and others collected in their place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prover.benchmarks.row import Row
from rl.objective.advantages import zero_variance
from rl.rollouts.rollout import Group


@dataclass(frozen=True)
class Filled:
    """`kept` are the groups to learn from, `dropped` those whose scored rewards are all equal, or that have none."""

    kept: tuple[Group, ...]
    dropped: tuple[Group, ...] = ()


def fill(
    candidates: Sequence[Row],
    size: int,
    refills: int,
    collect: Callable[[Sequence[Row]], Sequence[Group]],
) -> Filled:
    """Up to `size` groups whose rewards by the judge are not all equal (DAPO, arXiv 2503.14476, section 3.2).

    The first `size` of the theorems are collected; for those groups that are dropped the theorems that follow, as many
    as are missing, and so on, `refills` times at most or until the theorems are used up.
    """
    kept: list[Group] = []
    dropped: list[Group] = []
    taken = 0
    for _ in range(1 + refills):
        wanted = candidates[taken : taken + size - len(kept)]
        if not wanted:
            break
        taken += len(wanted)
        for group in collect(wanted):
            (dropped if zero_variance(group.rewards) else kept).append(group)
    return Filled(tuple(kept), tuple(dropped))

"""What a run solved of each topic and of each split."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prover.statistics.intervals import Estimate, mean, share
from prover.statistics.tally import Tally


@dataclass(frozen=True)
class Group:
    """The theorems of one topic or split: `solved` of `theorems`; `left_out` more have no scored attempt.

    `pass_at_1` is the mean share of proofs in the scored attempts at a theorem.
    """

    name: str
    theorems: int
    left_out: int
    solved: int
    solved_share: Estimate | None
    pass_at_1: Estimate | None


def groups(tally: Tally, names: Sequence[str], seed: int = 0) -> tuple[Group, ...]:
    """The theorems by the name that each has here, in the order in which the names appear; none if all are empty."""
    if not any(names):
        return ()
    members: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        if tally.counted[index]:
            members.setdefault(name, []).append(index)
    return tuple(_group(tally, name, np.array(indices), seed) for name, indices in members.items())


def _group(tally: Tally, name: str, indices: NDArray[np.int64], seed: int) -> Group:
    judged = indices[tally.judged[indices]]
    solved = int(tally.solved[judged].sum())
    return Group(
        name=name,
        theorems=len(judged),
        left_out=len(indices) - len(judged),
        solved=solved,
        solved_share=share(solved, len(judged)),
        pass_at_1=mean(tally.pass_at_1[judged], seed=seed),
    )

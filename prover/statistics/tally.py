"""A run as arrays: what came of each theorem, and what was spent on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prover.runs.run import Run

RESOURCES = ("samples", "tokens", "lean_calls", "lean_seconds", "seconds")


@dataclass(frozen=True)
class Tally:
    """A run of T theorems. Arrays of shape [R, T] have a row for each of `RESOURCES`.

    `attempts`, `scored` and `proved` [T] count the attempts at each theorem, those that are scored and those with a
    proof. `spent` [R, T] is what all attempts used, `to_proof` [R, T] what the first one with a proof and those before
    it used, infinite where there is none. `unscored_spent` [R] is what unscored attempts used: it is part of `spent`
    and `to_proof`, for it has been paid.

    A theorem that is `invalid` [T] has no scored attempt and no proof. `counted` [T] leaves out the invalid ones if
    that was asked for, and `judged` [T] of the others those that have no scored attempt though they might.
    """

    invalid: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    attempts: NDArray[np.int64]
    scored: NDArray[np.int64]
    proved: NDArray[np.int64]
    spent: NDArray[np.float64]
    to_proof: NDArray[np.float64]
    unscored_spent: NDArray[np.float64]

    @property
    def pass_at_1(self) -> NDArray[np.float64]:
        """The share of proofs in the scored attempts at each theorem [T]; 0 where there are none."""
        return self.proved / np.maximum(self.scored, 1)

    @property
    def solved(self) -> NDArray[np.bool_]:
        """Which theorems have a proof [T]."""
        return self.proved > 0


def tally(run: Run, exclude_invalid: bool = False) -> Tally:
    """What a run comes to; `exclude_invalid` leaves out of `counted` what does not elaborate."""
    size = len(run.rows)
    invalid = np.zeros(size, dtype=np.bool_)
    invalid[list(run.problems)] = True
    theorem = np.array([attempt.theorem for attempt in run.attempts], dtype=np.int64)
    reward = np.array([-1 if attempt.reward is None else attempt.reward for attempt in run.attempts], dtype=np.int64)
    used = np.array(
        [[getattr(attempt.spent, name) for attempt in run.attempts] for name in RESOURCES], dtype=np.float64
    )
    unscored = reward < 0
    valid = ~invalid[theorem]
    wins = (reward == 1) & valid
    scored = np.bincount(theorem[~unscored & valid], minlength=size)

    solved, first = np.unique(theorem[wins], return_index=True)
    last_needed = np.full(size, -1)
    last_needed[solved] = np.flatnonzero(wins)[first]
    needed = np.arange(len(theorem)) <= last_needed[theorem]
    to_proof = np.full((len(RESOURCES), size), np.inf)
    to_proof[:, solved] = _by_theorem(used * needed, theorem, size)[:, solved]

    counted = ~invalid if exclude_invalid else np.ones(size, dtype=np.bool_)
    return Tally(
        invalid=invalid,
        counted=counted,
        judged=counted & (invalid | (scored > 0)),
        attempts=np.bincount(theorem, minlength=size),
        scored=scored,
        proved=np.bincount(theorem[wins], minlength=size),
        spent=_by_theorem(used, theorem, size),
        to_proof=to_proof,
        unscored_spent=used[:, unscored].sum(axis=1),
    )


def _by_theorem(used: NDArray[np.float64], theorem: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    return np.stack([np.bincount(theorem, weights=row, minlength=size) for row in used])

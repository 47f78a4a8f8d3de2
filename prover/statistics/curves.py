"""Solved against spent: how many theorems have a proof within a budget, and what that budget costs in all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prover.statistics.intervals import Estimate, share
from prover.statistics.tally import RESOURCES, Tally

STEPS = 400


@dataclass(frozen=True)
class Curve:
    """A step function of the budget of one theorem in one resource; the tuples have one entry a step.

    With `budget[i]` for each of the `theorems`, `solved[i]` of them have a proof, and all of them together have spent
    `total[i]`, where a theorem is left alone once it has its proof. `low[i]` and `high[i]` are the ends of the 95 %
    interval of solved[i] / theorems, for each step by itself. The first budget is 0; the last is the one that a larger
    one adds nothing to. Units are those of `search.Spent`.
    """

    resource: str
    theorems: int
    budget: tuple[float, ...]
    solved: tuple[int, ...]
    total: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def curves(tally: Tally) -> tuple[Curve, ...]:
    """A curve over the judged theorems for each resource of which any was spent on them.

    The attempts at a theorem follow one another in their order, and a proof costs what they used up to its own end. Of
    more than `STEPS` steps as many remain, equally far apart in theorems solved; those that do are exact.
    """
    to_proof, spent = tally.to_proof[:, tally.judged], tally.spent[:, tally.judged]
    return tuple(
        _curve(name, to_proof[i], np.minimum(to_proof[i], spent[i]))
        for i, name in enumerate(RESOURCES)
        if spent[i].any()
    )


def _curve(resource: str, to_proof: NDArray[np.float64], ends: NDArray[np.float64]) -> Curve:
    """`ends` is where the work at each theorem ends: at its first proof or after its last attempt."""
    proofs, ends = np.sort(to_proof[np.isfinite(to_proof)]), np.sort(ends)
    budgets = np.unique(np.concatenate([[0.0], proofs, ends[-1:]]))
    if len(budgets) > STEPS:
        budgets = budgets[np.linspace(0, len(budgets) - 1, STEPS).round().astype(np.int64)]
    solved = np.searchsorted(proofs, budgets, side="right")
    done = np.searchsorted(ends, budgets, side="right")
    sums = np.concatenate([[0.0], np.cumsum(ends)])
    total = sums[done] + budgets * (len(ends) - done)
    band = [_band(int(count), len(ends)) for count in solved]
    return Curve(
        resource=resource,
        theorems=len(ends),
        budget=tuple(budgets.tolist()),
        solved=tuple(solved.tolist()),
        total=tuple(total.tolist()),
        low=tuple(estimate.low for estimate in band),
        high=tuple(estimate.high for estimate in band),
    )


def _band(count: int, of: int) -> Estimate:
    estimate = share(count, of)
    assert estimate is not None
    return estimate

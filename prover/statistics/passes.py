"""pass@k by the unbiased estimator, per theorem and averaged over theorems."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prover.statistics.intervals import Estimate, mean
from prover.statistics.tally import Tally


@dataclass(frozen=True)
class PassAtK:
    """pass@k, averaged over the `theorems` with at least k scored attempts; `left_out` have fewer.

    Fewer than k attempts say nothing unbiased about k of them, so such a theorem is left out of this k and of larger
    ones. What Lean was lost on is no chance selection: where `left_out` differs, so do the theorems that are averaged,
    and two k's cannot be compared. A theorem that does not elaborate passes no k, unless it is excluded; then it is
    not in `left_out` either.
    """

    k: int
    estimate: Estimate | None
    theorems: int
    left_out: int


def pass_at_k(attempts: int, proved: int, k: int) -> float:
    """The probability that k of these attempts, drawn without replacement, contain one that proved the theorem.

    Chen et al. 2021, Evaluating large language models trained on code, eq. 1: 1 - C(n - c, k) / C(n, k), as a product.

    Raises:
        ValueError: k is not from 1 to `attempts`, or `proved` not from 0 to `attempts`.
    """
    if not 1 <= k <= attempts or not 0 <= proved <= attempts:
        raise ValueError(f"pass@{k} is not defined for {proved} proofs in {attempts} attempts")
    return float(_by_proved(attempts, k)[proved])


def passes(tally: Tally, seed: int = 0) -> tuple[PassAtK, ...]:
    """pass@k for k = 1, 2, 4, ... and for the most scored attempts that any theorem has; empty if none has any."""
    most = int(tally.scored.max(initial=0))
    powers = [2**i for i in range(most.bit_length()) if 2**i < most]
    return tuple(_averaged(tally, k, seed) for k in [*powers, *([most] if most else [])])


def per_theorem(scored: NDArray[np.int64], proved: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """pass@k of theorems that all have at least k scored attempts."""
    values = np.empty(len(scored))
    for attempts in np.unique(scored):
        here = scored == attempts
        values[here] = _by_proved(int(attempts), k)[proved[here]]
    return values


def _averaged(tally: Tally, k: int, seed: int) -> PassAtK:
    enough = tally.counted & (tally.scored >= k)
    never = int((tally.counted & tally.invalid).sum())
    values = np.concatenate([per_theorem(tally.scored[enough], tally.proved[enough], k), np.zeros(never)])
    return PassAtK(k, mean(values, seed=seed), len(values), int(tally.counted.sum()) - len(values))


def _by_proved(attempts: int, k: int) -> NDArray[np.float64]:
    """pass@k for 0, 1, ..., `attempts` proofs: one less the product of 1 - k / i over the last `proved` i's."""
    # The factor of i = k is 0, and so are all products from there on: fewer than k failures leave no way to miss.
    factors = 1 - k / np.arange(attempts, 0, -1)
    return 1 - np.concatenate([[1.0], np.cumprod(factors)])

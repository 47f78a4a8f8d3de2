"""Discounted upper confidence bounds, by which RMaxTS chooses: what an action brought counts less the longer it is ago.

DeepSeek-Prover-V1.5, arXiv 2408.08152, section 3.3. An action's statistics after T visits with rewards R_1 .. R_T are
W = sum of gamma^(T - t) R_t (`value`) and N = sum of gamma^t for t = 0 .. T - 1 (`visits`), gamma in (0, 1].
"""

from collections.abc import Sequence
from math import log, sqrt
from typing import Protocol

FEWEST_VISITS = 0.01
LEAST_TOTAL = 2.0


class Arm(Protocol):
    """What may be chosen: its statistics, and how many simulations are in it now."""

    value: float
    visits: float
    running: int


def after(value: float, visits: float, reward: float, gamma: float) -> tuple[float, float]:
    """W and N after one more visit, with this reward."""
    return gamma * value + reward, gamma * visits + 1.0


def expected(arm: Arm, gamma: float) -> tuple[float, float]:
    """W and N as they would be if all that is running came back without a reward (the virtual loss).

    k running: W gamma^k and N gamma^k + (1 - gamma^k) / (1 - gamma), which is N + k for gamma = 1.
    """
    if not arm.running:
        return arm.value, arm.visits
    faded = gamma**arm.running
    added = arm.running if gamma == 1.0 else (1.0 - faded) / (1.0 - gamma)
    return arm.value * faded, arm.visits * faded + added


def bounds(arms: Sequence[Arm], gamma: float) -> list[float]:
    """W / N + sqrt(2 ln(sum of N) / N) of each, with the virtual loss; N at least 0.01, the sum at least 2.

    An arm without visits has sqrt(200 ln(sum of N)), at least 11.7: more than any that was visited.
    """
    statistics = [expected(arm, gamma) for arm in arms]
    width = sqrt(2.0 * log(max(sum(visits for _, visits in statistics), LEAST_TOTAL)))
    return [value / (n := max(visits, FEWEST_VISITS)) + width / sqrt(n) for value, visits in statistics]


def choose(arms: Sequence[Arm], gamma: float) -> int:
    """The place of the arm with the highest bound, the first of equals."""
    scores = bounds(arms, gamma)
    return scores.index(max(scores))

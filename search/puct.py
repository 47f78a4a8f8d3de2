"""The formulas of step MCTS on plain numbers: exploration, the value of a conjunction, when to ask again.

Values are in [0, 1]: AlphaProof's V = 0.99^(-1 - (r + v)) of an edge, where r = -1 is the tactic's reward and -v the
number of tactics that its child still needs. A tactic in front of it is one more factor of 0.99.
"""

from collections.abc import Sequence
from math import exp, log, prod, sqrt
from typing import Literal

Conjunction = Literal["min", "product"]

DISCOUNT = 0.99


def exploration(visits: float, base: float = 3200.0, init: float = 0.001) -> float:
    """c sqrt(N) of a node with N visits, where c = ln((N + base + 1) / base) + init (AlphaProof).

    An edge's score is this / (n + 1) * P / (sum of P) + V, for n visits of its own and the prior P.
    """
    return (log((visits + base + 1.0) / base) + init) * sqrt(visits)


def unvisited_value(parent: float, steps: float, discount: float = DISCOUNT) -> float:
    """The V of an untried edge: the parent's value, `steps` tactics further from a proof (AlphaProof: 32)."""
    return float(parent * discount**steps)


def conjunction(unproved: Sequence[float], how: Conjunction) -> float:
    """The value of an AND node by those of its goals that are not proved; 1 if all are.

    `min`: the least of them (AlphaProof). `product`: a goal that is proved counts 1 (HTPS).
    """
    if not unproved:
        return 1.0
    return min(unproved) if how == "min" else prod(unproved)


def asks_again(asked: int, visits: float, factor: float = 0.01, exponent: float = 0.6) -> bool:
    """Progressive sampling: a node is due when the policy was asked at most factor N^exponent times (AlphaProof)."""
    return bool(asked <= factor * visits**exponent)


def leaf_value(score: float) -> float:
    """The value of a state by a critic's score, the logarithm of a probability."""
    return exp(score)

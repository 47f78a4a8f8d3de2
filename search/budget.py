"""The limits of one attempt at a theorem, and what the attempt has spent: whichever limit comes first ends it."""

from dataclasses import dataclass, fields
from math import inf


@dataclass(frozen=True)
class Budget:
    """Limits of one attempt; None is no limit.

    `samples` counts answers of the policy (one per state asked about), `lean_calls` tactics run and proofs judged,
    `seconds` is wall clock from the start of the attempt.
    """

    samples: int | None = None
    lean_calls: int | None = None
    seconds: float | None = 60.0

    def __post_init__(self) -> None:
        for name in ("samples", "lean_calls", "seconds"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ValueError(f"a budget's {name} cannot be {value}")

    def seconds_left(self, spent: "Spent") -> float:
        """What remains of the wall clock, never below 0; infinite where there is no limit."""
        return inf if self.seconds is None else max(0.0, self.seconds - spent.seconds)

    def allows_lean_call(self, spent: "Spent") -> bool:
        """Whether one more call of Lean may begin."""
        return (self.lean_calls is None or spent.lean_calls < self.lean_calls) and self.seconds_left(spent) > 0

    def allows_sample(self, spent: "Spent") -> bool:
        """Whether the policy may be asked once more."""
        return (self.samples is None or spent.samples < self.samples) and self.seconds_left(spent) > 0


@dataclass(frozen=True)
class Spent:
    """What an attempt has used: policy samples, their tokens, Lean calls, nodes, wall clock, Lean's own seconds."""

    samples: int = 0
    tokens: int = 0
    lean_calls: int = 0
    nodes: int = 0
    seconds: float = 0.0
    lean_seconds: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        """What two attempts have used that ran one after the other."""
        return Spent(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

"""What a rule of the portfolio gives: a tactic and how much one would bet on it, on a scale that all rules share."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Suggestion:
    """`weight` is relative to the other suggestions for the same goal; 1 is an ordinary one."""

    tactic: str
    weight: float

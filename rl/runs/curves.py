"""The metrics of a run as curves, and what they came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prover.sources import UserInputError
from rl.runs.journal import read
from rl.runs.run import METRICS

BESIDE = ("step", "time")  # no metrics


@dataclass(frozen=True)
class Curve:
    """One metric of one run: `values` (n,) at the ascending `steps` (n,), those that are numbers."""

    metric: str
    steps: tuple[int, ...]
    values: tuple[float, ...]


def read_curves(folder: Path) -> list[Curve]:
    """The curves of a run in the order in which they begin, also while another process works on it.

    Raises:
        UserInputError: the folder holds no run, or nothing was logged in it yet.
    """
    path = folder / METRICS
    if not path.is_file():
        raise UserInputError(f"{folder} holds no run of prover-rl: there is no {METRICS} in it.")
    found: dict[str, dict[int, float]] = {}
    for row in read(path):
        for name, value in row.items():
            if name not in BESIDE and isinstance(value, int | float):
                found.setdefault(name, {})[row["step"]] = value
    if not found:
        raise UserInputError(f"{folder} has no metrics yet.")
    return [Curve(name, tuple(points), tuple(map(float, points.values()))) for name, points in found.items()]


def smoothed(values: Sequence[float], width: int) -> list[float]:
    """The mean of each value and of those up to `width` // 2 before and after it; fewer at the ends."""
    half = width // 2
    parts = (values[max(0, i - half) : i + half + 1] for i in range(len(values)))
    return [sum(part) / len(part) for part in parts]

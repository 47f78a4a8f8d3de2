"""A run as it is read back: what was asked, what is known of its rows, and every attempt so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prover.benchmarks.row import Row
from prover.runs.attempt import Attempt


@dataclass(frozen=True)
class Session:
    """A stretch of work at a run by one process. `began` is Unix time; `seconds` is wall clock from there to its last
    attempt, and `busy_seconds` the time, summed over the `workers`, in which a Lean worker was at a request."""

    began: float
    seconds: float
    busy_seconds: float
    workers: int


@dataclass(frozen=True)
class Run:
    """`settings` and `environment` are the JSON objects that were written when the run began (see settings.py).

    `problems` says, by the number of the row, why a statement cannot be attempted. `attempts` are ordered by row and
    number; their trees and messages are left out (`read_tree`, `read_messages` of store.py give those of one attempt).
    """

    folder: Path
    settings: Mapping[str, Any]
    environment: Mapping[str, Any]
    rows: tuple[Row, ...]
    problems: Mapping[int, str] = field(default_factory=dict)
    attempts: tuple[Attempt, ...] = ()
    sessions: tuple[Session, ...] = ()

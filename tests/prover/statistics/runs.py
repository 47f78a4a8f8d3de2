"""Runs made up for the tests of the statistics."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from prover.benchmarks.row import Row
from prover.runs.attempt import Attempt
from prover.runs.run import Run, Session
from prover.statistics import Estimate
from search import Spent

Rewards = Sequence[int | None]


def row(name: str, topic: str = "", split: str = "", statement: str = "") -> Row:
    return Row(name, statement or f"theorem {name} : True", topic=topic, split=split)


def run_of(
    rewards: Sequence[Rewards],
    spent: Sequence[Sequence[Spent]] | None = None,
    rows: Sequence[Row] | None = None,
    problems: Mapping[int, str] | None = None,
    sessions: Sequence[Session] = (),
    asked: int | None = None,
) -> Run:
    """A run with these rewards of the attempts at each theorem; an attempt takes 1 sample and 1 s unless it is told."""
    attempts = [
        Attempt(
            i, j, 0, reward, "proved" if reward else "budget", spent[i][j] if spent else Spent(samples=1, seconds=1)
        )
        for i, those in enumerate(rewards)
        for j, reward in enumerate(those)
    ]
    return Run(
        folder=Path("nowhere"),
        settings={"attempts": max(map(len, rewards), default=1) if asked is None else asked},
        environment={},
        rows=tuple(rows or [row(f"t{i}") for i in range(len(rewards))]),
        problems=problems or {},
        attempts=tuple(attempts),
        sessions=tuple(sessions),
    )


def known(estimate: Estimate | None) -> Estimate:
    assert estimate is not None
    return estimate

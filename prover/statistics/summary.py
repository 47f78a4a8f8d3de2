"""All statistics of one run, and as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from prover.runs.run import Run
from prover.statistics.comparison import Comparison
from prover.statistics.curves import Curve, curves
from prover.statistics.intervals import Estimate, share
from prover.statistics.passes import PassAtK, passes
from prover.statistics.tally import RESOURCES, Tally, tally
from prover.statistics.topics import Group, groups


@dataclass(frozen=True)
class Counts:
    """How many theorems of a run are what; the last three count attempts.

    `invalid` theorems do not elaborate, `attempted` ones have an attempt, `finished` ones all that were asked for,
    `unscored` ones attempts but none that is scored. `judged` is the denominator of what is solved: theorems with a
    scored attempt, and the invalid ones unless they are excluded. `proved` of them have a proof.
    """

    theorems: int
    invalid: int
    attempted: int
    finished: int
    unscored: int
    judged: int
    proved: int
    attempts: int
    unscored_attempts: int
    proved_attempts: int


@dataclass(frozen=True)
class Summary:
    """A run in figures; None stands where there is nothing to measure.

    `solved_share` is proved / judged. `passes` have rising k, `curves` one entry for each resource of which the run has
    spent any. `topics` and `splits` are empty where no row has one. `totals` is all that was spent, by resource,
    `unscored_totals` the part of it that went into unscored attempts, `cost_per_solved` is totals / proved.
    `median_seconds` and `seconds_90` are the median and the 90th percentile of the wall clock to the first proof, over
    solved theorems, earlier attempts included. `session_seconds` is the wall clock of all sessions, `workers_busy` the
    share of it, from 0 to 1, in which a Lean worker was at a request.
    """

    exclude_invalid: bool
    counts: Counts
    solved_share: Estimate | None
    passes: tuple[PassAtK, ...]
    curves: tuple[Curve, ...]
    topics: tuple[Group, ...]
    splits: tuple[Group, ...]
    totals: Mapping[str, float]
    unscored_totals: Mapping[str, float]
    cost_per_solved: Mapping[str, float | None]
    median_seconds: float | None
    seconds_90: float | None
    session_seconds: float
    workers_busy: float | None


def summarise(run: Run, exclude_invalid: bool = False, seed: int = 0) -> Summary:
    """The statistics of a run so far.

    `exclude_invalid` leaves out the theorems that do not elaborate, which otherwise are unsolved. `seed` is that of the
    bootstrap: the same run and seed give the same figures.
    """
    tallied = tally(run, exclude_invalid)
    counts = _counts(run, tallied)
    totals = tallied.spent.sum(axis=1).tolist()
    seconds = tallied.to_proof[RESOURCES.index("seconds"), tallied.solved]
    median, seconds_90 = np.quantile(seconds, [0.5, 0.9]).tolist() if len(seconds) else (None, None)
    at_work = sum(session.seconds * session.workers for session in run.sessions)
    return Summary(
        exclude_invalid=exclude_invalid,
        counts=counts,
        solved_share=share(counts.proved, counts.judged),
        passes=passes(tallied, seed),
        curves=curves(tallied),
        topics=groups(tallied, [row.topic for row in run.rows], seed),
        splits=groups(tallied, [row.split for row in run.rows], seed),
        totals=dict(zip(RESOURCES, totals, strict=True)),
        unscored_totals=dict(zip(RESOURCES, tallied.unscored_spent.tolist(), strict=True)),
        cost_per_solved={
            name: total / counts.proved if counts.proved else None
            for name, total in zip(RESOURCES, totals, strict=True)
        },
        median_seconds=median,
        seconds_90=seconds_90,
        session_seconds=float(sum(session.seconds for session in run.sessions)),
        workers_busy=sum(session.busy_seconds for session in run.sessions) / at_work if at_work else None,
    )


def as_json(figures: Summary | Comparison) -> dict[str, Any]:
    """The figures by their names, of JSON types alone: no NaN, no infinity."""
    plain: dict[str, Any] = _plain(asdict(figures))
    return plain | {"common": figures.common} if isinstance(figures, Comparison) else plain


def _counts(run: Run, tallied: Tally) -> Counts:
    attempted = tallied.attempts > 0
    return Counts(
        theorems=len(run.rows),
        invalid=int(tallied.invalid.sum()),
        attempted=int(attempted.sum()),
        finished=int((tallied.attempts >= run.settings["attempts"]).sum()),
        unscored=int((attempted & ~tallied.invalid & (tallied.scored == 0)).sum()),
        judged=int(tallied.judged.sum()),
        proved=int(tallied.solved.sum()),
        attempts=len(run.attempts),
        unscored_attempts=sum(attempt.reward is None for attempt in run.attempts),
        proved_attempts=int(tallied.proved.sum()),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, tuple) else value

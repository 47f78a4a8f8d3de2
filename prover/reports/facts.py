"""What a report says, as plain data: runs with their figures, theorem by theorem, and the words for both."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from prover.benchmarks.row import Row
from prover.reports.check import Check
from prover.runs.attempt import Attempt
from prover.runs.run import Run
from prover.statistics import Comparison, Estimate, Summary, as_json, compare, summarise

FORMAT, VERSION = "lean-rl-prover report", 1
SPENT = ("samples", "tokens", "lean_calls", "nodes", "seconds", "lean_seconds")
ATTEMPT_FIELDS = ("number", "seed", "reward", "stopped", *SPENT, "stage", "axioms", "message", "proof")

Outcome = Literal["proved", "not proved", "unscored", "invalid", "not attempted"]


@dataclass(frozen=True)
class Found:
    """What a run found of one theorem. `shown` is its first proof, else its last attempt; `number` is that of its row.

    `spent_seconds` is wall clock up to and with `shown`, earlier attempts included.
    """

    number: int
    outcome: Outcome
    attempts: tuple[Attempt, ...]
    problem: str = ""

    @property
    def proved(self) -> int:
        return sum(attempt.reward == 1 for attempt in self.attempts)

    @property
    def shown(self) -> Attempt | None:
        found = next((attempt for attempt in self.attempts if attempt.reward == 1), None)
        return found or (self.attempts[-1] if self.attempts else None)

    def spent(self, resource: str) -> float:
        """What was spent of it up to and with the attempt that is shown."""
        last = self.shown.number if self.shown else -1
        return float(sum(getattr(each.spent, resource) for each in self.attempts if each.number <= last))


@dataclass(frozen=True)
class Reported:
    """A run with its figures. `label` is what the report calls it; `found` is by row."""

    label: str
    run: Run
    summary: Summary
    found: tuple[Found, ...]
    check: Check | None = None


@dataclass(frozen=True)
class Theorem:
    """A theorem of at least one run, and what each run found of it; None: the run does not have it."""

    row: Row
    found: tuple[Found | None, ...]


@dataclass(frozen=True)
class Compared:
    """Two of the runs, by label."""

    first: str
    second: str
    comparison: Comparison


@dataclass(frozen=True)
class Report:
    """Runs, each later one compared with the first, and the theorems of all of them."""

    runs: tuple[Reported, ...]
    compared: tuple[Compared, ...]
    theorems: tuple[Theorem, ...]


def gather(runs: Sequence[Run], checks: Sequence[Check] = (), exclude_invalid: bool = False) -> Report:
    """The facts of a report over these runs; `checks` is empty or has one for each."""
    reported = tuple(
        Reported(label, run, summarise(run, exclude_invalid), found_by_row(run), checks[i] if checks else None)
        for i, (label, run) in enumerate(zip(labels(runs), runs, strict=True))
    )
    compared = tuple(
        Compared(reported[0].label, other.label, compare(reported[0].run, other.run, exclude_invalid))
        for other in reported[1:]
    )
    return Report(reported, compared, theorems(reported))


def labels(runs: Sequence[Run]) -> list[str]:
    """The names of the folders, each made its own by a number if need be."""
    names = [run.folder.resolve().name or "run" for run in runs]
    return [
        name if names.count(name) == 1 else f"{name} ({names[: i + 1].count(name)})" for i, name in enumerate(names)
    ]


def found_by_row(run: Run) -> tuple[Found, ...]:
    """What the run found of each of its rows."""
    attempts: list[list[Attempt]] = [[] for _ in run.rows]
    for attempt in run.attempts:
        if 0 <= attempt.theorem < len(attempts):
            attempts[attempt.theorem].append(attempt)
    return tuple(
        Found(i, _outcome(made, run.problems.get(i, "")), tuple(made), run.problems.get(i, ""))
        for i, made in enumerate(attempts)
    )


def _outcome(attempts: Sequence[Attempt], problem: str) -> Outcome:
    if problem:
        return "invalid"
    rewards = {attempt.reward for attempt in attempts}
    if 1 in rewards:
        return "proved"
    return "not attempted" if not rewards else "unscored" if rewards == {None} else "not proved"


def theorems(runs: Sequence[Reported]) -> tuple[Theorem, ...]:
    """The theorems of the runs, in the order of the first that has them; one with another statement is another one."""
    rows: dict[tuple[str, str], Row] = {}
    places: list[dict[tuple[str, str], Found]] = []
    for reported in runs:
        keys = [(row.name, row.hash) for row in reported.run.rows]
        places.append(dict(zip(keys, reported.found, strict=True)))
        for key, row in zip(keys, reported.run.rows, strict=True):
            rows.setdefault(key, row)
    return tuple(Theorem(row, tuple(place.get(key) for place in places)) for key, row in rows.items())


def report_json(report: Report) -> dict[str, Any]:
    """The whole report for programs: JSON types only.

    `version` rises when a key changes its meaning or goes. An attempt is a list of the values of `attempt_fields`.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "attempt_fields": list(ATTEMPT_FIELDS),
        "runs": [_run_json(reported) for reported in report.runs],
        "comparisons": [
            {"first": each.first, "second": each.second, "figures": as_json(each.comparison)}
            for each in report.compared
        ],
    }


def _run_json(reported: Reported) -> dict[str, Any]:
    run = reported.run
    return {
        "label": reported.label,
        "settings": dict(run.settings),
        "environment": dict(run.environment),
        "sessions": [asdict(session) for session in run.sessions],
        "figures": as_json(reported.summary),
        "check": check_json(reported.check) if reported.check else None,
        "theorems": [
            {
                "name": row.name,
                "hash": row.hash,
                "header": row.header,
                "statement": row.statement,
                "split": row.split,
                "topic": row.topic,
                "lineage": row.lineage,
                "licence": row.licence,
                "note": row.note,
                "problem": found.problem,
                "outcome": found.outcome,
                "attempts": [attempt_json(attempt) for attempt in found.attempts],
            }
            for row, found in zip(run.rows, reported.found, strict=True)
        ],
    }


def attempt_json(attempt: Attempt) -> list[Any]:
    """The values of ATTEMPT_FIELDS."""
    spent = attempt.spent
    return [
        attempt.number, attempt.seed, attempt.reward, attempt.stopped,
        spent.samples, spent.tokens, spent.lean_calls, spent.nodes, round(spent.seconds, 3),
        round(spent.lean_seconds, 3),
        attempt.stage, attempt.axioms, attempt.message, attempt.proof,
    ]  # fmt: skip


def check_json(check: Check) -> dict[str, Any]:
    differences = [{"theorem": d.theorem, "number": d.number, "why": d.why} for d in check.differences]
    return {"proofs": check.proofs, "judged": check.judged, "lean": check.lean, "differences": differences}


def settings_words(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The settings for people; what is not limited says so."""
    return [(key.replace("_", " "), "no limit" if value is None else str(value)) for key, value in settings.items()]


def environment_words(environment: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Where it was run, without the command; an object's parts as `key value`."""
    words = []
    for key, value in environment.items():
        if key == "merged":
            words.append(("merged from", f"{len(value)} shards"))
        elif key != "command":
            words.append((key.replace("_", " "), _flat(value)))
    return words


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_flat(part)}" for key, part in value.items() if part not in ("", None))
    return str(value)


def percent(estimate: Estimate | None) -> str:
    """`24.0 % (95 % interval 14.0 to 36.0 %)`."""
    if estimate is None:
        return "nothing to measure"
    return f"{100 * estimate.value:.1f} % (95 % interval {100 * estimate.low:.1f} to {100 * estimate.high:.1f} %)"


def points(estimate: Estimate | None) -> str:
    """A difference of shares, in percentage points."""
    if estimate is None:
        return "nothing to measure"
    low, high = 100 * estimate.low, 100 * estimate.high
    return f"{100 * estimate.value:+.1f} points (95 % interval {low:+.1f} to {high:+.1f})"


def amount(value: float | None, unit: str = "") -> str:
    """A number with three digits that count, and thousands kept apart."""
    if value is None:
        return "none"
    shown = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
    return f"{shown} {unit}".strip()

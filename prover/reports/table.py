"""The table of theorems: a row each, with what every run found."""

from collections.abc import Sequence
from dataclasses import dataclass

from prover.reports.facts import Found, Report, Theorem


@dataclass(frozen=True)
class Column:
    """A column of the table. `wide` ones are not shown where there is little width."""

    name: str
    number: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Cell:
    """`sort` is what it is sorted by, empty: its text. `outcome` gives it its colour."""

    text: str
    sort: str = ""
    outcome: str = ""


@dataclass(frozen=True)
class TableRow:
    """`differs`: one of the runs proves it and another does not."""

    name: str
    cells: tuple[Cell, ...]
    differs: bool = False


def table_of(report: Report, shown: Sequence[Theorem]) -> tuple[list[Column], list[TableRow]]:
    """The columns but the first, which is the name, and the rows; for several runs a column each."""
    topics = any(theorem.row.topic for theorem in report.theorems)
    columns = [Column("topic", wide=True)] if topics else []
    if len(report.runs) > 1:
        columns += [Column(run.label) for run in report.runs]
    else:
        counts = ("proofs", "seconds", "Lean calls", "samples")
        columns += [Column("outcome"), *(Column(name, number=True, wide=name != "seconds") for name in counts)]
    return columns, [_row(theorem, topics) for theorem in shown]


def _row(theorem: Theorem, topics: bool) -> TableRow:
    topic = [Cell(theorem.row.topic)] if topics else []
    if len(theorem.found) > 1:
        proved = {found.outcome == "proved" for found in theorem.found if found}
        return TableRow(theorem.row.name, (*topic, *map(_outcome_cell, theorem.found)), len(proved) > 1)
    found = theorem.found[0]
    assert found is not None  # the only run has it
    return TableRow(theorem.row.name, (*topic, Cell(found.outcome, outcome=found.outcome), *_numbers(found)))


def _outcome_cell(found: Found | None) -> Cell:
    """The outcome with the seconds it took; proofs first when sorted, the fastest before the others."""
    if found is None:
        return Cell("not in it", "9e9")
    if not found.attempts:
        return Cell(found.outcome, "8e9", found.outcome)
    seconds = found.spent("seconds")
    rank = 0 if found.outcome == "proved" else 1e9
    return Cell(f"{found.outcome}, {_seconds(seconds)} s", f"{rank + seconds:.2f}", found.outcome)


def _numbers(found: Found) -> list[Cell]:
    if not found.attempts:
        return [Cell("", "-1")] * 4
    seconds = found.spent("seconds")
    calls, samples = int(found.spent("lean_calls")), int(found.spent("samples"))
    return [
        Cell(f"{found.proved} of {len(found.attempts)}", f"{found.proved}"),
        Cell(_seconds(seconds), f"{seconds:.3f}"),
        Cell(f"{calls:,}", f"{calls}"),
        Cell(f"{samples:,}", f"{samples}"),
    ]


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f}" if seconds < 10 else f"{seconds:,.1f}" if seconds < 100 else f"{seconds:,.0f}"

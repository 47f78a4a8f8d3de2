"""What was removed from a training set, and why: as JSON, and as a short table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prover.decontamination.criteria import CRITERIA, Criterion, Match
from prover.decontamination.elaborated import Form
from prover.decontamination.entry import Entry

SHOWN = 5  # rows under the table
WIDEST = 60  # characters of a gram there
SAYS = {
    "exact": "the same statement, letter by letter",
    "normalised": "the same up to layout, notation and names",
    "elaborated": "the same type to Lean",
    "grams": "{} Lean tokens in a row",
    "informal": "{} words of informal text in a row",
}


@dataclass(frozen=True)
class Comparison:
    """A training set, a benchmark, and what speaks against which training row (by place, from 0).

    `removed` has the rows that are not kept. `forms` are the fingerprints of both sides where Lean was asked:
    `asked` says whether it was. `complaints` are sentences on rows of the benchmark that could not be read.
    """

    train_label: str
    train: Sequence[Entry]
    bench_label: str
    bench_hash: str
    bench: Sequence[Entry]
    gram: int
    removed: Mapping[int, tuple[Match, ...]]
    complaints: Sequence[str] = ()
    lean: str | None = None
    train_forms: Sequence[Form] = field(default=())
    bench_forms: Sequence[Form] = field(default=())

    def counted(self) -> dict[Criterion, tuple[int, int]]:
        """By criterion: how many rows it speaks against, and against how many of them no other one does."""
        all_, alone = Counter[Criterion](), Counter[Criterion]()
        for matches in self.removed.values():
            all_.update(match.criterion for match in matches)
            if len(matches) == 1:
                alone[matches[0].criterion] += 1
        return {criterion: (all_[criterion], alone[criterion]) for criterion in CRITERIA}


def as_json(found: Comparison) -> dict[str, Any]:
    """The report. Lines are those of the training file, from 1, in its labels."""
    touched = sorted({match.benchmark for matches in found.removed.values() for match in matches})
    return {
        "train": found.train_label,
        "benchmark": {"name": found.bench_label, "hash": found.bench_hash, "unread": list(found.complaints)},
        "settings": {"gram": found.gram, "lean": found.lean},
        "rows": {
            "train": len(found.train),
            "benchmark": len(found.bench),
            "removed": len(found.removed),
            "kept": len(found.train) - len(found.removed),
            "benchmark_found": len(touched),
        },
        "criteria": {criterion: {"rows": rows, "alone": alone} for criterion, (rows, alone) in found.counted().items()},
        "removed": [
            {
                "row": found.train[place].label,
                "name": found.train[place].name,
                "why": [_why(match, found.bench) for match in matches],
            }
            for place, matches in sorted(found.removed.items())
        ],
        "not_elaborated": {
            "train": _not_elaborated(found.train, found.train_forms),
            "benchmark": _not_elaborated(found.bench, found.bench_forms),
        },
    }


def show(found: Comparison, console: Console) -> None:
    """A short table, and the first of what was removed."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("criterion")
    table.add_column("rows", justify="right")
    table.add_column("by it alone", justify="right")
    table.add_column("meaning")
    for criterion, (rows, alone) in found.counted().items():
        if criterion == "elaborated" and found.lean is None:
            table.add_row(criterion, "-", "-", "Lean was not asked")
        else:
            table.add_row(criterion, str(rows), str(alone), SAYS[criterion].format(found.gram))
    console.print(table)
    for place, matches in sorted(found.removed.items())[:SHOWN]:
        console.print(escape(f"{found.train[place].label} {found.train[place].name}: {_short(matches, found.bench)}"))
    if len(found.removed) > SHOWN:
        console.print(f"... and {len(found.removed) - SHOWN} more")
    for entries, forms, side in (
        (found.train, found.train_forms, "training set"),
        (found.bench, found.bench_forms, "benchmark"),
    ):
        missing = _not_elaborated(entries, forms)
        if missing:
            first = missing[0]
            text = (
                f"{len(missing)} of {len(entries)} statements of the {side} do not elaborate: their text alone counts"
            )
            console.print(escape(f"{text}. The first, {first['row']}: {_one_line(first['message'])}"))
    removed, kept = len(found.removed), len(found.train) - len(found.removed)
    console.print(f"removed {removed} of {len(found.train)} rows, kept {kept}")


def _why(match: Match, bench: Sequence[Entry]) -> dict[str, str]:
    entry = bench[match.benchmark]
    why = {"criterion": match.criterion, "benchmark": entry.name, "row": entry.label}
    return why | ({"gram": match.gram} if match.gram else {})


def _short(matches: Sequence[Match], bench: Sequence[Entry]) -> str:
    """The first match in words."""
    first, others = matches[0], len(matches) - 1
    gram = f" (`{first.gram[:WIDEST]}`)" if first.gram else ""
    return f"{first.criterion}, {bench[first.benchmark].name}{gram}" + (f", and {others} more" if others else "")


def _not_elaborated(entries: Sequence[Entry], forms: Sequence[Form]) -> list[dict[str, str]]:
    return [
        {"row": entry.label, "name": entry.name, "message": form.message}
        for entry, form in zip(entries, forms, strict=False)
        if entry.statement and form.digest is None
    ]


def _one_line(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= 200 else line[:197] + "..."

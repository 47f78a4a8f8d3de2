"""Sees to it that no name stands twice in a benchmark."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from prover.benchmarks.row import Row
from prover.sources import UserInputError


def refuse_duplicates(rows: Sequence[Row]) -> None:
    """Raises UserInputError with the first two places that have the same name."""
    seen: dict[str, Row] = {}
    for row in rows:
        first = seen.get(row.name)
        if first is not None:
            what = f"the same theorem, {row.name}" if first.hash == row.hash else f"a theorem called {row.name}"
            remedy = "take one out" if first.hash == row.hash else "rename one"
            raise UserInputError(f"{first.label} and {row.label} both hold {what}; {remedy}.")
        seen[row.name] = row


def qualified(rows: Sequence[Row], files: Sequence[str]) -> list[Row]:
    """The rows, with `FILE:` before a name that more than one has, and `FILE:LINE:` where one file has it twice.

    `files` are the rows' files, without `.lean`. The name in Lean and the statement stay as they are.
    """
    alone = Counter(row.name for row in rows)
    in_file = Counter((file, row.name) for file, row in zip(files, rows, strict=True))
    found = []
    for file, row in zip(files, rows, strict=True):
        line = f"{row.label.rpartition(':')[2]}:" if in_file[file, row.name] > 1 else ""
        found.append(row if alone[row.name] == 1 else replace(row, name=f"{file}:{line}{row.name}"))
    return found


def numbered(rows: Sequence[Row]) -> list[Row]:
    """The rows, with `2:`, `3:` before the second and third that have the same name, and so on."""
    seen: Counter[str] = Counter()
    found = []
    for row in rows:
        seen[row.name] += 1
        found.append(row if seen[row.name] == 1 else replace(row, name=f"{seen[row.name]}:{row.name}"))
    return found

"""The theorems to learn from, out of any source that `prover bench` knows."""

from collections.abc import Mapping
from pathlib import Path

from prover.benchmarks.catalogue import load
from prover.benchmarks.row import Row
from prover.sources import UserInputError

TRAIN = "train"


def training_theorems(source: str | Path, split: str = TRAIN) -> tuple[Row, ...]:
    """The theorems of one split of a source: a benchmark's name, a `.jsonl` or `.lean` file, or a folder of them.

    All are taken of a source that knows no splits, such as a file of one's own; then `split` has to be `train`.

    Raises:
        UserInputError: there is no such source or split, or a row of it cannot be read.
    """
    found = theorems_by_split(source)
    if split in found:
        return found[split]
    if split == TRAIN and list(found) == [""]:
        return found[""]
    known = ", ".join(name for name in found if name)
    raise UserInputError(f"{source} has no split `{split}`; " + (f"it has {known}." if known else "it has no splits."))


def theorems_by_split(source: str | Path) -> Mapping[str, tuple[Row, ...]]:
    """All theorems of a source in its order, by split; those without one are under the empty text.

    Raises:
        UserInputError: there is no such source, or a row of it cannot be read.
    """
    read = load(str(source))
    if read.complaints:
        count = len(read.complaints)
        rest = f", and {count - 1} more cannot be read" if count > 1 else ""
        raise UserInputError(f"{read.complaints[0].rstrip('.')}{rest}; mend that, or take it out of {source}.")
    found: dict[str, list[Row]] = {}
    for row in read.rows:
        found.setdefault(row.split, []).append(row)
    return {split: tuple(rows) for split, rows in found.items()}

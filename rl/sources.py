"""Where a run's theorems come from: those that it learns from, those that it is evaluated on; they are not the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from prover.benchmarks.catalogue import load
from prover.benchmarks.names import refuse_duplicates
from prover.benchmarks.row import Row
from prover.sources import UserInputError
from rl.data.overlap import without_overlap
from rl.data.theorems import theorems_by_split, training_theorems

OVERLAP = "overlap.jsonl"


@dataclass(frozen=True)
class Theorems:
    """`training` theorems, none of which is among the `valid` ones; `label` names the source of those."""

    training: tuple[Row, ...]
    valid: tuple[Row, ...]
    label: str


def read_theorems(
    sources: Sequence[str],
    split: str,
    valid: str | None,
    valid_split: str | None,
    against: Sequence[str],
    drop_overlap: bool,
    folder: Path,
) -> Theorems:
    """Reads the sources, and holds them against each other and against the benchmarks `against`.

    `valid` is the source of what is evaluated on, the first of `sources` if it is None; nothing is where `valid_split`
    is None. What overlaps is refused, or
    with `drop_overlap` left out of the training theorems; it is listed in `folder`, which is made.

    Raises:
        UserInputError: a source cannot be read, there is nothing to evaluate on, or theorems overlap.
    """
    rows = tuple(chain.from_iterable(training_theorems(source, split) for source in sources))
    refuse_duplicates(rows)
    source = valid or sources[0]
    label = Path(source).name
    held_out = () if valid_split is None else _valid(source, valid_split, whole=valid is not None)
    _made(folder)
    others = [*held_out, *chain.from_iterable(load(name).rows for name in against)]
    named = " or ".join([*([label] if held_out else []), *against])
    return Theorems(without_overlap(rows, others, folder / OVERLAP, named, drop_overlap), held_out, label)


def _valid(source: str, split: str, whole: bool) -> tuple[Row, ...]:
    """That split of the source; `whole`: of one that knows no splits, all of it."""
    found = theorems_by_split(source)
    if split in found:
        return found[split]
    if whole and list(found) == [""]:
        return found[""]
    known = ", ".join(name for name in found if name)
    has = f"it has {known}; name one with --valid-split" if known else "it has no splits"
    raise UserInputError(f"{source} has no split `{split}` to evaluate on, {has}, or other theorems with --valid.")


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserInputError(f"{folder} cannot be written: {error.strerror or error}.") from None

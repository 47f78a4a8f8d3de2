"""Where a run's theorems come from: those that it learns from, those that it is evaluated on; they are not the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from prover.benchmarks.names import refuse_duplicates
from prover.benchmarks.row import Row
from prover.sources import UserInputError
from rl.data.harvest import HELD_OUT
from rl.data.overlap import without_overlap
from rl.data.theorems import theorems_by_split, training_theorems

OVERLAP = "overlap.jsonl"


@dataclass(frozen=True)
class Theorems:
    """`training` theorems, none of which is `held_out`, as the `valid` ones are; `label` names the source of those."""

    training: tuple[Row, ...]
    valid: tuple[Row, ...]
    label: str
    held_out: tuple[Row, ...]


def read_theorems(
    sources: Sequence[str],
    split: str,
    valid: str | None,
    valid_split: str | None,
    against: Sequence[str],
    drop_overlap: bool,
    folder: Path,
) -> Theorems:
    """Reads the sources, and holds them against all that is held out: see `held_out_theorems`.

    `valid` is the source of what is evaluated on, the first of `sources` if it is None; nothing is where `valid_split`
    is None. What overlaps is refused, or with `drop_overlap` left out of the training theorems; it is listed in
    `folder`, which is made. A theorem that two sources have is taken once.

    Raises:
        UserInputError: a source cannot be read, there is nothing to evaluate on, or theorems overlap.
    """
    first: dict[str, Row] = {}
    for row in chain.from_iterable(training_theorems(source, split) for source in sources):
        first.setdefault(row.hash, row)
    rows = tuple(first.values())
    refuse_duplicates(rows)
    source = valid or sources[0]
    label = Path(source).name
    evaluated = () if valid_split is None else _valid(source, valid_split, whole=valid is not None)
    _made(folder)
    others, names = held_out_theorems((*sources, source), against)
    held_out = (*evaluated, *others)
    named = " or ".join(dict.fromkeys([*([label] if evaluated else []), *names]))
    training = without_overlap(rows, held_out, folder / OVERLAP, named, drop_overlap)
    return Theorems(training, evaluated, label, held_out)


def held_out_theorems(sources: Iterable[str], against: Sequence[str]) -> tuple[tuple[Row, ...], list[str]]:
    """What nothing may be learned of, and the names of where that is: the held-out splits of the `sources` and of the
    benchmarks `against`, and all that is in one of these that has no such split.

    Raises:
        UserInputError: one cannot be read.
    """
    rows: list[Row] = []
    names: list[str] = []
    whole = set(against)
    for source in dict.fromkeys((*sources, *against)):
        by_split = theorems_by_split(source)
        splits = [split for split in HELD_OUT if split in by_split] or (list(by_split) if source in whole else [])
        rows += chain.from_iterable(by_split[split] for split in splits)
        names += [Path(source).name] if splits else []
    return tuple(rows), names


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

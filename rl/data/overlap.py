"""Training theorems that a benchmark, or a held-out split, has too: they are refused, or left out on request."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prover.benchmarks.row import Row
from prover.decontamination.criteria import Criterion, exact, normalised
from prover.decontamination.entry import benchmark_entry
from prover.outputs import check_writable, write_whole
from prover.sources import UserInputError

NAMED = 10  # theorems that the sentence names


@dataclass(frozen=True)
class Overlap:
    """A training theorem says what a held-out one says, by the stricter `criterion` of the two."""

    training: Row
    held_out: Row
    criterion: Criterion


def overlap(training: Sequence[Row], held_out: Sequence[Row]) -> tuple[Overlap, ...]:
    """The training theorems that are held out, in order, each with the first that it is the same as.

    Statements are compared letter by letter, and in the normal form of `prover.decontamination.notation`, in which
    layout, notation and names do not count. Time is linear in the length of both.
    """
    train, kept_out = ([benchmark_entry(row) for row in rows] for rows in (training, held_out))
    found = {**normalised(train, kept_out), **exact(train, kept_out)}
    return tuple(
        Overlap(training[place], held_out[match.benchmark], match.criterion) for place, match in sorted(found.items())
    )


def without_overlap(
    training: Sequence[Row], held_out: Sequence[Row], listed: Path, label: str, drop: bool = False
) -> tuple[Row, ...]:
    """The training theorems, none of which is held out. `label` names what is, such as `minif2f-core`.

    What overlaps is written to `listed`, a JSON object a line. With `drop` it is left out, else it is refused.

    Raises:
        UserInputError: theorems overlap, or the list cannot be written; or with `drop` no theorem is left.
    """
    found = overlap(training, held_out)
    if not found:
        return tuple(training)
    check_writable(listed)
    write_whole(listed, "".join(json.dumps(_as_json(each), ensure_ascii=False) + "\n" for each in found))
    if not drop:
        raise UserInputError(_sentence(found, label, listed))
    gone = {each.training for each in found}
    left = tuple(row for row in training if row not in gone)
    if not left:
        raise UserInputError(
            f"All {len(training)} training theorems are in {label} too: nothing is left to learn from."
        )
    return left


def _as_json(found: Overlap) -> dict[str, str]:
    return {
        "theorem": found.training.name,
        "row": found.training.label,
        "held_out": found.held_out.name,
        "held_out_row": found.held_out.label,
        "criterion": found.criterion,
        "statement": found.training.statement,
    }


def _sentence(found: Sequence[Overlap], label: str, listed: Path) -> str:
    names = ", ".join(f"{each.training.name} (as {each.held_out.name})" for each in found[:NAMED])
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    count = "1 training theorem is" if len(found) == 1 else f"{len(found)} training theorems are"
    return (
        f"{count} in {label} too: {names}{more}; {listed} lists all. Take such theorems out of the training set, or "
        "leave them out with --drop-overlap."
    )

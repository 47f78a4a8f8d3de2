"""The proofs that a run of GRPO has found, as lines of a file in its folder: every different one once."""

from collections.abc import Iterable
from pathlib import Path

from prover.benchmarks.row import Row
from prover.sources import UserInputError
from rl.rollouts.rollout import Group
from rl.runs.journal import Journal, read

FILE = "proofs.jsonl"
_FIELDS = ("theorem", "statement", "header", "split", "topic", "proof")


def append_proved(folder: Path, step: int, groups: Iterable[Group]) -> None:
    """Adds what the judge has accepted of a step's rollouts, as far as it is new.

    What the file has of this step and later ones is taken off first: then the run goes on from before them.

    Raises:
        UserInputError: it cannot be read or written.
    """
    accepted = (
        (Row(group.row.name, group.row.statement, group.row.header, group.row.split, group.row.topic), rollout.proof)
        for group in groups
        for rollout in group.rollouts
        if rollout.reward == 1 and rollout.proof is not None
    )
    journal = Journal(folder / FILE, step - 1)
    try:
        known = set(read_proved(folder))
        new = [(row, proof) for row, proof in dict.fromkeys(accepted) if (row, proof) not in known]
        values = [(row.name, row.statement, row.header, row.split, row.topic, proof) for row, proof in new]
        journal.add(step, [dict(zip(_FIELDS, each, strict=True)) for each in values])
        journal.sync()
    finally:
        journal.close()


def read_proved(folder: Path) -> list[tuple[Row, str]]:
    """The theorems and their proofs (the text after `:=`), in the order in which they were found.

    Raises:
        UserInputError: the folder has no such file, or a line of it is no proof.
    """
    found = []
    for number, line in enumerate(read(folder / FILE), 1):
        values = [line.get(name) for name in _FIELDS]
        if not all(isinstance(value, str) for value in values):
            raise UserInputError(f"{folder / FILE}, line {number}: no proof of a run; mend it or take it out.")
        *row, proof = map(str, values)
        found.append((Row(*row), proof))
    return found

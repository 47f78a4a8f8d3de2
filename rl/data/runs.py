"""What runs have proved: those of `prover bench`, those of expert iteration, which are made of such, and GRPO's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from prover.algorithms import SEARCHES, wanted_of
from prover.benchmarks.row import Row
from prover.runs.run import Run
from prover.runs.store import begun, read_run
from prover.sources import UserInputError
from rl.data.proved import FILE, read_proved
from rl.runs import read_config

# Where expert iteration searches for proofs; what it evaluates on is beside these, and is not learned from.
_STAGES = ("rounds/*/search", "rounds/*/negations")


@dataclass(frozen=True)
class Proof:
    """A proof that the judge has accepted, the text after `:=`.

    `whole`: its policy wrote whole proofs. `attempt` is the number of its row in the run, and its own, where a tree of
    the search may have been kept.
    """

    folder: Path
    row: Row
    text: str
    policy: str
    whole: bool
    attempt: tuple[int, int] | None = None


@dataclass(frozen=True)
class Source:
    """A run: the theorems that it has attempted (of GRPO's those that it has proved), and its proofs in order."""

    folder: Path
    rows: tuple[Row, ...]
    proofs: tuple[Proof, ...]


def read_sources(folders: Iterable[Path]) -> list[Source]:
    """The runs in these folders, each once; a run of expert iteration is all of its searches.

    Raises:
        UserInputError: a folder holds no run, or one that has proved nothing yet, or it cannot be read.
    """
    every = dict.fromkeys(found for folder in folders for found in _runs(folder))
    return [_learned(folder) if (folder / FILE).exists() else _searched(read_run(folder)) for folder in every]


def searches(folder: Path) -> list[Path]:
    """The searches of a run of expert iteration that have begun; any other folder as it is."""
    stages = [found for stage in _STAGES for found in sorted(folder.glob(stage)) if begun(found) is not None]
    return stages or [folder]


def wrote_whole_proofs(run: Run) -> bool:
    """Whether its policy did, and not single tactics."""
    plan = SEARCHES.get(run.settings["search"])
    return plan is not None and wanted_of(plan) != "tactic"


def _runs(folder: Path) -> Iterator[Path]:
    if (stages := searches(folder)) != [folder]:
        yield from stages
        return
    if not (folder / FILE).exists() and (config := read_config(folder)) is not None:
        raise UserInputError(f"{folder} is a run of {config['algorithm']} that has proved nothing.")
    yield folder


def _searched(run: Run) -> Source:
    whole = wrote_whole_proofs(run)
    proofs = (
        Proof(
            run.folder, run.rows[each.theorem], each.proof, run.settings["policy"], whole, (each.theorem, each.number)
        )
        for each in run.attempts
        if each.reward == 1 and each.proof
    )
    return Source(run.folder, run.rows, tuple(proofs))


def _learned(folder: Path) -> Source:
    found = read_proved(folder)
    proofs = tuple(Proof(folder, row, text, "grpo", whole=True) for row, text in found)
    return Source(folder, tuple(dict.fromkeys(row for row, _ in found)), proofs)

"""What expert iteration learns from, and the sample that every round is evaluated on."""

from dataclasses import dataclass, replace
from pathlib import Path

from prover.benchmarks.json_rows import to_json_lines
from prover.benchmarks.row import Benchmark, Row
from prover.outputs import write_whole
from rl.data.theorems import TRAIN
from rl.expert_iteration.config import ExpertIterationConfig
from rl.sources import read_theorems

LISTED = "theorems.jsonl"


@dataclass(frozen=True)
class Theorems:
    """`training` theorems, none of which is `held_out`, as all are that `valid` was drawn from."""

    training: tuple[Row, ...]
    valid: Benchmark
    held_out: tuple[Row, ...]


def theorems_of(config: ExpertIterationConfig) -> Theorems:
    """Reads them. Raises UserInputError as `rl.sources.read_theorems` does."""
    found = read_theorems(
        config.theorems, config.split, config.valid, config.valid_split, config.against, config.drop_overlap, config.out
    )
    valid = Benchmark(found.label, found.valid).drawn(config.valid_sample, config.seed)
    return Theorems(found.training, valid, found.held_out)


def write_training(theorems: Theorems, folder: Path) -> None:
    """Writes the training theorems into `folder`, all as of one split, as what learns their statements reads them."""
    write_whole(folder / LISTED, to_json_lines(replace(row, split=TRAIN) for row in theorems.training))

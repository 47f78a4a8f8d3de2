"""Which theorems are learned from: a split of any source that `prover bench` knows."""

import json
from pathlib import Path

import pytest

from prover.sources import UserInputError
from rl.data.theorems import theorems_by_split, training_theorems


def source(folder: Path, *splits: str) -> Path:
    """A file of theorems t0, t1, ... of these splits; those of the empty one say nothing of any."""
    rows = [
        {"name": f"t{i}", "statement": f"theorem t{i} : {i} = {i}", "header": "import Init"}
        | ({"split": s} if s else {})
        for i, s in enumerate(splits)
    ]
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def names(source: str | Path, split: str = "train") -> list[str]:
    return [row.name for row in training_theorems(source, split)]


def test_one_split_of_a_file(tmp_path: Path) -> None:
    file = source(tmp_path, "train", "test", "train", "valid")
    assert names(file) == ["t0", "t2"]
    assert names(file, "test") == ["t1"]
    assert {split: len(rows) for split, rows in theorems_by_split(str(file)).items()} == {
        "train": 2, "test": 1, "valid": 1,
    }  # fmt: skip
    with pytest.raises(UserInputError, match=r"rows.jsonl has no split `dev`; it has train, test, valid\."):
        names(file, "dev")


def test_a_source_without_splits_is_all_to_learn_from(tmp_path: Path) -> None:
    file = source(tmp_path, "", "")
    assert names(file) == ["t0", "t1"]
    with pytest.raises(UserInputError, match=r"has no split `valid`; it has no splits\."):
        names(file, "valid")
    # Where some rows are of a split, those of none are not taken for training theorems.
    with pytest.raises(UserInputError, match=r"has no split `train`; it has test\."):
        names(source(tmp_path, "", "test"))


def test_a_benchmark_by_name() -> None:
    assert len(names("minif2f-core", "valid")) == 123
    with pytest.raises(UserInputError, match="minif2f-core has no split `train`; it has valid"):
        names("minif2f-core")


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    file = source(tmp_path, "train")
    file.write_text(file.read_text() + '{"name": "broken"\n{"name": "empty"}\n')
    with pytest.raises(UserInputError) as caught:
        names(file)
    assert str(caught.value).startswith(f"{file}, line 2: not JSON")
    assert "and 1 more cannot be read; mend that, or take it out of" in str(caught.value)
    with pytest.raises(UserInputError, match="There is no file or folder"):
        names(tmp_path / "nothing.jsonl")

"""Where theorems come from: what is held out is never among what is learned from, wherever it stands."""

import json

import pytest

from prover.sources import UserInputError
from rl.sources import held_out_theorems, read_theorems


def source(path, **splits):
    """A file of theorems that say `n = n`, by split."""
    rows = [
        {"name": f"t{n}", "formal_statement": f"theorem t{n} : {n} = {n} := by sorry", "split": split.strip("_")}
        for split, numbers in splits.items()
        for n in numbers
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def read(folder, *sources, valid=None, valid_split="valid", against=(), drop=False):
    found = read_theorems(sources, "train", valid, valid_split, against, drop, folder / "out")
    return [row.name for row in found.training], [row.name for row in found.valid]


def test_every_held_out_split_of_every_source_is_held_against_the_training_theorems(tmp_path):
    one = source(tmp_path / "one.jsonl", train=[1, 2, 3], valid=[10], test=[11])
    # What the first has to be learned, the second keeps for its test.
    two = source(tmp_path / "two.jsonl", train=[4], test=[2])
    with pytest.raises(UserInputError, match=r"1 training theorem is in one\.jsonl or two\.jsonl too: t2 \(as t2\)"):
        read(tmp_path, one, two)
    assert read(tmp_path, one, two, drop=True) == (["t1", "t3", "t4"], ["t10"])
    # Another part of the source that is evaluated on.
    other = source(tmp_path / "other.jsonl", valid=[10], test=[3])
    with pytest.raises(UserInputError, match=r"t3 \(as t3\)"):
        read(tmp_path, one, valid=other)
    # Also where nothing is evaluated.
    with pytest.raises(UserInputError, match=r"t2 \(as t2\)"):
        read(tmp_path, one, two, valid_split=None)


def test_a_benchmark_with_splits_means_those_that_are_held_out(tmp_path):
    one = source(tmp_path / "one.jsonl", train=[1, 2, 3], valid=[10])
    against = source(tmp_path / "against.jsonl", train=[1], test=[2])
    assert read(tmp_path, one, against=[against], drop=True)[0] == ["t1", "t3"]
    without = source(tmp_path / "without.jsonl", _=[1])
    assert read(tmp_path, one, against=[without], drop=True)[0] == ["t2", "t3"]
    rows, names = held_out_theorems([one], [against, without])
    assert ([row.name for row in rows], names) == (["t10", "t2", "t1"], ["one.jsonl", "against.jsonl", "without.jsonl"])


def test_a_benchmark_that_cannot_be_read_whole_is_refused(tmp_path):
    one = source(tmp_path / "one.jsonl", train=[1], valid=[10])
    bad = tmp_path / "bad.jsonl"
    bad.write_text(json.dumps({"name": "x"}) + "\n" + (tmp_path / "one.jsonl").read_text())
    with pytest.raises(UserInputError, match=r"take it out of .*bad\.jsonl"):
        read(tmp_path, one, against=[str(bad)])


def test_a_theorem_of_two_sources_is_taken_once(tmp_path):
    one = source(tmp_path / "one.jsonl", train=[1, 2], valid=[10])
    two = source(tmp_path / "two.jsonl", train=[2, 3])
    assert read(tmp_path, one, two)[0] == ["t1", "t2", "t3"]
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps({"name": "t1", "formal_statement": "theorem t1 : 5 = 5 := by sorry"}) + "\n")
    with pytest.raises(UserInputError, match="both hold a theorem called t1; rename one"):
        read(tmp_path, one, str(other))

"""What is learned from is not what is held out: the same theorems are found, named, and refused or left out."""

import json
from pathlib import Path

import pytest

from prover.benchmarks.row import Row
from prover.sources import UserInputError
from rl.data.overlap import overlap, without_overlap

HELD_OUT = (
    Row("even", "theorem even (n : ℕ) (h : n % 2 = 0) : 2 ∣ n", label="b.jsonl:1"),
    Row("swap", "theorem swap {p q : Prop} (h : p ∧ q) : q ∧ p", label="b.jsonl:2"),
)
TRAIN = (
    Row("fine", "theorem fine (n : Nat) : n = n", label="t.jsonl:1"),
    Row("swap", "theorem swap {p q : Prop} (h : p ∧ q) : q ∧ p", "import Init", label="t.jsonl:2"),
    # Another name, layout, notation, names of variables, and brackets.
    Row("renamed", "theorem renamed {k : Nat}\n  (hk : (k % 2 = 0)) : 2 ∣ k", label="t.jsonl:3"),
    # Another theorem: 3 in the place of 2.
    Row("close", "theorem close (n : Nat) (h : n % 3 = 0) : 3 ∣ n", label="t.jsonl:4"),
)


def test_the_same_letter_by_letter_and_in_other_words() -> None:
    found = overlap(TRAIN, HELD_OUT)
    assert [(each.training.name, each.held_out.name, each.criterion) for each in found] == [
        ("swap", "swap", "exact"),
        ("renamed", "even", "normalised"),
    ]
    assert overlap(TRAIN, ()) == ()
    assert overlap((), HELD_OUT) == ()


def test_refused_with_the_list(tmp_path: Path) -> None:
    listed = tmp_path / "overlap.jsonl"
    with pytest.raises(UserInputError) as caught:
        without_overlap(TRAIN, HELD_OUT, listed, "b.jsonl")
    assert str(caught.value) == (
        f"2 training theorems are in b.jsonl too: swap (as swap), renamed (as even); {listed} lists all. "
        "Take such theorems out of the training set, or leave them out with --drop-overlap."
    )
    rows = [json.loads(line) for line in listed.read_text().splitlines()]
    assert rows[1] == {
        "theorem": "renamed", "row": "t.jsonl:3", "held_out": "even", "held_out_row": "b.jsonl:1",
        "criterion": "normalised", "statement": TRAIN[2].statement,
    }  # fmt: skip
    assert len(rows) == 2


def test_ten_are_named_and_all_are_listed(tmp_path: Path) -> None:
    many = [Row(f"t{i}", f"theorem t{i} : {i} = {i}") for i in range(13)]
    listed = tmp_path / "overlap.jsonl"
    with pytest.raises(UserInputError, match=r"^13 training theorems .* t9 \(as t9\) and 3 more; "):
        without_overlap(many, many, listed, "itself")
    assert len(listed.read_text().splitlines()) == 13
    with pytest.raises(UserInputError, match=r"^1 training theorem is in itself too: t0 \(as t0\); "):
        without_overlap(many[:1], many, listed, "itself")


def test_left_out_on_request(tmp_path: Path) -> None:
    listed = tmp_path / "overlap.jsonl"
    kept = without_overlap(TRAIN, HELD_OUT, listed, "b.jsonl", drop=True)
    assert [row.name for row in kept] == ["fine", "close"]
    assert len(listed.read_text().splitlines()) == 2
    with pytest.raises(UserInputError, match="All 2 training theorems are in "):
        without_overlap(TRAIN[1:3], HELD_OUT, listed, "b.jsonl", drop=True)


def test_without_any_nothing_is_written(tmp_path: Path) -> None:
    assert without_overlap(TRAIN[:1], HELD_OUT, tmp_path / "overlap.jsonl", "b.jsonl") == TRAIN[:1]
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_cannot_be_written_is_no_reason_to_learn(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="cannot be written"):
        without_overlap(TRAIN, HELD_OUT, tmp_path / "nowhere" / "overlap.jsonl", "b.jsonl", drop=True)

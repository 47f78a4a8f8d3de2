"""Each criterion on pairs made by hand, and all of them on two lineages of the same benchmark."""

from pathlib import Path

import pytest

from prover.benchmarks.catalogue import load
from prover.decontamination.criteria import (
    Match,
    compare,
    elaborated,
    exact,
    grams,
    informal,
    normalised,
    together,
    words,
)
from prover.decontamination.entry import Entry, benchmark_entry

MINIF2F = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "minif2f"


def entry(statement: str, proof: str = "", said: str = "") -> Entry:
    return Entry("t", "", statement, "", (statement, proof), said)


BENCH = [
    entry("theorem t (a b : ℕ) (h₀ : a * b = 12) (h₁ : a + b = 7) : a ^ 2 + b ^ 2 = 25"),
    entry("theorem s : 2 + 2 = 4"),
]


def test_exact():
    train = [entry(" theorem s : 2 + 2 = 4\n"), entry("theorem r : 2 + 2 = 4"), entry("")]
    assert exact(train, BENCH) == {0: Match("exact", 1)}
    assert exact([entry("")], [entry("")]) == {}


def test_normalised():
    renamed = "theorem r (x y : Nat) (h : x * y = 12) (k : x + y = 7) : (x ^ 2 + y ^ 2 = 25)"
    train = [entry(renamed), entry("lemma r : 2 + 3 = 5")]
    assert normalised(train, BENCH) == {0: Match("normalised", 0)}


def test_elaborated():
    assert elaborated(["x", None, "y"], [None, "y", "y"]) == {2: Match("elaborated", 1)}


def test_grams():
    # The tokens of the first: h₀ a * b = 12 h₁ a + b = 7 a ^ 2 + b ^ 2 = 25
    train = [
        entry("theorem r (u v : ℤ) (a b : ℤ) (h₀ : a * b = 12) (h₁ : a + b = 8) : a = 3"),
        entry("theorem r (a b : ℕ) (h₀ : a * b = 13) (h₁ : a + b = 7) : a ^ 2 - b ^ 2 = 7"),
        entry("theorem r : 1 = 1", "by\n  have : 2 + 2 = 4 := rfl\n  rfl"),
        entry("theorem r (x y : ℕ) (h₀ : x * y = 12) (h₁ : x + y = 7) : x ^ 2 + y ^ 2 = 25"),
    ]
    assert grams(train, BENCH, 10) == {
        0: Match("grams", 0, "h₀ a * b = 12 h₁ a + b"),
        2: Match("grams", 1, "2 + 2 = 4"),
    }
    # The second has nine: h₁ a + b = 7 a ^ 2. The last has other names, so no more than six: ^ 2 = 25 is the longest.
    assert grams(train, BENCH, 9)[1] == Match("grams", 0, "h₁ a + b = 7 a ^ 2")
    assert 3 not in grams(train, BENCH, 5)


def test_informal():
    bench = [Entry("t", "", informal="What is the sum of all positive integers $n$ such that $n^2 < 10$?")]
    train = [
        Entry("r", "", informal="Find, if any: the SUM of all\npositive integers n such that $n + 1$ is odd"),
        Entry("r", "", informal="The sum of all positive integers n that are odd"),
    ]
    assert words("$n^2 < 10$? Straße.") == ["n", "2", "10", "strasse"]
    # Nine words are one too few: the sum of all positive integers n such that n.
    assert informal(train, bench, 10) == {0: Match("informal", 0, "the sum of all positive integers n such that n")}
    assert informal(train[1:], bench, 10) == {}


def test_together_lists_each_criterion_once_in_order():
    found = compare(BENCH, BENCH, 10)
    assert [match.criterion for match in together(found)[0]] == ["exact", "normalised", "grams"]
    assert sorted(together(found)) == [0, 1]


@pytest.mark.skipif(not MINIF2F.is_dir(), reason="the shared data is not beside the project")
def test_two_lineages_of_minif2f_are_the_same_benchmark_and_its_two_splits_are_not():
    def entries(name: str, split: str | None = None) -> list[Entry]:
        return [benchmark_entry(row) for row in load(str(MINIF2F / f"{name}.jsonl"), split=split).rows]

    ours, theirs = entries("minif2f_lean4_yangky11"), entries("minif2f_deepseek_v15")
    found = compare(theirs, ours, 10)
    assert len(found["informal"]) == 488
    assert len(found["grams"]) >= 480
    assert len(found["normalised"]) >= 380 > len(found["exact"])
    valid, test = entries("minif2f_lean4_yangky11", "valid"), entries("minif2f_lean4_yangky11", "test")
    found = compare(valid, test, 10)
    assert found["exact"] == found["normalised"] == {}
    assert len(found["grams"]) <= 30  # 44 in a hundred, were brackets and declared variables counted

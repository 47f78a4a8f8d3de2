"""Topic, split and row of a corpus theorem, from names alone."""

import json

import pytest

from lean_env.library import Module
from prover.corpus.entry import Entry, row_of, split_of, topic_of, without_repeats


@pytest.mark.parametrize(
    ("module", "checksum", "split"),
    [
        ("Init.Data.Bool", "baab0ce45075243800fc23c9981fd3f5542608ba97f805f595c5661477fb05c2", "test"),
        ("Init.Data.Prod", "865251ff78636685868bc68a336a4f843f4a30dcc95cb58d0e6efd77846cd47d", "valid"),
        ("Init.Core", "a4f9aecbe0ab3949a7dbf4553008405de5e9eb14adbeeac642197e02abd0ce70", "train"),
        ("Init.Data.List.Lemmas", "4eee1b57a7561338edb4cea3ce7980886485ed03c993f06de703ae57a49c0301", "train"),
        ("Init.Data.Option.Basic", "b1a0db9721149ad62963a68dffbf4743f06d627a949bd955e3571bd7224db65b", "train"),
    ],
)
def test_the_split_is_the_checksum_modulo_ten(module: str, checksum: str, split: str) -> None:
    # The checksums are `printf NAME | sha256sum`. Powers of 16 from the first on end in 6, so a number in hexadecimal
    # ends in the last digit of 6 * (sum of its digits but the last) + (its last digit).
    digits = [int(digit, 16) for digit in checksum]
    last = (6 * sum(digits[:-1]) + digits[-1]) % 10
    assert split == {0: "test", 1: "valid"}.get(last, "train")
    assert split_of(module) == split


@pytest.mark.parametrize(
    ("module", "topic"),
    [
        ("Init.Data.List.Lemmas", "List"),
        ("Init.Data.Bool", "Bool"),
        ("Init.Core", "Core"),
        ("Init.Control.Lawful.Basic", "Control"),
        ("Init.Data", "Data"),
        ("Init", "Init"),
    ],
)
def test_the_topic_is_what_the_module_is_about(module: str, topic: str) -> None:
    assert topic_of(module) == topic


def test_a_row_says_where_its_theorem_stands() -> None:
    module = Module("Init.Data.Bool", ("Init.NotationExtra", "Init.Core"))
    line = row_of(Entry("Bool.t", "theorem Bool.t : true = true ∧ true", "7"), module)
    assert line.endswith("}\n")
    assert "∧" in line
    assert json.loads(line) == {
        "name": "Bool.t",
        "statement": "theorem Bool.t : true = true ∧ true",
        "header": "prelude\nimport Init.NotationExtra\nimport Init.Core",
        "module": "Init.Data.Bool",
        "imports": ["Init.NotationExtra", "Init.Core"],
        "topic": "Bool",
        "split": "test",
    }


def test_of_theorems_that_say_the_same_the_first_stays() -> None:
    early, late = Module("A", ()), Module("B", ("A",))
    a, b, again, c = Entry("a", "", "1"), Entry("b", "", "2"), Entry("a'", "", "1"), Entry("c", "", "3")
    assert without_repeats([(early, [a, b]), (late, [again, c])]) == [(early, a), (early, b), (late, c)]
    assert without_repeats([(early, [a, again])]) == [(early, a)]

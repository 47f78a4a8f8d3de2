"""Rows from JSON lines, and the sentences about lines that are none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.benchmarks.json_rows import from_json_lines, to_json_lines
from prover.benchmarks.names import numbered, refuse_duplicates
from prover.benchmarks.row import Row, lean_name
from prover.sources import UserInputError


def lines(*rows: object) -> str:
    return "\n".join(json.dumps(row) for row in rows)


def one(**row: object) -> Row:
    (found,), complaints = from_json_lines(lines(row), "f.jsonl")
    assert complaints == []
    return found


@pytest.mark.parametrize("end", ["", " :=", " := by", " := sorry", " := by sorry", ":=\n  by sorry\n"])
@pytest.mark.parametrize("key", ["statement", "formal_statement"])
def test_a_statement_with_or_without_an_end(key: str, end: str) -> None:
    assert one(name="t", **{key: "theorem t : 1 = 1" + end}).theorem.statement == "theorem t : 1 = 1"


def test_what_is_known_of_a_row() -> None:
    row = one(
        name="t", statement="theorem t : True", header="import Init\n\n", split="test", topic=["a", "b"], note=7,
        lineage="here", license="MIT", other={"x": 1},
    )  # fmt: skip
    assert row == Row("t", "theorem t : True", "import Init", "test", "a, b", "here", "MIT", "7", "f.jsonl:1")


def test_a_plain_and_an_intricate_statement_get_the_same_header() -> None:
    plain = one(statement="theorem t : True", header="open Nat\n\n")
    intricate = one(statement="theorem t : True -- comment", header="open Nat\n\n")
    assert plain.hash == intricate.hash
    assert one(statement="def f := 2\ntheorem t : f = 2", header="open Nat\n").header == "open Nat\ndef f := 2"


def test_a_lemma_and_an_example_become_theorems() -> None:
    assert one(statement="lemma t : True").statement == "theorem t : True"
    row = one(name="first", statement="example : True")
    assert (row.name, row.theorem.name, row.statement) == ("first:example_1", "example_1", "theorem example_1 : True")


def test_a_name_that_is_not_the_theorems() -> None:
    row = one(name="Rudin|exercise_1_2", statement="theorem exercise_1_2 : True")
    assert row.name == "Rudin|exercise_1_2:exercise_1_2"
    assert row.theorem.name == "exercise_1_2"
    assert one(name="Rudin:exercise_1_2", statement="theorem exercise_1_2 : True").name == "Rudin:exercise_1_2"


@pytest.mark.parametrize(
    ("name", "lean"),
    [("a", "a"), ("x/y:a.b'", "a.b'"), ("2:x:a", "a"), ("«a:b»", "«a:b»"), ("x:«a:b».c", "«a:b».c"), (":", ":")],
)
def test_the_name_in_lean(name: str, lean: str) -> None:
    assert lean_name(name) == lean


def test_of_several_theorems_the_named_one() -> None:
    row = one(name="b", statement="theorem a : True := trivial\ntheorem b : a = a := sorry")
    assert (row.statement, row.header) == ("theorem b : a = a", "theorem a : True := trivial")


def test_every_bad_line_is_told_and_the_others_are_read() -> None:
    text = "{\n" + lines(
        3, {"name": "a"}, {"name": "b", "statement": "theorem b : True := trivial"}, {"statement": "example : True"},
        {"name": 4, "statement": "theorem c : True"}, {"statement": "theorem d : True", "split": {"x": 1}},
        {"statement": "theorem e : True"},
    )  # fmt: skip
    rows, complaints = from_json_lines(text, "f")
    assert [row.name for row in rows] == ["e"]
    assert [said.split()[0].rstrip(":,") for said in complaints] == ["f", "f", "f:3", "f:4", "f:5", "f:6", "f:7"]
    assert all(said.endswith(".") and "\n" not in said for said in complaints)
    assert complaints[4] == "f:5: there is no `name`, and the statement has none either."


def test_no_usable_row() -> None:
    with pytest.raises(UserInputError, match=r"f has no row that can be used: f:1: there is no `name`.*\.$"):
        from_json_lines(lines({"statement": "example : True"}, {"statement": "example : 1 = 1"}), "f")


def test_rows_without_a_header_beside_rows_that_import() -> None:
    text = lines(
        {"statement": "theorem a : True", "header": "import Mathlib"},
        {"statement": "theorem b : True"},
        {"statement": "theorem c : True", "header": " "},
    )
    with pytest.raises(UserInputError, match=r"2 rows have no header \(the first is f:2\) while others import"):
        from_json_lines(text, "f")
    rows, _ = from_json_lines(text, "f", "import Init")
    assert [row.header for row in rows] == ["import Mathlib", "import Init", "import Init"]
    harmless, _ = from_json_lines(text.replace("import Mathlib", "open Nat"), "f")
    assert [row.header for row in harmless] == ["open Nat", "", ""]


WORDS = st.text('ab:. «»é\n"', max_size=6)


@given(st.lists(st.tuples(WORDS, WORDS, st.sampled_from(["test", ""])), min_size=1, max_size=5))
def test_written_rows_are_read_back(given_rows: list[tuple[str, str, str]]) -> None:
    rows = [
        Row(f"{i}:t{i}", f"theorem t{i} : {i} = {i}", "import Init", split, topic, note, "x", "y")
        for i, (topic, note, split) in enumerate(given_rows)
    ]
    found, complaints = from_json_lines(to_json_lines(rows), "f")
    assert complaints == []
    labelled = [Row(**{**vars(row), "label": f"f:{i}"}) for i, row in enumerate(rows, 1)]
    assert found == labelled


def test_duplicates_are_refused_with_both_places() -> None:
    a, b = Row("t", "theorem t : 1 = 1", label="f:1"), Row("t", "theorem t : 2 = 2", label="f:4")
    with pytest.raises(UserInputError, match=r"^f:1 and f:4 both hold a theorem called t; rename one\.$"):
        refuse_duplicates([a, Row("u", "theorem u : True", label="f:2"), b, a])
    with pytest.raises(UserInputError, match=r"^f:1 and f:1 both hold the same theorem, t; take one out\.$"):
        refuse_duplicates([a, a])


def test_numbered() -> None:
    rows = numbered([Row(name, f"theorem {name} : True") for name in "abaa"])
    assert [row.name for row in rows] == ["a", "b", "2:a", "3:a"]
    assert {row.theorem.name for row in rows} == {"a", "b"}

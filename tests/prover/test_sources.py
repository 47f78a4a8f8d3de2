"""From what a user gives to theorems, and what is said about what cannot be used."""

import json

import pytest

from lean_env import StatementError
from prover.sources import UserInputError, from_lean_file, from_rows, from_text, read_source


def complaint(call, *arguments):
    with pytest.raises(UserInputError) as caught:
        call(*arguments)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    return text


@pytest.mark.parametrize(
    ("given", "statement"),
    [
        ("theorem t (n : Nat) : n + 0 = n", "theorem t (n : Nat) : n + 0 = n"),
        ("theorem t (n : Nat) : n + 0 = n := by sorry", "theorem t (n : Nat) : n + 0 = n"),
        ("theorem t (n : Nat) : n + 0 = n := sorry", "theorem t (n : Nat) : n + 0 = n"),
        ("theorem t (n : Nat) : n + 0 = n := by\n  sorry\n", "theorem t (n : Nat) : n + 0 = n"),
        ("theorem t (n : Nat) : n + 0 = n :=", "theorem t (n : Nat) : n + 0 = n"),
        ("theorem t (n : Nat) : n + 0 = n := by", "theorem t (n : Nat) : n + 0 = n"),
        ("lemma t (n : Nat) : n + 0 = n", "theorem t (n : Nat) : n + 0 = n"),
        ("example (n : Nat) : n + 0 = n", "theorem example_1 (n : Nat) : n + 0 = n"),
    ],
)
def test_theorem_text_with_and_without_an_end(given, statement):
    (problem,) = read_source(given).problems
    assert problem.theorem.statement == statement
    assert problem.theorem.header == ""


def test_text_may_begin_with_a_header():
    (problem,) = read_source("import Init\nopen Nat\ndef f := 2\ntheorem t : f = 2").problems
    assert problem.theorem.header == "import Init\nopen Nat\ndef f := 2"
    assert problem.line == 4


def test_an_example_gets_a_name_that_nothing_has():
    first, second = from_text("theorem example_2 : True := trivial\nexample : 1 = 1\nexample : 2 = 2", "<text>")
    assert (first.name, second.name) == ("example_2'", "example_3")


def test_standard_input_and_files(tmp_path):
    (problem,) = read_source("-", b"theorem t : True").problems
    assert (problem.name, problem.source.label) == ("t", "<stdin>")
    path = tmp_path / "two.lean"
    path.write_text("theorem a : True := by sorry\r\ntheorem b : True := trivial\ntheorem c : a = a := sorry")
    assert [p.name for p in read_source(str(path)).problems] == ["a", "c"]
    assert [p.name for p in read_source(f"{path}:c").problems] == ["c"]
    assert read_source(str(path)).problems[1].theorem.header == "\ntheorem b : True := trivial"


def test_an_earlier_theorem_is_in_the_header_once_it_is_proved():
    text = "theorem a : True := sorry\ntheorem b : True := by sorry"
    _, second = from_lean_file(text, "x.lean")
    assert second.theorem.header == ""
    assert second.given({0: "by trivial"}).header == "theorem a : True := by trivial"
    assert second.given({1: "by trivial"}).header == ""


def test_names_in_files(tmp_path):
    path = tmp_path / "x.lean"
    path.write_text("theorem N.a : True := sorry\ntheorem b : True := trivial")
    assert read_source(f"{path}:a").problems[0].name == "N.a"
    assert "no theorem z; it has N.a, b." in complaint(read_source, f"{path}:z")
    assert "b has a proof already" in complaint(read_source, f"{path}:b")


def test_rows():
    rows = [
        {"name": "a", "formal_statement": "theorem a : 1 = 1 := by sorry", "split": "valid"},
        {"name": "b", "statement": "import X\ntheorem b : 2 = 2", "header": "open Nat\n"},
        {"name": "c", "formal_statement": "theorem x : 3 = 3\ntheorem c : 3 = 3\ntheorem y : 3 = 3"},
    ]
    read = from_rows("\n\n".join(map(json.dumps, rows)), "f.jsonl")
    assert [(p.name, p.theorem.header, p.source.label) for p in read.problems] == [
        ("a", "", "f.jsonl:1"),
        ("b", "open Nat\nimport X", "f.jsonl:3"),
        ("c", "", "f.jsonl:5"),
    ]
    assert read.complaints == ()
    assert read.problems[1].source.completed({0: "rfl"}) == "open Nat\n\nimport X\ntheorem b : 2 = 2 := rfl"


def test_a_bad_row_does_not_spoil_the_others():
    lines = ['{"name": "a", "statement": "theorem a : True"}', "{oops", "[1]", '{"name": "b"}',
             '{"name": 3, "statement": "theorem b : True"}', '{"statement": "theorem c : True"}']  # fmt: skip
    read = from_rows("\n".join(lines), "f.jsonl")
    assert [p.name for p in read.problems] == ["a", "c"]
    assert [text.split(":")[0] for text in read.complaints] == [
        "f.jsonl, line 2",
        "f.jsonl, line 3",
        "f.jsonl",
        "f.jsonl",
    ]
    assert "line 2: not JSON" in read.complaints[0]
    assert "not a JSON object but a list" in read.complaints[1]
    assert "f.jsonl:4: no text under `formal_statement`" in read.complaints[2]


def test_what_cannot_be_read(tmp_path):
    assert complaint(read_source, str(tmp_path / "none.lean")) == f"There is no file {tmp_path / 'none.lean'}."
    latin = tmp_path / "latin.lean"
    latin.write_bytes("theorem t : é".encode("latin-1"))
    assert "is not UTF-8 text (byte 12)" in complaint(read_source, str(latin))
    empty = tmp_path / "empty.lean"
    empty.write_text(" \n\n")
    assert "is empty" in complaint(read_source, str(empty))
    assert "is empty" in complaint(read_source, "-", b"")
    assert "is empty" in complaint(read_source, "  ")
    folder = tmp_path / "d.lean"
    folder.mkdir()
    assert "is a folder" in complaint(read_source, str(folder))
    done = tmp_path / "done.lean"
    done.write_text("-- sorry\ntheorem t : True := trivial")
    assert "no theorem with `sorry`" in complaint(read_source, str(done))
    assert "neither a file nor a theorem" in complaint(read_source, "n + 0 = n for all n")
    assert "already has a proof" in complaint(read_source, "theorem t : True := trivial")
    assert "There is no file thoerem.txt" in complaint(read_source, "thoerem.txt")


def test_messages_are_placed_in_the_users_text():
    (problem,) = from_text("open Nat\n\n@[simp] lemma t (n : Nat) :\n   n + m = n", "<text>")
    offset = problem.theorem.statement.index("m = n") - problem.theorem.statement.index("\n") - 1
    assert problem.explain(StatementError("unknown m", 2, offset)) == "<text>:4:7: unknown m"
    first = problem.theorem.statement.index("Nat")
    assert problem.explain(StatementError("no Nat", 1, first)) == "<text>:3:21: no Nat"
    assert problem.explain(StatementError("no such", 1, 5, in_header=True)) == "<text>:1:5: no such"

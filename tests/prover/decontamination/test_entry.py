"""How the rows of a training set are read, and given back untouched."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.decontamination.entry import entry_of, kept_bytes, training_lines
from prover.sources import UserInputError


def test_a_statement_with_its_proof():
    row = {"name": "t", "formal_statement": "theorem t (n : Nat) : n = n := by\n  rfl", "header": "import Lean\n"}
    entry = entry_of(row, "f:1")
    assert (entry.name, entry.statement, entry.header) == ("t", "theorem t (n : Nat) : n = n", "import Lean")
    assert entry.formal == ("theorem t (n : Nat) : n = n", "by\n  rfl")


def test_lemmas_before_the_theorem_are_its_header_and_count_as_text():
    text = "import Lean\nlemma a : 1 = 1 := rfl\nlemma b : 2 = 2 := by sorry\n@[simp] theorem t : 3 = 3 := by simp"
    entry = entry_of({"statement": text, "proof": "rfl"}, "f:1")
    assert entry.statement == "theorem t : 3 = 3"
    # What is open is no part of a header, for nothing holds it up; blank lines stand in its place.
    assert entry.header == "import Lean\ntheorem a : 1 = 1 := rfl"
    assert entry.formal == (
        "theorem a : 1 = 1", "rfl", "theorem b : 2 = 2", "by sorry", "theorem t : 3 = 3", "by simp", "rfl",
    )  # fmt: skip


def test_the_theorem_is_the_one_that_is_named():
    text = "theorem a : 1 = 1 := rfl\ntheorem b : 2 = 2 := rfl"
    assert entry_of({"statement": text, "name": "a"}, "").statement == "theorem a : 1 = 1"
    assert entry_of({"statement": text, "name": "elsewhere"}, "").statement == "theorem b : 2 = 2"


def test_text_that_is_no_theorem_is_kept_as_text():
    entry = entry_of({"statement": "def f := 3", "name": "f"}, "")
    assert (entry.name, entry.statement, entry.formal) == ("f", "def f := 3", ("def f := 3",))


def test_informal_text_alone_is_enough():
    entry = entry_of({"informal_prefix": "/-- Two and two is four. -/", "statement": None}, "")
    assert (entry.statement, entry.formal, entry.informal) == ("", (), "/-- Two and two is four. -/")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"statement": "theorem a : 1 = 1"}\n{oops\n', "f, line 2: not JSON"),
        (b"[1]\n", "f, line 1: not a JSON object but a list."),
        (b'{"name": "a"}\n', "f:1: no text under `formal_statement`, `statement` or `informal_statement`."),
        (b'{"statement": 7}\n', "f:1: `statement` has to be text, not 7."),
        (b'\n{"statement": "theorem a : 1 = 1", "header": ["x"]}\n', 'f:2: `header` has to be text, not ["x"].'),
        (b'{"statement": "\xff"}\n', "f, line 1: not UTF-8 text (byte 15); save the file as UTF-8."),
        (b"\n \n", "f is empty; it should hold a theorem in each line."),
    ],
)
def test_bad_rows_get_one_sentence(data, says):
    with pytest.raises(UserInputError) as caught:
        training_lines(data, "f")
    assert str(caught.value).startswith(says)


ROW = json.dumps({"statement": "theorem a : 1 = 1", "other": [1, 2.50]}).encode()
ODD = [ROW, b"  " + ROW + b" \r", b"\xef\xbb\xbf" + ROW, ROW.replace(b'"other"', b'"\xe2\x80\xa8"'), b"", b" \t\r"]


@given(st.lists(st.sampled_from(ODD), max_size=8), st.booleans(), st.sets(st.integers(0, 7)))
def test_what_is_kept_is_kept_byte_for_byte(lines, ended, removed):
    data = b"\n".join([ROW, *lines]) + (b"\n" if ended else b"")
    read = training_lines(data, "f")
    assert kept_bytes(read, frozenset()) == data
    # Without the rows by hand: blank lines have no number.
    kept, place = [], 0
    for line in data.splitlines(keepends=True) if b"\r" not in data else [p + b"\n" for p in data.split(b"\n")]:
        blank = not line.strip()
        if blank or place not in removed:
            kept.append(line)
        place += not blank
    assert kept_bytes(read, frozenset(removed)).rstrip(b"\n") == b"".join(kept).rstrip(b"\n")

"""The quick reader of plain theorems says what the lexer says, or nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.benchmarks.plain import plain_theorem
from prover.lean_file import _COMMANDS
from prover.sources import UserInputError, from_text

ENDS = ["", " :=", ":=", " := by", ":=by", " := by sorry", " := sorry", ":=sorry", " :=\n  by\n  sorry", " := by simp"]
PIECES = [
    "theorem", "theorem t", "theorem a.b'", "theorem «a b»", "lemma l", "example", "t", "t'", "f'", "(", ")", "[", "]",
    "{", "}", "⦃", "⦄", "⟨", "⟩", "⌊", "⌋", ":", "::", ":=", "=", "x", "x' y'", "n + 0 = n", "∀ x, ", "fun x =>",
    "h₀ : 0 < n",
    "let y := 2; y", "have", "'a'", "'('", '"s"', '"', "--", "-- c\n", "/- c -/", "/-- d -/", "«", "»", "@", "@[simp]",
    "#eval", "sorry", "admit", "by", "\n", "\n  ", " ", "open Nat in ", "end", "end.x", "import Init\n", "private ",
    ".", "|",
    "<|", "5", "0x1F", "r#\"", "s!\"{x}\"", "in", "instance", "at", "∑", "^", "!", "ℕ", "xₙ", "é", "λ", "\t", "\r",
    "\x0b",
    *(f"\n{word} " for word in sorted(_COMMANDS)),
]  # fmt: skip


def slowly(text: str) -> tuple[str, str, str] | None:
    """Name, statement and header of the only theorem in it; None if it is not one open theorem."""
    try:
        problems = from_text(text, "")
    except UserInputError:
        return None
    if len(problems) != 1 or len(problems[0].source.declarations) != 1:
        return None
    theorem = problems[0].theorem
    return theorem.name, theorem.statement, theorem.header


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12), st.sampled_from(ENDS), st.booleans())
def test_it_agrees_with_the_lexer(pieces: list[str], end: str, begins: bool) -> None:
    text = ("theorem t " if begins else "") + " ".join(pieces) + end
    found = plain_theorem(text)
    assert found is None or (*found, "") == slowly(text)


@settings(max_examples=400, deadline=None)
@given(st.text("theorm:=by s(){}[]'\"/-\n«»@#.x1ℕ", max_size=40), st.sampled_from(ENDS))
def test_it_agrees_on_letters_in_any_order(text: str, end: str) -> None:
    text = "theorem t " + text + end
    found = plain_theorem(text)
    assert found is None or (*found, "") == slowly(text)


@pytest.mark.parametrize("end", ENDS[:-1])
def test_it_reads_what_is_plain(end: str) -> None:
    statement = "theorem a.t' (n : ℕ) (h₀ : 0 < n) :\n  n + 0 = n ∧ ∀ x ∈ [1, 2], x ≠ f' n"
    assert plain_theorem(f"  {statement}{end}\n") == ("a.t'", statement)


@pytest.mark.parametrize(
    "text",
    [
        "theorem t : True := by trivial",
        "theorem t : let x := 2; x = 2 := by sorry",
        "theorem t : (x = 2",
        "theorem t : True := by sorry\ntheorem u : True := by sorry",
        "theorem t : True -- why\n := by sorry",
        "import Mathlib\ntheorem t : True",
        "theorem t : '\"' = '\"'",
    ],
)
def test_it_says_nothing_of_what_is_not(text: str) -> None:
    assert plain_theorem(text) is None

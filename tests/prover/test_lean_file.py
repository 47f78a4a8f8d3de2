"""Finding theorems in a Lean text, and putting proofs into it."""

import pytest

from prover.lean_file import declarations, header_before, statement_pieces, user_offset, with_proofs

FILE = """\
/- theorem no : False := sorry /- nested -/ -/
import Init
open Nat
namespace Foo
  /-- what a says -/
  @[simp] private theorem a (n : Nat) (h : n = 0 := by rfl) : let x := 1; x = 1 := by
    set_option maxRecDepth 1000 in
    open Nat in
    sorry -- to do
  -- about b
  lemma b («x y» : Nat) : «x y» + 0 = «x y» := by simp
  example : "theorem :=" = "theorem :=" := sorry
end Foo
def f : Nat := 3
open List in
set_option maxRecDepth 100 in
/-- about c -/
protected theorem Foo.c' : f = 3 ∧ 'a' = 'a' := by
  have : True := by sorry
  exact ⟨rfl, rfl⟩
theorem d : 1 = 1 := by"""


def statement(text, declaration, name=None):
    return "".join(piece.text for piece in statement_pieces(text, declaration, name or declaration.name))


def test_what_there_is():
    found = declarations(FILE)
    assert [(d.kind, d.name, d.is_open) for d in found] == [
        ("theorem", "a", True),
        ("lemma", "b", False),
        ("example", "", True),
        ("theorem", "Foo.c'", True),
        ("theorem", "d", True),
    ]
    assert [FILE[d.proof_start : d.end] for d in found] == [
        "by\n    set_option maxRecDepth 1000 in\n    open Nat in\n    sorry",
        "by simp",
        "sorry",
        "by\n  have : True := by sorry\n  exact ⟨rfl, rfl⟩",
        "by",
    ]


def test_statements_are_core_lean():
    found = declarations(FILE)
    assert statement(FILE, found[0]) == "theorem a (n : Nat) (h : n = 0 := by rfl) : let x := 1; x = 1"
    assert statement(FILE, found[1]) == "theorem b («x y» : Nat) : «x y» + 0 = «x y»"
    assert statement(FILE, found[2], "ex") == 'theorem ex : "theorem :=" = "theorem :="'
    assert statement(FILE, found[3]) == (
        "open List in\nset_option maxRecDepth 100 in\n\ntheorem Foo.c' : f = 3 ∧ 'a' = 'a'"
    )


@pytest.mark.parametrize(
    ("index", "word"), [(0, "n = 0"), (1, "«x y» + 0"), (2, '"theorem :="'), (3, "f = 3"), (4, "1")]
)
def test_a_place_in_the_statement_is_found_in_the_file(index, word):
    declaration = declarations(FILE)[index]
    pieces = statement_pieces(FILE, declaration, declaration.name or "ex")
    offset = "".join(piece.text for piece in pieces).index(word)
    at = user_offset(pieces, offset)
    assert FILE[at : at + len(word)] == word
    assert declaration.start <= at < declaration.end


def test_the_header_leaves_out_what_is_open_and_keeps_its_lines():
    found = declarations(FILE)
    header = header_before(FILE, found, 3, {})
    assert "theorem a" not in header
    assert "what a says" not in header
    assert "example" not in header
    assert "theorem b («x y» : Nat)" in header  # `lemma` is not core Lean
    lines = header.split("\n")
    assert lines[FILE.split("\n").index("def f : Nat := 3")] == "def f : Nat := 3"
    assert not header.endswith(("in", "-/"))


def test_the_header_of_a_theorem_takes_in_what_was_proved():
    found = declarations(FILE)
    header = header_before(FILE, found, 1, {0: "by rfl", 3: "by never"})
    assert header.endswith(
        "/-- what a says -/\n  @[simp] private theorem a (n : Nat) (h : n = 0 := by rfl) : let x := 1; x = 1 := by rfl"
        " -- to do\n  -- about b"
    )


def test_proofs_are_put_in_and_the_rest_stays():
    text = with_proofs(FILE, declarations(FILE), {0: "by\n  intro x\n  rfl", 4: "by\n  rfl"})
    expected = FILE.replace("lemma b", "theorem b").replace(
        "by\n    set_option maxRecDepth 1000 in\n    open Nat in\n    sorry", "by\n    intro x\n    rfl"
    )
    assert text == expected + "\n  rfl"


def test_a_proof_that_was_only_begun_still_gives_a_file_that_compiles():
    assert with_proofs("theorem d : 1 = 1 := by", declarations("theorem d : 1 = 1 := by"), {}) == (
        "theorem d : 1 = 1 := by sorry"
    )
    assert with_proofs("theorem d : 1 = 1", declarations("theorem d : 1 = 1"), {}) == "theorem d : 1 = 1 := by sorry"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("theorem a : True := sorry theorem b : True := sorry", ["a", "b"]),
        ("theorem a : True := by\n  open Nat in trivial\nend X", ["a"]),
        ("  theorem a : True := by\n    trivial\n  open Nat\n  theorem b : True", ["a", "b"]),
        ("-- theorem a : True\n", []),
        ("def theorem' := 1", []),
        ("attribute [simp] foo\ntheorem a : x = lemma := rfl", ["a"]),
        ("variable (n : Nat) in\ntheorem a : n = n := rfl", ["a"]),
        ("@[simp, grind =]\nnonrec theorem a : True := trivial", ["a"]),
        ("#check a\n#print theorem_b\ntheorem c : True", ["c"]),
    ],
)
def test_names(text, names):
    assert [declaration.name for declaration in declarations(text)] == names


def test_the_end_of_a_statement():
    for text, end in [
        ("theorem a (h : ∃ x, x = (let y := 1; y)) : True := trivial", "True"),
        ("theorem a : have x := 1; let y := 2; x < y := by decide", "x < y"),
        ('theorem a : s!"{1} := {2}" = "" := by sorry', '= ""'),
        ("theorem a {p : Prop := True} : ({x := 1} : S) = ⟨1⟩ /- := -/ := sorry", "⟨1⟩"),
    ]:
        (found,) = declarations(text)
        assert text[: found.statement_end].endswith(end), text

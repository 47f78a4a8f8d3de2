"""Lean text in one notation, the normal form of statements, and the tokens that count for runs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.decontamination.notation import gram_words, normal_form, notation_tokens, signature_tokens
from prover.lean_text import code_tokens

PAIRS = [
    ("theorem t (n : ℕ) : n ≤ n", "theorem other (n : Nat) : n <= n"),
    ("theorem t (p q : Prop) : p → q ↔ q", "theorem t (p q : Prop) : p -> q <-> q"),
    ("theorem t (p q : Prop) : p ∧ q ∨ p", "theorem t (p q : Prop) : p /\\ q \\/ p"),
    ("theorem t : ∀ x : ℤ, ∃ y, x ≥ y", "theorem t : forall x : Int, exists y, x >= y"),
    ("theorem t : (fun x => x) 1 = 1", "theorem t : (λ x, x) 1 = 1"),
    ("theorem t : (fun x : ℕ => x) 1 = 1", "theorem t : (λ (y : ℕ) ↦ y) 1 = 1"),
    ("theorem t (n : ℕ) : n = n", "lemma   t\n  (n : ℕ) -- a comment\n  : /- and /- another -/ -/ n = n"),
    ("theorem t (a b : ℕ) (h : a = b) : b = a", "theorem t (x y : ℕ) (hxy : x = y) : y = x"),
    ("theorem t (a b : ℕ) (h : a = b) : b = a", "theorem t {a : ℕ} ⦃b : ℕ⦄ (h : a = b) : b = a"),
    ("theorem t (a : ℕ) (h : a = 1) : a = a", "theorem t (a : ℕ) (h : (a = 1)) : ((a) = a)"),
    ("theorem t (p q r : Prop) : p → q → r", "theorem t (p q r : Prop) : p → (q → r)"),
    ("theorem t (a : ℕ) : a = 1 → a > 0", "theorem t (a : ℕ) : (a = 1) → (a > 0)"),
    ("theorem t (p : ℕ → Prop) : ∀ x y, p x", "theorem t (p : ℕ → Prop) : (∀ a b, p a)"),
    ("theorem t : ∀ x y : ℕ, x = y", "theorem t : ∀ (x : ℕ) (y : ℕ), x = y"),
    ("theorem t (s : S) : ∑ k ∈ s, k = 1", "theorem t (s : S) : ∑ j in s, j = 1"),
    ("theorem t (s : S) : {x | x > 1} = s", "theorem t (s : S) : {y | y > 1} = s"),
    ("theorem t.{u} (α : Type u) : α = α", "theorem t.{v} (β : Type v) : β = β"),
    ("theorem t (h : ∃ x, x = 1 ∧ h.1 = 2) : h.2", "theorem t (k : ∃ x, x = 1 ∧ k.1 = 2) : k.2"),
    ("example : 1 = 1", "theorem t : 1 = 1"),
    ("theorem t : (∃ f : ℕ → ℕ, ∀ x, f x = x)", "theorem t : ∃ g : ℕ → ℕ, (∀ y, g y = y)"),
]  # fmt: skip

DIFFERENT = [
    ("theorem t (a b : ℕ) : (a + b) * b = 1", "theorem t (a b : ℕ) : a + b * b = 1"),
    ("theorem t (n : ℕ) : n = n", "theorem t (n : ℤ) : n = n"),
    ("theorem t (a b : ℕ) : a - b = 0", "theorem t (a b : ℕ) : b - a = 0"),
    ("theorem t (a : ℕ) (h : a = 1) (k : a = 2) : a = 3", "theorem t (a : ℕ) (h : a = 2) (k : a = 1) : a = 3"),
    ("theorem t (p q r : Prop) : (p → q) → r", "theorem t (p q r : Prop) : p → q → r"),
    ("theorem t (p q r : Prop) : p → (q ↔ r)", "theorem t (p q r : Prop) : p → q ↔ r"),
    ("theorem t (p q : Prop) : (∀ x : ℕ, p) → q", "theorem t (p q : Prop) : ∀ x : ℕ, p → q"),
    ("theorem t (a b : ℕ) : f (a, b) = 1", "theorem t (a b : ℕ) : f ((a, b), b) = 1"),
    ("theorem t : f ((1, 2), 3) = 1", "theorem t : f (1, 2, 3) = 1"),
    ("theorem t : (Real.pi : ℝ) > 3", "theorem t : (Real.exp : ℝ) > 3"),
    ("theorem t : (2 : ℝ) = 2", "theorem t : 2 = 2"),
    ("theorem t (f : ℕ → ℕ) : f (-1) = 2", "theorem t (f : ℕ → ℕ) : f -1 = 2"),
    ("theorem t : ∃ x y : ℕ, x < y", "theorem t : ∃ x y : ℕ, x < x"),
    ('theorem t : "(a)" = "a"', 'theorem t : "a" = "a"'),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_ways_to_write_it_have_one_normal_form(one, other):
    assert normal_form(one) == normal_form(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_says_something_else_has_another_normal_form(one, other):
    assert normal_form(one) != normal_form(other)


def test_the_normal_form_by_hand():
    statement = "theorem foo.{u} {α : Type u} (a b : ℕ) (h : (a <= b)) : ∃ c d : ℕ, (a + c) = b"
    assert normal_form(statement) == (
        "( #0 : Type #1 ) ( #2 : Nat ) ( #3 : Nat ) ( #4 : #2 ≤ #3 ) : "
        "∃ ( #5 : Nat ) ( #6 : Nat ) , ( #2 + #5 ) = #3"
    )  # fmt: skip


def test_only_the_signature_counts():
    assert signature_tokens("open Nat in\ntheorem a.b' (n : ℕ) : n = n") == [
        "(", "n", ":", "Nat", ")", ":", "n", "=", "n",
    ]  # fmt: skip
    assert signature_tokens("example : 1 = 1") == [":", "1", "=", "1"]


def test_declared_variables_and_punctuation_do_not_count_for_runs():
    statement = "theorem t (a b : ℝ) (f : ℝ → ℝ) [Fact p] (h : 0 < a) : ∃ x : ℝ, f (a, x) = {b}"
    assert gram_words(statement) == ["Fact", "p", "h", "0", "<", "a", "∃", "f", "a", "x", "=", "b"]


@given(st.permutations(["a", "b", "c", "h", "k"]), st.permutations(["u", "v", "w", "h", "x₁"]))
def test_injective_renaming_is_not_seen(old, new):
    def statement(names):
        a, b, c, h, k = names
        return (
            f"theorem t ({a} {b} : ℕ) ({h} : ∀ {c}, {c} < {a} → {c} ≤ {b}) "
            f"({k} : ∃ {c} > 0, {a} = {c}) : {a} ≤ {b} + 1 ∧ {k} = {k}"
        )

    assert normal_form(statement(old)) == normal_form(statement(new))


LEANISH = st.lists(
    st.sampled_from([
        "theorem", "t", "(", ")", "{", "}", "⟨", "⟩", "a", "b", "x", ":", ",", "→", "∀", "∃", "fun", "=>", "=", "+",
        "ℕ", "λ", "in", "∑", "∈", "1", "let", ":=", "->", "<=", "|", "[", "]", "h.1", "Type", "u", ".{", "-- c\n",
        '"s"',
    ]),
    max_size=40,
)  # fmt: skip


@given(LEANISH)
def test_any_text_has_a_normal_form_and_runs(pieces):
    text = " ".join(pieces)
    assert normal_form(text) == normal_form("\n" + " /- no -/\n\t".join(pieces))
    assert set(gram_words(text)) <= {*notation_tokens(text)}


@given(LEANISH)
def test_nothing_is_lost_but_notation(pieces):
    text = " ".join(piece for piece in pieces if piece not in ("->", "<=", "λ", "in", "fun", "∑", "ℕ"))
    assert notation_tokens(text) == [token.text for token in code_tokens(text)]

"""Fingerprints of elaborated statements, by real Lean: what they do not see, and what they have to."""

import pytest

from lean_env import LeanPool, Theorem
from prover.decontamination.elaborated import forms, renamed

# Pairs of (header, statement); an empty header is `import Init`.
SAME = {
    "names": (
        ("", "theorem t (a b : Nat) (h : a ≤ b) : ∃ c, a + c = b"),
        ("", "theorem other (x y : Nat) (hxy : x ≤ y) : ∃ d, x + d = y"),
    ),
    "brackets": (
        ("", "theorem t (α : Type) [inst : Inhabited α] (x : α) : x = x"),
        ("", "theorem t {β : Type} [Inhabited β] ⦃y : β⦄ : y = y"),
    ),
    "binders before the colon or after it": (
        ("", "theorem t (n : Nat) (h : n > 0) : n ≠ 0"),
        ("", "theorem t : ∀ m : Nat, m > 0 → m ≠ 0"),
    ),
    "notation": (
        ("", "theorem t (p q : Prop) : p ∧ q → ¬ (p → ¬ q)"),
        ("", "theorem t (p q : Prop) : And p q -> Not (p -> Not q)"),
    ),
    "parentheses, comments": (
        ("", "theorem t (a b c : Nat) : a + b + c = c + (a + b)"),
        ("", "theorem t (a b c : Nat) : -- here\n  ((a + b) + c) = c + (a + b) /- there -/"),
    ),
    "universes": (
        ("", "theorem t.{u, v} {α : Type u} {β : Type v} (f : α → β) : f = f"),
        ("", "theorem t.{v, w} {α : Type w} {β : Type v} (f : α → β) : f = f"),
    ),
    "maxima of universes": (
        ("", "theorem t.{u, v} (α : Type u) (β : Type v) (γ : Type (max u v)) : γ = γ"),
        ("", "theorem t.{u, v} (α : Type u) (β : Type v) (γ : Type (max v u)) : γ = γ"),
    ),
    "imports": (
        ("", "theorem t (xs : List Nat) : xs.length = 0 ↔ xs = []"),
        ("import Init\nimport Std", "theorem t (xs : List Nat) : xs.length = 0 ↔ xs = []"),
    ),
    "open namespaces": (
        ("import Init\nopen Nat", "theorem t (n : Nat) : n < succ n"),
        ("", "theorem t (n : Nat) : n < Nat.succ n"),
    ),
    "variables of the header": (
        ("import Init\nvariable (a b : Nat)", "theorem t (h : a = b) : b = a"),
        ("", "theorem t (a b : Nat) (h : a = b) : b = a"),
    ),
    "names of the header's own definitions": (
        ("import Init\ndef double (n : Nat) := 2 * n", "theorem t : double 2 = 4"),
        ("import Init\nnamespace A\ndef twice (k : Nat) := 2 * k\nend A", "theorem t : A.twice 2 = 4"),
    ),
    "recursive ones, too": (
        ("import Init\ndef f : Nat → Nat\n| 0 => 1\n| n + 1 => 2 * f n", "theorem t : f 2 = 4"),
        ("import Init\ndef g : Nat → Nat\n| 0 => 1\n| k + 1 => 2 * g k", "theorem t : g 2 = 4"),
    ),
    "matches in the statement": (
        ("", "theorem t (n : Nat) : (match n with | 0 => 1 | k + 1 => k) = n"),
        ("import Init\nopen Nat", "theorem s (m : Nat) : (match m with | 0 => 1 | j + 1 => j) = m"),
    ),
    "default values": (
        ("", "theorem t (a : Nat) (h : a = 1 := by rfl) (b : Nat := 3) : a = b"),
        ("", "theorem t (a : Nat) (h : a = 1) (b : Nat) : a = b"),
    ),
    "proofs in the statement, which Lean sets apart under the theorem's name": (
        ("", "theorem t (xs : List Nat) (i : Fin xs.length) (h : i.val + 1 < xs.length) : xs[i] = xs[i.val + 1]"),
        (
            "import Init\ntheorem before (xs : List Nat) (h : 1 < xs.length) : xs[0] = xs[1] := sorry",
            "theorem s (ys : List Nat) (j : Fin ys.length) (k : j.val + 1 < ys.length) : ys[j] = ys[j.val + 1]",
        ),
    ),
    "a theorem of the library": (
        ("", "theorem Nat.add_comm (n m : Nat) : n + m = m + n"),
        ("", "theorem mine (a b : Nat) : a + b = b + a"),
    ),
}

DIFFERENT = {
    "the order of hypotheses": (
        ("", "theorem t (a : Nat) (h : a < 2) (k : 0 < a) : a = 1"),
        ("", "theorem t (a : Nat) (k : 0 < a) (h : a < 2) : a = 1"),
    ),
    "which variable is meant": (
        ("", "theorem t (a b : Nat) : a - b = 0"),
        ("", "theorem t (a b : Nat) : b - a = 0"),
    ),
    "the type of numbers": (
        ("", "theorem t (a b : Nat) : a - b + b = a"),
        ("", "theorem t (a b : Int) : a - b + b = a"),
    ),
    "the type that is left to Lean": (("", "theorem t : 2 - 3 = 0"), ("", "theorem t : (2 : Int) - 3 = 0")),
    "numbers": (("", "theorem t (a : Nat) : a < 3"), ("", "theorem t (a : Nat) : a < 4")),
    "one universe or two": (
        ("", "theorem t.{u, v} (α : Type u) (β : Type v) : α = α"),
        ("", "theorem t.{u} (α : Type u) (β : Type u) : α = α"),
    ),
    "what a definition of the header means": (
        ("import Init\ndef f (n : Nat) := n + 1", "theorem t : f 1 = 2"),
        ("import Init\ndef f (n : Nat) := 2 * n", "theorem t : f 1 = 2"),
    ),
    "the branches of a match": (
        ("", "theorem t (n : Nat) : (match n with | 0 => 1 | k + 1 => k) = n"),
        ("", "theorem t (n : Nat) : (match n with | 0 => 2 | k + 1 => k) = n"),
    ),
    "a hypothesis more": (("", "theorem t (p : Prop) : p"), ("", "theorem t (p : Prop) (h : p) : p")),
    "a quantifier": (("", "theorem t : ∀ n : Nat, n = 0"), ("", "theorem t : ∃ n : Nat, n = 0")),
    "the direction of ≤": (
        ("", "theorem t (a b : Nat) (h : a ≤ b) : a < b"),
        ("", "theorem t (a b : Nat) (h : a ≥ b) : a < b"),
    ),
}


def digest(pool: LeanPool, pair: tuple[str, str]) -> str:
    header, statement = pair
    name = statement.split()[1].split(".{")[0]
    (form,) = forms(pool, [Theorem(name, statement, header)])
    assert form.digest is not None, form.message
    assert len(form.digest) == 64
    return form.digest


@pytest.mark.parametrize("what", SAME)
def test_it_does_not_see(pool: LeanPool, what: str) -> None:
    one, other = SAME[what]
    assert digest(pool, one) == digest(pool, other)


@pytest.mark.parametrize("what", DIFFERENT)
def test_it_sees(pool: LeanPool, what: str) -> None:
    one, other = DIFFERENT[what]
    assert digest(pool, one) != digest(pool, other)


def test_it_is_the_same_from_run_to_run_and_from_machine_to_machine(pool: LeanPool) -> None:
    # SHA-256 of the text that Lean gives for `theorem t (p : Prop) : p → p`: sort 0; variable 0; variable 1; the arrow
    # between them; and the quantifier.
    text = "[[1,[]],[0,0],[0,1],[5,1,2],[5,0,3]]"
    answer = pool.request(60, method="form", header="", name="t", statement="theorem t (p : Prop) : p → p")
    assert answer["ok"]["form"] == text


def test_what_does_not_elaborate_says_why(pool: LeanPool) -> None:
    found = forms(
        pool,
        [
            Theorem("t", 'theorem t (n : Nat) : n = "nonsense"'),
            Theorem("t", "theorem t : 1 = 1", "import Nowhere"),
            Theorem("t", "theorem t : 2 = 2", "import Nowhere"),
            Theorem("t", "theorem t : 1 = 1", "import Init\ndef := 3"),
            Theorem("t", "theorem t : 1 = 1"),
            Theorem("t", ""),
        ],
    )
    assert [form.digest is None for form in found] == [True, True, True, True, False, True]
    assert "nonsense" in found[0].message
    assert "Nowhere" in found[1].message
    assert found[1].message == found[2].message
    assert found[3].message.startswith("header, line 2")
    assert found[4].message == found[5].message == ""


def test_another_name_in_the_same_namespace() -> None:
    theorem = renamed(Theorem("Nat.t", "open Nat in\ntheorem Nat.t.{u} (n : Nat) : n = n", "import Init"))
    assert theorem == Theorem(
        "Nat.t.restated", "open Nat in\ntheorem Nat.t.restated.{u} (n : Nat) : n = n", "import Init"
    )


def test_many_come_back_in_their_order(pool: LeanPool) -> None:
    # More than a worker gets at once, of two headers in turn; n and n + 100 say the same.
    theorems = [Theorem("t", f"theorem t : {i % 100} = 0", "import Std" if i % 2 else "") for i in range(200)]
    done: list[int] = []
    found = forms(pool, theorems, done.append)
    assert sum(done) == 200
    assert len({form.digest for form in found}) == 100
    assert [form.digest for form in found[:100]] == [form.digest for form in found[100:]]

"""The negation of a statement, as real Lean writes it."""

import pytest

from lean_env import StatementError, Theorem
from lean_env.negation import negation


@pytest.mark.parametrize(
    ("header", "statement", "negated"),
    [
        ("", "theorem t : 1 + 1 = 2", "theorem t_negation : ¬ (1 + 1 = 2)"),
        ("", "theorem t (n : Nat) (h : n > 3) : n ≠ 5", "theorem t_negation : ¬ (∀ (n : Nat) (h : n > 3), n ≠ 5)"),
        ("", "theorem «a b» {n : Nat} : n = 0 -- end", "theorem «a b_negation» : ¬ (∀ {n : Nat}, n = 0)"),
        (
            "",
            "open List in\ntheorem A.b (xs : List Nat) : -- why\n  let n := xs.length\n  n = 0",
            "open List in\ntheorem A.b_negation : ¬ (∀ (xs : List Nat), let n := xs.length\n  n = 0)",
        ),
        (
            "",
            "theorem t.{u} {α : Type u} [Inhabited α] (x y : α) : x = y",
            "theorem t_negation.{u} : ¬ (∀ {α : Type u} [Inhabited α] (x y : α), x = y)",
        ),
        ("", "theorem t (n : Nat) : match n with | 0 => True | _ => n = 3",
         "theorem t_negation : ¬ (∀ (n : Nat), match n with | 0 => True | _ => n = 3)"),
        # What the text does not say: variables of a section, and those that Lean binds by itself.
        (
            "variable (m : Nat) {n : Nat}",
            "theorem t (h : m > 3) : m = n",
            "theorem t_negation : ¬ (∀ (m : Nat) {n : Nat}, m > 3 → m = n)",
        ),
        ("", "theorem t (x : α) : x = x", "theorem t_negation.{u_1} : ¬ (∀ {α : Sort u_1} (x : α), x = x)"),
        (
            "namespace A\ntheorem t_negation : True := trivial",
            "theorem t (n : Nat) : n = 0",
            "theorem t_negation' : ¬ (∀ (n : Nat), n = 0)",
        ),
    ],
)  # fmt: skip
def test_lean_writes_it(pool, header, statement, negated):
    name = statement.split("theorem ")[1].split(" (")[0].split(" :")[0].split(" {")[0].split(".{")[0]
    found = negation(pool, Theorem(name, statement, header))
    assert (found.statement, found.header) == (negated, header)
    assert found.name in negated
    assert pool.check_statement(found).startswith("¬")


def test_what_has_none_says_so(pool):
    with pytest.raises(StatementError, match=r"Nat\.nothing"):
        negation(pool, Theorem("t", "theorem t : Nat.nothing = 1"))
    # Lean keeps the tactic of `:= by rfl` under a name of its own, which another statement cannot have.
    with pytest.raises(StatementError, match="its negation cannot be written down"):
        negation(pool, Theorem("t", "theorem t (n : Nat) (h : n = 0 := by rfl) : n = 0"))

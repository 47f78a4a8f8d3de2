"""The workload that the figures are measured on: 800 small theorems, for omega, simp, both, and grind."""

from lean_env.theorem import Candidate, Theorem

FORMS = (
    ("(a b c : Nat) (h : a + b = {i} + c) : b + a + 1 = c + {i} + 1", "by omega"),
    ("(p q r : Prop) (h : p ∧ q ∧ r) : r ∧ p ∧ {i} + 0 = {i}", "by simp [h]"),
    ("(xs ys : List Nat) : (xs ++ ys).length + {i} = {i} + ys.length + xs.length", "by simp; omega"),
    ("(x y : Int) (h : x * y = {i}) : y * x * x = {i} * x", "by grind"),
)


def small(count: int = 800) -> list[tuple[Theorem, Candidate]]:
    """The first `count` theorems with proofs that hold."""
    return [
        (Theorem(f"t{i}", f"theorem t{i} " + FORMS[i % 4][0].format(i=i)), Candidate(FORMS[i % 4][1]))
        for i in range(count)
    ]

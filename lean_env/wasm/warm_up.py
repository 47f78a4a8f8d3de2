"""Typical work, done once after the install, so that V8 compiles what every worker needs. Its answers do not matter."""

from typing import Any

STATEMENTS = {
    "(a b c : Nat) (h : a + b = 3 + c) : b + a + 1 = c + 3 + 1": ["by omega", "by simp; omega", "by grind", "by rfl"],
    "(p q r : Prop) (h : p ∧ q ∧ r) : r ∧ p ∧ 1 + 0 = 1": ["by simp [h]", "by simp_all", "by grind"],
    "(xs ys : List Nat) : (xs ++ ys).length + 2 = 2 + ys.length + xs.length": ["by simp; omega", "by grind"],
    "(x y : Int) (h : x * y = 3) : y * x * x = 3 * x": ["by grind", "by omega", "by rw [Int.mul_comm y x, h]"],
    "(x y : Rat) (h : x = y) : x + 1 - y = 1": ["by grind", "by simp [h]"],
    "(n : Nat) : n < 2 ^ n": [
        "by\n  induction n with\n  | zero => simp\n  | succ n ih => rw [Nat.pow_succ]; omega",
        "by exact?",
    ],
    "(p q : Prop) : (p → q) → ¬q → ¬p": ["fun h nq hp => nq (h hp)", "by intro h nq hp; exact nq (h hp)"],
    "(n : Nat) (h : n % 4 = 3) : n * n % 4 = 1": [
        "by\n  have : n * n % 4 = (n % 4) * (n % 4) % 4 := Nat.mul_mod n n 4\n  simp [this, h]"
    ],
    ": (List.range 20).foldl (· + ·) 0 = 190": ["by decide", "by decide +kernel", "by rfl", "by simp"],
    "(a b : Nat) (h : a ≤ b) : ∃ c, b = a + c": ["⟨b - a, by omega⟩", "by exists b - a; omega"],
    "(f : Nat → Nat) (h : ∀ x, f x = x + 1) : f (f 0) = 2": ["by simp [h]", "by rw [h, h]"],
    "(b : Bool) : (b && !b) = false": ["by cases b <;> rfl", "by cases b <;> decide"],
}
TACTICS = [
    "intro h",
    "cases h with | inl h => ?_ | inr h => exact Or.inl h",
    "constructor",
    "right",
    "refine ⟨h, ?_⟩",
    "simp",
    "omega",
    "induction n with | zero => ?_ | succ n ih => ?_",
    "simp_all",
    "rfl",
]


def _judgements() -> list[dict[str, Any]]:
    return [
        {"method": "judge", "name": "t", "statement": "theorem t " + statement, "kind": "proof", "text": proof}
        for statement, proofs in STATEMENTS.items()
        for proof in proofs
    ]


def _steps() -> list[dict[str, Any]]:
    statement = "theorem t (p q : Prop) (n : Nat) : p ∨ q → q ∨ p ∧ n + 0 = n"
    start = {"method": "start", "name": "t", "statement": statement}
    return [start, *({"method": "tactic", "state": state, "text": text} for state in (0, 1, 2) for text in TACTICS)]


WARM_UP: list[dict[str, Any]] = [{"header": "", **request} for request in [*_judgements(), *_steps()] * 4]

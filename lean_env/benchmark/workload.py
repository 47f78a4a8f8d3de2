"""The workloads that figures are measured on: small theorems with proofs that hold, and the judge's corpus."""

import json
from dataclasses import dataclass
from pathlib import Path

from lean_env.theorem import Candidate, Theorem

SMALL = (
    ("(a b c : Nat) (h : a + b = {i} + c) : b + a + 1 = c + {i} + 1", "by omega"),
    ("(p q r : Prop) (h : p ∧ q ∧ r) : r ∧ p ∧ {i} + 0 = {i}", "by simp [h]"),
    ("(xs ys : List Nat) : (xs ++ ys).length + {i} = {i} + ys.length + xs.length", "by simp; omega"),
    ("(x y : Int) (h : x * y = {i}) : y * x * x = {i} * x", "by grind"),
)
# Other ways to prove: terms, induction, cases, calc, structured blocks, automation by the kernel.
OTHER = (
    ("(n : Nat) (h : n = {i}) : n + 1 = {i} + 1", "by rw [h]"),
    ("(p q : Prop) (hp : p) (hq : q) : (p ∧ q) ∧ {i} = {i}", "⟨⟨hp, hq⟩, rfl⟩"),
    ("(n : Nat) : {i} ≤ n + {i}", "by\n  induction n with\n  | zero => simp\n  | succ n ih => omega"),
    (": {i} % 7 < 7", "by decide"),
    ("(a b c : Nat) (h : a = b + {i}) (k : b = c) : a = c + {i}", "calc a = b + {i} := h\n  _ = c + {i} := by rw [k]"),
    ("(b : Bool) : (b || !b) = true ∧ {i} = {i}", "by\n  constructor\n  · cases b <;> rfl\n  · rfl"),
    ("(p q : Prop) : p ∨ q → q ∨ p ∨ {i} = 0", "fun h => h.elim (fun hp => .inr (.inl hp)) .inl"),
    ("(xs : List Nat) : (xs.map (· + {i})).length = xs.length", "by simp only [List.length_map]"),
    (": ∃ n : Nat, n * n = {i} * {i}", "⟨{i}, rfl⟩"),
    (
        "(f : Nat → Nat) (h : ∀ x, f x = x + {i}) : f (f 0) = 2 * {i}",
        "by\n  have h0 := h 0\n  rw [h0, h, Nat.two_mul, Nat.zero_add]",
    ),
    (
        "(a b : Int) (h : a < b) (k : b < {i}) : a < {i} - 1",
        "by\n  have := Int.lt_of_lt_of_le h (by omega : b ≤ {i} - 1)\n  exact this",
    ),
    ("(p : Nat → Prop) (h : ∀ n, p n) : p {i} ∧ ¬¬p 0", "by\n  refine ⟨h _, ?_⟩\n  intro hn\n  exact hn (h 0)"),
)


def _make(forms: tuple[tuple[str, str], ...], prefix: str, count: int) -> list[tuple[Theorem, Candidate]]:
    made = []
    for i in range(count):
        statement, proof = (part.replace("{i}", str(i)) for part in forms[i % len(forms)])
        made.append((Theorem(f"{prefix}{i}", f"theorem {prefix}{i} {statement}"), Candidate(proof)))
    return made


def small(count: int = 800) -> list[tuple[Theorem, Candidate]]:
    """The first `count` of 800 small theorems for omega, simp, both, and grind, a quarter each."""
    return _make(SMALL, "t", count)


def honest(count: int = 2000) -> list[tuple[Theorem, Candidate]]:
    """`count` proofs that hold, among them the 800 small ones."""
    return [*small(min(count, 800)), *_make(OTHER, "u", max(0, count - 800))]


@dataclass(frozen=True)
class Row:
    """One row of the judge's corpus."""

    id: str
    kind_of_attack: str
    accept: bool
    theorem: Theorem
    candidate: Candidate


def corpus(folder: Path) -> list[Row]:
    """The rows of all corpus files of a folder, in their order."""
    rows = []
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text().splitlines():
            row = json.loads(line)
            theorem = Theorem(row["name"], row["statement"], row.get("header", ""))
            candidate = Candidate(row["text"], row["kind"])
            rows.append(Row(row["id"], row["class"], row["expect"] == "accept", theorem, candidate))
    return rows

"""Giving a goal another one's names: worked out by hand, and on real Lean."""

import pytest

from lean_env import Candidate, Goal, Hypothesis, ProofFinished, TacticState, Theorem
from search import ProofGraph, proof_text
from search.graph.renaming import rename
from search.graph.script import lines, script
from tests.search.graph_session import new_edge


def goal(text):
    """`x y : Nat, h : x = y ⊢ y = x` as a goal; a value stands behind `:=`."""
    context, target = text.split("⊢")
    hypotheses = []
    for part in filter(None, map(str.strip, context.split(","))):
        names, kind = part.split(" : ")
        kind, _, value = kind.partition(" := ")
        hypotheses.append(Hypothesis(tuple(names.split()), kind, value or None))
    return Goal(target.strip(), tuple(hypotheses))


@pytest.mark.parametrize(
    ("here", "wanted", "text"),
    [
        ("h : p ⊢ q", "h : p ⊢ q", ""),
        ("hk : p ⊢ q", "h : p ⊢ q", "have h := hk"),
        ("a : p, b : q ⊢ r", "b : q, a : p ⊢ r", ""),  # another order needs nothing
        ("a : p ⊢ r", "a : p, b : p, c : True ⊢ r", "have b := a\nhave c := True.intro"),
        # `h` says something else here: `k` is made from it before it is hidden.
        ("h : p, j : q ⊢ r", "k : p, h : q ⊢ r", "have k := h\nhave h := j"),
        ("a : p, b : q ⊢ r", "a : q, b : p ⊢ r", "have a' := a\nhave a := b\nhave b := a'"),
        ("a✝ : p, x✝ : q, b : s ⊢ r", "h : p, b : s, x✝ : q ⊢ r", "rename_i a' x'\nhave h := a'"),
        ("a : p ⊢ r", "a✝ : p ⊢ r", ""),  # nobody can speak of it
        # Data of other names: everything from the first one on.
        ("n : Nat, h : n > 3 ⊢ n ≠ 0", "m : Nat, k : m > 3 ⊢ m ≠ 0", "revert n h\nintro m k"),
        ("p : Prop, n : Nat, h : n > 3 ⊢ n ≠ 0", "p : Prop, n : Nat, k : n > 3 ⊢ n ≠ 0", "have k := h"),
        (
            "p x y : Nat, h : x < y, g : x > p ⊢ x ≠ y",
            "p y x : Nat, g : y > p, h : y < x ⊢ y ≠ x",
            "revert x y h g\nintro y x h g",
        ),
        ("t : True, m : Nat, h : m > 3 ⊢ m ≠ 0", "n : Nat, h : n > 3 ⊢ n ≠ 0", "revert m h\nintro n h"),
        ("n✝ : Nat ⊢ n✝ = n✝", "n : Nat ⊢ n = n", "rename_i n'\nrevert n'\nintro n"),
        ("n : Nat ⊢ n = n", "n✝ : Nat ⊢ n✝ = n✝", "revert n\nintro _"),
        ("n : Nat, f : Nat := n + 1 ⊢ f = n", "m : Nat, g : Nat := m + 1 ⊢ g = m", "revert n f\nintro m g"),
        ("xs : List Nat ⊢ xs.length = «a b» xs", "ys : List Nat ⊢ ys.length = «a b» ys", "revert xs\nintro ys"),
        ("n : Nat ⊢ n = 1", "n : Nat ⊢ n = 2", None),  # not the same goal at all
        ("h : p ⊢ q", "h : r ⊢ q", None),
    ],
)
def test_worked_out_by_hand(here, wanted, text):
    assert rename(goal(here), goal(wanted)) == text


def state(result):
    assert isinstance(result, TacticState), result
    return result


# (statement, what leads from `constructor`'s goals to two states that are one but for the names, what proves the first)
MERGED = [
    ("(p → q → p ∧ q) ∧ (q → p → p ∧ q)", "intro a b", "intro a b", "exact ⟨a, b⟩"),
    ("(p → q → p ∧ q) ∧ (q → p → p ∧ q)", "intro a b", "intros", "exact ⟨a, b⟩"),
    ("(∀ n : Nat, n > 3 → n ≠ 0) ∧ (True → ∀ m : Nat, m > 3 → m ≠ 0)", "intro n h", "intro t m k", "omega"),
    (
        "(∀ n k : Nat, n > k → k ≥ 2 → n ≠ 0) ∧ ∀ m n : Nat, n ≥ 2 → m > n → m ≠ 0",
        "intro n k h g",
        "intro m n b a",
        "exact Nat.pos_iff_ne_zero.mp (Nat.lt_of_le_of_lt (Nat.zero_le k) h)",
    ),
    (
        "(∀ xs : List Nat, xs.length = xs.length + 0) ∧ ∀ n : Nat, n = n → ∀ ys : List Nat, ys.length = ys.length + 0",
        "intro xs",
        "intro n h\nclear h n\nintro zs",
        "exact (Nat.add_zero xs.length).symm",
    ),
]


@pytest.mark.parametrize(("statement", "left", "right", "close"), MERGED)
def test_a_proof_through_a_merged_state_stands(pool, verifier, statement, left, right, close):
    theorem = Theorem("t", f"theorem t (p q : Prop) : {statement}")
    with pool.session(theorem) as session:
        graph = ProofGraph(theorem, session.start)

        def run(node, tactic):
            edge = new_edge(graph, node, tactic)
            result = session.run_tactic(node.state, tactic)
            assert isinstance(result, TacticState | ProofFinished), result
            graph.succeed(edge, result)
            return edge.children

        first, second = run(graph.root, "constructor")
        (end,) = run(first, left)
        assert run(second, right) == (end,)
        assert graph.merged == 1
        run(end, close)
    assert graph.root.proved
    verdict = verifier.verify(theorem, Candidate(proof_text(lines(script(graph.root)))))
    assert verdict.proved, verdict.message

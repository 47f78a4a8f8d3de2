"""What a goal becomes by a tactic's text alone."""

import pytest

from lean_env import Goal, Hypothesis
from prover.portfolio.features import features
from prover.portfolio.imagined import imagined


def read(target, *hypotheses, goals=1):
    parsed = [text.split(" : ", 1) for text in hypotheses]
    return features(Goal(target, tuple(Hypothesis(tuple(n.split()), kind) for n, kind in parsed)), goals=goals)


@pytest.mark.parametrize(
    ("target", "hypotheses", "tactic", "now", "variables", "facts", "goals"),
    [
        ("∀ (n m : Nat), n = m → ¬p", ["p : Prop"], "intro a b h h1", "False", ["p", "a", "b"],
         {"h": "a = b", "h1": "p"}, 1),
        ("∀ x > 3, x ≠ n", ["n : Nat"], "intro x h h1", "False", ["n", "x"], {"h1": "x = n"}, 1),
        ("p", ["p : Prop"], "intro x", "p", ["p"], {}, 1),
        ("∀ (n m : Nat), n = m", [], "intro n", "∀ (n m : Nat), n = m", [], {}, 1),
        ("p ∧ q", ["p q : Prop"], "refine ⟨?_, ?_⟩", "p", ["p", "q"], {}, 2),
        ("p ∨ q", ["p q : Prop"], "right", "q", ["p", "q"], {}, 1),
        ("∃ m, n < m ∧ p.m = m1", ["n : Nat"], "refine ⟨n + 1, ?_⟩", "n < (n + 1) ∧ p.m = m1", ["n"], {}, 1),
        ("q", ["q : Prop", "h : a ∧ b = c"], "obtain ⟨h, h'⟩ := h", "q", ["q"], {"h": "a", "h'": "b = c"}, 1),
        ("q", ["q : Prop", "h : ∃ k, n = 2 * k"], "obtain ⟨j, h⟩ := h", "q", ["q", "j"], {"h": "n = 2 * j"}, 1),
        ("q", ["q : Prop", "h : ∃ k, n = 2 * k"], "obtain ⟨k, rfl⟩ := h", "q", ["q", "k"], {}, 1),
        ("q", ["q : Prop", "h : a = 1 ∨ a = 2"], "rcases h with h | h", "q", ["q"], {"h": "a = 1"}, 2),
        ("f n = 2", ["n : Nat"], "induction n with | zero => ?_ | succ n ih => ?_", "f n = 2", ["n"],
         {"ih": "f n = 2"}, 2),
        ("f n = 2", ["n : Nat"], "cases xs with | nil => ?_ | cons x xs => ?_", "f n = 2", ["n"], {}, 2),
        ("q", ["q : Prop", "h : ∀ n, f (n + 1) = f n"], "have := h 0", "q", ["q"],
         {"h": "∀ n, f (n + 1) = f n", "this": "f (0 + 1) = f 0"}, 1),
        ("q", ["q : Prop", "h : p = q → q"], "have h1 := h h2", "q", ["q"], {"h": "p = q → q", "h1": "q"}, 1),
        ("q", ["q : Prop"], "have := gone 0", "q", ["q"], {}, 1),
    ],
)  # fmt: skip
def test_what_the_text_tells(target, hypotheses, tactic, now, variables, facts, goals):
    found = imagined(read(target, *hypotheses), tactic)
    assert (found.target, found.goals) == (now, goals)
    assert [v.name for v in found.variables] == variables
    assert {fact.name: fact.text for fact in found.facts} == facts
    assert found.names >= set(variables) | set(facts)


def test_closing_a_goal_leaves_the_others():
    goal = read("p", "p : Prop", goals=3)
    assert imagined(goal, "omega").goals == 2
    assert imagined(goal, "all_goals try omega") == goal
    assert imagined(read("p", "p : Prop"), "omega").goals == 1

"""The templates on goals as plain data, and that Lean runs what they are filled with."""

from math import exp, isclose

import pytest

from lean_env import Goal, Hypothesis, LeanPool, ProofFinished, ProofSession, TacticError, TacticState, Theorem
from prover.portfolio import PortfolioPolicy, features, suggestions
from prover.portfolio.templates import constants, templates

REVERSED = "theorem t {α β : Type} (f : α → β) (l : List α) : (l.map f).reverse.isEmpty = l.isEmpty"
HALVES = "theorem t (b c : Bool) : (if b then c else b) = (b && c)"


def read(target, *hypotheses):
    parsed = [text.split(" : ", 1) for text in hypotheses]
    return features(Goal(target, tuple(Hypothesis(tuple(names.split()), kind) for names, kind in parsed)))


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("List.map f xs = ys", ["List.map"]),
        ("xs.zipIdx k = []", ["Array.zipIdx"]),
        ("(xs ++ xs).push a = xs", ["Array.push"]),
        ("xs.toList.reverse = ys.tail", ["List.reverse", "List.tail"]),
        ("p.fst = xs.size", ["Array.size"]),
        ("h.elim = x", []),
        ("List.map f (List.map g ys) = List.filterMap g ys", ["List.map", "List.filterMap"]),
    ],
)
def test_the_full_names_of_what_a_target_applies(target, found):
    assert constants(read(target, "xs : Array Nat", "ys : List Nat", "p : Nat × Nat", "a x : Nat")) == found


def test_templates_take_apart_what_the_goal_is_about():
    found = [
        each.tactic
        for each in suggestions(read("xs.reverse.length = n", "xs : List α", "n : Nat", "m : Nat"), (templates,))
    ]
    assert "induction xs generalizing n <;> simp_all [List.reverse, List.length]" in found
    assert "cases n <;> grind" in found
    assert "unfold List.reverse" in found
    assert not any("cases m" in tactic for tactic in found)
    assert len(found) == len(set(found))
    assert "constructor <;> simp_all" in [each.tactic for each in suggestions(read("p ↔ q"), (templates,))]


@pytest.mark.parametrize("statement", [REVERSED, HALVES])
def test_some_of_them_prove_and_what_they_are_filled_with_is_known_to_lean(pool: LeanPool, statement: str) -> None:
    theorem = Theorem("t", statement)
    with ProofSession(pool, theorem) as session:
        found = PortfolioPolicy((templates,)).propose(session.start, theorem)
        assert isclose(sum(exp(each.log_probability) for each in found), 1.0)
        results = [session.run_tactic(session.start, each.text, wall_seconds=20.0) for each in found]
    said = " ".join(result.message for result in results if isinstance(result, TacticError))
    assert "unknown" not in said.lower()
    assert sum(isinstance(result, ProofFinished) for result in results) > 1


def test_nothing_is_left_to_say_where_nothing_is_left_to_prove():
    assert PortfolioPolicy((templates,)).propose(TacticState(()), Theorem("t", "theorem t : True")) == []

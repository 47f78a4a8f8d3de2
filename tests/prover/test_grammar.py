"""The grammar of tactic scripts: what it draws, with what probability, and that it finds proofs of several steps."""

import json
from collections import Counter
from math import exp, fsum, log
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lean_env import Candidate, Goal, Hypothesis, TacticState, Theorem
from prover.portfolio import features, suggestions
from prover.portfolio.grammar import GrammarPolicy, drawn, offered
from prover.portfolio.rule import Suggestion
from prover.proving import prove
from search import Budget, ProofPrompt
from search.algorithms.rmaxts import RMaxTS
from search.segments import segments

THEOREM = Theorem("t", "theorem t : True")
ROWS = {
    row["name"]: row["statement"]
    for row in map(json.loads, (Path(__file__).parents[1] / "data" / "multi_step.jsonl").read_text().splitlines())
}


def goal(target, *hypotheses):
    parsed = [text.split(" : ", 1) for text in hypotheses]
    text = "\n".join([*hypotheses, f"⊢ {target}"])
    return Goal(target, tuple(Hypothesis(tuple(names.split()), kind) for names, kind in parsed), pretty=text)


def prompt(seed, *goals, theorem=THEOREM):
    return ProofPrompt(theorem, TacticState(goals), "", seed)


POLICY = GrammarPolicy()


def script(seed, *goals, policy=POLICY, theorem=THEOREM):
    (completion,) = policy.complete([prompt(seed, *goals, theorem=theorem)])
    return completion


POWER = goal("f n = 2 ^ n", "f : Nat → Nat", "h0 : f 0 = 1", "hs : ∀ n, f (n + 1) = 2 * f n", "n : Nat")


def test_the_same_prompt_and_seed_give_the_same_script_and_others_give_others():
    texts = [script(seed, POWER).text for seed in range(40)]
    assert texts == [script(seed, POWER).text for seed in range(40)]
    assert len(set(texts)) > 30
    assert texts != [script(seed, POWER, theorem=Theorem("t", "theorem t : False")).text for seed in range(40)]
    assert GrammarPolicy().complete([prompt(n, POWER) for n in range(3)]) == [script(n, POWER) for n in range(3)]


def test_it_answers_as_far_as_there_are_goals():
    assert GrammarPolicy().complete([]) == []
    assert len(GrammarPolicy().complete([prompt(0, POWER), prompt(0), prompt(0, POWER)])) == 1


def test_lengths_are_geometric():
    # 1, 1/2 and 1/4 in proportion: 4, 2 and 1 in 7.
    policy = GrammarPolicy(go_on=0.5, longest=3)
    lengths = Counter(script(seed, POWER, policy=policy).tokens for seed in range(2100))
    assert lengths[1] == pytest.approx(1200, abs=80)
    assert lengths[2] == pytest.approx(600, abs=80)
    assert lengths[3] == pytest.approx(300, abs=80)


def test_one_tactic_is_drawn_as_the_portfolio_weighs():
    known = suggestions(features(POWER))
    total = sum(s.weight for s in known)
    found = script(3, POWER, policy=GrammarPolicy(longest=1))
    weights = {s.tactic: s.weight for s in known}
    assert found.log_probability == pytest.approx(log(weights[found.text] / total))


def test_the_probability_is_that_of_the_draws():
    assert {tactic for tactic, _ in [drawn(Random(n), ABC) for n in range(200)]} == {"a", "b", "c"}
    assert {round(exp(p), 9) for _, p in [drawn(Random(n), ABC) for n in range(200)]} == {0.1, 0.4, 0.5}
    # Squares at a temperature of a half: 1, 16 and 25 in 42.
    assert {round(exp(p) * 42, 9) for _, p in [drawn(Random(n), ABC, 0.5) for n in range(400)]} == {1, 16, 25}
    counts = Counter(drawn(Random(n), ABC)[0] for n in range(2000))
    assert counts["c"] == pytest.approx(1000, abs=100)


ABC = [Suggestion("a", 1.0), Suggestion("b", 4.0), Suggestion("c", 5.0)]


def test_scripts_of_two_tactics_have_the_probabilities_of_their_draws_and_sum_to_one():
    policy = GrammarPolicy(longest=2, go_on=1.0)
    simple = goal("p ∧ p", "p : Prop", "h : p")
    seen = {}
    for seed in range(6000):
        found = script(seed, simple, policy=policy)
        seen[found.text] = found.log_probability
    # What was not seen is what is unlikely; of 6,000 draws little is missing, and nothing is too much.
    assert 0.9 < fsum(exp(p) for p in seen.values()) <= 1.0 + 1e-9


HYPOTHESES = st.sampled_from(
    ["n m : Nat", "k : Int", "xs : List Nat", "h : n < 5 ∧ 3 ∣ n", "h1 : ∃ x, x = n", "h2 : p ∨ ¬p", "p : Prop",
     "o : Option Nat", "b : Bool", "f : Nat → Nat", "hf : ∀ n, f (n + 1) = 2 * f n", "q : Rat", "h3 : ¬n = m",
     "hS : S.Nodup", "S : List Nat", "hm : ∀ n, n ∈ S ↔ n ∣ 36", "h4 : 3 * n ^ 2 = 57", "a✝ : n = 1"]
)  # fmt: skip
TARGETS = st.sampled_from(
    ["n = m", "∀ x, x = x", "p ∧ p", "False", "S.sum = 91", "2 ^ n % 7 = 1", "xs.length = n", "∃ x, n < x", "p",
     "∀ x > 2, p", "f n = 2 ^ n", "¬p", "n ≠ m", "⊥ weird ∧", "", "(((", "∀", "match n with | 0 => p | _ => p"]
)  # fmt: skip


@settings(deadline=None)
@given(TARGETS, st.lists(HYPOTHESES, unique=True, max_size=8), st.integers(1, 4), st.integers(0, 10**6))
def test_scripts_are_tidy_whatever_the_goal(target, hypotheses, goals, seed):
    found = script(seed, *[goal(target, *hypotheses)] * goals)
    assert all(line.strip() for line in found.text.split("\n"))
    assert "\n".join(segments(found.text)) == found.text
    assert 1 <= found.tokens <= 6
    assert len(segments(found.text)) >= found.tokens  # a tactic of the portfolio may be a small script
    assert found.log_probability < 0
    assert "✝" not in found.text


@settings(deadline=None)
@given(TARGETS, st.lists(HYPOTHESES, unique=True, max_size=8), st.integers(1, 3), st.booleans(), st.booleans())
def test_what_is_offered_is_a_distribution(target, hypotheses, goals, first, last):
    found = offered(features(goal(target, *hypotheses), goals=goals), first, last)
    assert len({s.tactic for s in found}) == len(found) > 0
    assert all(s.weight > 0 for s in found)
    assert sum(s.weight for s in found) in (pytest.approx(1.0), pytest.approx(2.0))


@pytest.mark.parametrize("name", ["geometric", "rev_map", "exists_larger_even"])
def test_it_finds_what_no_single_tactic_finds(name, pool, verifier):
    theorem = Theorem(name, ROWS[name])
    plan = RMaxTS(heartbeats=12_000)
    found = prove(theorem, pool, GrammarPolicy(), Budget(samples=128, seconds=120.0), algorithm=plan)
    assert found.stopped == "proved"
    assert found.graph is not None
    assert len(found.graph.nodes) >= 2
    assert verifier.verify(theorem, Candidate(found.proof or "")).reward == 1

"""Independent sampling of whole proofs."""

import pytest

from lean_env import Verdict
from search import Budget, prove
from search.algorithms.sample import Sample
from tests.search.graph_session import THEOREM, GraphSession, accepting
from tests.search.scripted import ScriptedPolicy


def search(session, policy, plan=None, budget=None, judge=accepting, **more):
    budget = budget or Budget(seconds=None)
    return prove(
        THEOREM, policy, session.open, plan or Sample(), budget, judge=judge, clock=session.clock, **more
    )  # fmt: skip


class Whole(GraphSession):
    """Runs lines one after another, as Lean does with a script; nothing may be left to run when it is finished."""

    def run_tactic(self, state, text, **limits):
        before = len(self.calls)
        result = state
        for line in text.split("\n"):
            if not hasattr(result, "goals"):
                return super().run_tactic(state, "no goals")
            result = super().run_tactic(result, line, **limits)
        self.calls[before:] = [(state.goals[0].target, text, 0.0)]
        return result


TABLE: dict[str, dict[str, list[str]]] = {"A": {"a": ["B"], "c": []}, "B": {"b": []}}


def test_every_proof_begins_at_the_root_and_runs_in_one_piece():
    session, policy = Whole(["A"], TABLE), ScriptedPolicy({"A": ["a", "a\nx", "a\nb", "c"]})
    result = search(session, policy)
    assert (result.proof, result.stopped) == ("by\n  a\n  b", "proved")
    assert [text for _, text, _ in session.calls] == ["a", "a\nx", "a\nb"]
    assert (result.spent.samples, result.spent.lean_calls, result.spent.tokens) == (3, 4, 5)
    assert {prompt.prefix for prompt in policy.prompts} == {""}
    assert [prompt.seed for prompt in policy.prompts] == [1, 2, 3]


def test_seeds_differ_by_the_seed_of_the_search():
    policy = ScriptedPolicy({"A": ["x"]})
    search(Whole(["A"], TABLE), policy, budget=Budget(samples=2, seconds=None), seed=7)
    assert [prompt.seed for prompt in policy.prompts] == [7_000_022, 7_000_023]


@pytest.mark.parametrize(("samples", "proved"), [(0, False), (2, False), (3, True)])
def test_k_is_the_budget_of_samples(samples, proved):
    policy = ScriptedPolicy({"A": ["x", "y", "c"]})
    result = search(Whole(["A"], TABLE), policy, budget=Budget(samples=samples, seconds=None))
    assert (result.proof is not None, result.spent.samples) == (proved, samples)
    assert result.stopped == ("proved" if proved else "budget")


def test_what_is_seen_again_costs_no_lean_and_in_the_end_ends_it():
    session, policy = Whole(["A"], TABLE), ScriptedPolicy({"A": ["x", "a", "x"]})
    result = search(session, policy, Sample(patience=4))
    assert [text for _, text, _ in session.calls] == ["x", "a"]
    assert (result.stopped, result.spent.samples) == ("exhausted", 6)
    result = search(session, ScriptedPolicy({}), Sample(patience=4))
    assert (result.stopped, result.spent.samples) == ("exhausted", 4)


def test_a_refused_proof_is_not_one_and_others_are_drawn():
    def judge(theorem, proof, seconds):
        return Verdict(1, "proved") if "c" in proof else Verdict(0, "elaboration")

    result = search(Whole(["A"], TABLE), ScriptedPolicy({"A": ["a\nb", "a\nb", "c"]}), judge=judge)
    assert (result.proof, result.spent.samples) == ("by\n  c", 3)


def test_several_workers_draw_as_many():
    policy = ScriptedPolicy({"A": ["x"]})
    result = search(Whole(["A"], TABLE), policy, budget=Budget(samples=20, seconds=None), workers=3)
    assert (result.stopped, len(policy.asked)) == ("budget", 20)
    assert sorted(prompt.seed for prompt in policy.prompts) == list(range(1, 21))

"""Self-correction: rounds, what the policy is shown, and what a judged proof costs."""

import pytest

from lean_env import Verdict
from lean_env.errors import WorkerLost
from search import (
    Budget,
    Completion,
    Correct,
    EdgeTried,
    FailedProof,
    ProofFound,
    SearchEvent,
    from_json,
    prove,
    to_json,
)
from tests.search.graph_session import THEOREM, GraphSession
from tests.search.scripted import ScriptedPolicy

GOOD = "by\n  good"


class Learner:
    """Writes w0, w1, ... and in the place of what failed what a table says, else the same and a `'`."""

    def __init__(self, corrections=None, first="w{}"):
        self.corrections, self.first = corrections or {}, first
        self.written = 0
        self.seen: list[FailedProof] = []
        self.seeds: list[int] = []

    def complete(self, prompts):
        (prompt,) = prompts
        assert (prompt.prefix, prompt.state.goals[0].target) == ("", "A")
        self.seeds.append(prompt.seed)
        self.written += 1
        return [Completion(self.first.format(self.written - 1), tokens=10)]

    def correct(self, prompt, failed):
        self.seeds.append(prompt.seed)
        self.seen.append(failed)
        tactic = failed.text.removeprefix("by\n  ")
        return Completion(self.corrections.get(tactic, tactic + "'"), tokens=100)


def judge(theorem, proof, seconds):
    if proof == GOOD:
        return Verdict(1, "proved", seconds=2.0)
    message = {"line": 2, "column": 2, "message": f"no: {proof[5:]}"}
    return Verdict(0, "elaboration", "line 2: no", seconds=0.5, messages=(message,))


def search(policy, plan=None, budget=None, judge=judge, **more):
    session = GraphSession(["A"], {})
    result = prove(
        THEOREM, policy, session.open, plan or Correct(), budget or Budget(seconds=None),
        judge=judge, clock=session.clock, **more,
    )  # fmt: skip
    assert session.calls == []  # the judge alone is asked
    return result


def test_the_policy_sees_what_was_said_of_its_proof_and_all_is_counted():
    events: list[SearchEvent] = []
    policy = Learner({"w0'": "good"})
    result = search(policy, on_event=events.append)
    assert (result.proof, result.stopped, result.verdict.stage) == (GOOD, "proved", "proved")
    assert [(failed.text, failed.round) for failed in policy.seen] == [("by\n  w0", 0), ("by\n  w0'", 1)]
    assert policy.seen[1].messages[0]["message"] == "no: w0'"
    # Three samples of 10, 100 and 100 tokens, and each judged once: 0.5 + 0.5 + 2 s of Lean.
    spent = result.spent
    assert (spent.samples, spent.tokens, spent.lean_calls, spent.lean_seconds) == (3, 210, 3, 3.0)
    assert policy.seeds == [1, 2, 3]
    assert [type(event) for event in events[-2:]] == [EdgeTried, ProofFound]
    assert [e.result.message for e in events if isinstance(e, EdgeTried) and hasattr(e.result, "message")] == [
        "line 2: no"
    ] * 2
    assert [(e.text, e.accepted) for e in events if isinstance(e, ProofFound)] == [(GOOD, True)]
    assert result.graph is not None
    assert result.graph.root.proved
    assert [edge.status for edge in result.graph.root.edges] == ["failed", "failed", "done"]


@pytest.mark.parametrize(("rounds", "fresh", "corrected"), [(0, 7, 0), (1, 4, 3), (2, 3, 4), (100, 1, 6)])
def test_so_many_rounds_and_then_a_new_sample(rounds, fresh, corrected):
    # Of 7 samples each block of 1 + rounds begins with a fresh one.
    policy = Learner()
    result = search(policy, Correct(rounds), Budget(samples=7, seconds=None))
    assert (policy.written, len(policy.seen), result.stopped) == (fresh, corrected, "budget")
    assert result.spent.lean_calls == 7


@pytest.mark.parametrize(("budget", "stopped"), [(Budget(None, 2, None), "budget"), (Budget(2, None, None), "budget")])
def test_a_budget_that_ends_before_the_correction(budget, stopped):
    result = search(Learner({"w0'": "good"}), budget=budget)
    assert (result.proof, result.stopped, result.spent.lean_calls) == (None, stopped, 2)


def test_the_last_call_of_the_budget_may_be_the_proof():
    result = search(Learner({"w0": "good"}), budget=Budget(2, 2, None))
    assert (result.proof, result.spent.lean_calls, result.spent.samples) == (GOOD, 2, 2)


def test_a_proof_seen_before_is_not_judged_again_and_in_the_end_ends_it():
    result = search(Learner({"same": "same"}, first="same"), Correct(patience=5))
    # The first is judged; its correction and what follows are known: five in a row.
    assert (result.stopped, result.spent.samples, result.spent.lean_calls) == ("exhausted", 6, 1)
    result = search(Learner(first="-- only a comment"), Correct(patience=3))
    assert (result.stopped, result.spent.samples, result.spent.lean_calls) == ("exhausted", 3, 0)


def test_a_verdict_that_nobody_gave_is_no_reason_to_correct():
    def slow(theorem, proof, seconds):
        return judge(theorem, proof, seconds) if proof == GOOD else Verdict(None, "timeout", "60 s", seconds=60.0)

    policy = Learner()
    result = search(policy, judge=slow, budget=Budget(samples=4, seconds=None))
    assert (policy.written, policy.seen) == (4, [])
    assert result.graph is not None
    assert {edge.error.kind for edge in result.graph.root.edges} == {"timeout"}


def test_lean_that_is_lost_on_one_proof_is_asked_twice_and_on_two_is_gone():
    def lost(theorem, proof, seconds):
        return Verdict(None, "lost", "it died") if proof == "by\n  w0" else judge(theorem, proof, seconds)

    policy = Learner({"w1": "good"})
    result = search(policy, judge=lost)
    assert (result.proof, result.spent.lean_calls) == (GOOD, 4)
    result = search(Learner(), judge=lambda *_: Verdict(None, "lost", "it died"))
    assert (result.stopped, result.message, result.spent.samples) == ("lost", "it died", 2)

    def gone(theorem, proof, seconds):
        raise WorkerLost("closed")

    assert search(Learner(), judge=gone).stopped == "lost"


def test_time_that_runs_out_while_judging_says_nothing_of_the_proof():
    session = GraphSession(["A"], {})
    allowed = []

    def slow(theorem, proof, seconds):
        allowed.append(seconds)
        session.now += seconds
        return Verdict(None, "timeout", seconds=seconds)

    result = prove(
        THEOREM, Learner(), session.open, Correct(), Budget(seconds=10), judge=slow, clock=session.clock
    )  # fmt: skip
    assert (result.stopped, allowed, result.spent.samples) == ("budget", [10.0], 1)
    assert result.spent.lean_seconds == 10.0  # the judge worked for all of them
    assert result.graph is not None
    assert [edge.status for edge in result.graph.root.edges] == ["untried"]
    # Gone on with, the proof is judged when it is written again.
    loaded = from_json(to_json(result.graph))
    policy = Learner({"w0": "good"})
    assert search(policy, graph=loaded).proof == GOOD


def test_several_workers_keep_the_budget():
    policy = Learner()
    result = search(policy, Correct(1), Budget(samples=30, seconds=None), workers=3)
    assert (result.stopped, result.spent.samples, len(policy.seeds)) == ("budget", 30, 30)
    assert sorted(policy.seeds) == list(range(1, 31))
    assert {failed.round for failed in policy.seen} == {0}


def test_a_policy_that_does_not_correct_is_refused_and_one_that_raises_ends_it():
    with pytest.raises(ValueError, match="Correct wants a policy that corrects proofs"):
        search(ScriptedPolicy({"A": ["w"]}))

    class Broken(Learner):
        def correct(self, prompt, failed):
            raise OSError("gone")

    result = search(Broken())
    assert (result.stopped, result.message) == ("policy", "the policy failed: OSError: gone")
    with pytest.raises(ValueError, match="-1 rounds"):
        Correct(-1)

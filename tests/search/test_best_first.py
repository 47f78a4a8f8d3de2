"""Best-first search on graphs small enough to work out by hand."""

from math import inf, nan

import pytest

from lean_env import TacticState, Verdict, WorkerLost
from search import BestFirst, Budget, EdgeTried, NodeAdded, ProofFound, Proposal, SearchEvent, prove
from tests.search.graph_session import THEOREM, GraphSession, TablePolicy


def search(session, policy, budget=None, accept=None, algorithm=None, **more):
    events: list[SearchEvent] = []

    def judge(theorem, proof, seconds):
        taken = accept is None or accept(proof, seconds)
        return Verdict(1 if taken else 0, "proved" if taken else "elaboration")

    result = prove(
        THEOREM,
        policy,
        session.open,
        algorithm or BestFirst(),
        budget or Budget(seconds=None),
        events.append,
        judge=judge,
        clock=session.clock,
        **more,
    )
    return result, events


def tried(session):
    return [(goal, tactic) for goal, tactic, _ in session.calls]


def test_edges_are_tried_in_the_order_of_cumulative_probability():
    # a (0.6) fails; b (0.3) leads to B. There c has 0.3 * 0.5 = 0.15, less than the root's d (0.2); then e: 0.09.
    session = GraphSession(["A"], {"A": {"b": ["B"]}, "B": {"e": []}})
    policy = TablePolicy({"A": {"a": 0.6, "b": 0.3, "d": 0.2, "z": 0.01}, "B": {"c": 0.5, "e": 0.3}})
    result, _ = search(session, policy)
    assert tried(session) == [("A", "a"), ("A", "b"), ("A", "d"), ("B", "c"), ("B", "e")]
    assert (result.proof, result.stopped) == ("by\n  b\n  e", "proved")
    assert (result.spent.samples, result.spent.nodes, result.spent.lean_calls) == (
        2,
        2,
        6,
    )  # five tactics and the judge
    assert result.verdict == Verdict(1, "proved")


def test_of_equals_the_first_proposal_goes_first_and_the_deeper_state_before_its_parent():
    session = GraphSession(["A"], {"A": {"x": ["B"]}, "B": {}})
    policy = TablePolicy({"A": {"x": 0.5, "y": 0.5, "z": 0.5}, "B": {"u": 1.0, "v": 1.0}})
    search(session, policy)
    assert tried(session) == [("A", "x"), ("B", "u"), ("B", "v"), ("A", "y"), ("A", "z")]


def test_a_goal_that_is_closed_costs_nothing_and_is_not_closed_again():
    # Closing P by an unlikely tactic is no detour: Q is worked on at the price of the root, and P's others are dropped.
    session = GraphSession(["P", "Q"], {"P": {"close": [], "also": []}, "Q": {"done": []}})
    policy = TablePolicy({"P": {"close": 0.01, "also": 0.009}, "Q": {"try": 0.5, "done": 0.009}})
    result, _ = search(session, policy)
    assert tried(session) == [("P", "close"), ("Q", "try"), ("Q", "done")]
    assert result.proof == "by\n  close\n  done"


def test_a_state_that_was_seen_is_one_node_and_a_cycle_ends():
    session = GraphSession(["A"], {"A": {"l": ["B"], "r": ["B"], "same": ["A"]}, "B": {"back": ["A"]}})
    policy = TablePolicy({"A": {"l": 0.5, "r": 0.3, "same": 0.1}, "B": {"back": 0.9}})
    result, events = search(session, policy)
    assert policy.asked == ["A", "B"]
    assert result.stopped == "exhausted"
    assert result.proof is None
    assert len([e for e in events if isinstance(e, NodeAdded)]) == 2
    assert len([e for e in events if isinstance(e, EdgeTried)]) == 4


def test_a_refused_proof_is_not_one_and_the_search_goes_on():
    session = GraphSession(["A"], {"A": {"bad": [], "good": []}})
    policy = TablePolicy({"A": {"bad": 0.9, "good": 0.1}})
    result, events = search(session, policy, accept=lambda text, seconds: "good" in text)
    assert result.proof == "by\n  good"
    assert [(e.text, e.accepted) for e in events if isinstance(e, ProofFound)] == [
        ("by\n  bad", False),
        ("by\n  good", True),
    ]


def test_a_claim_that_nobody_accepts_ends_as_exhausted():
    session = GraphSession(["A"], {"A": {"bad": []}})
    result, _ = search(session, TablePolicy({"A": {"bad": 0.9}}), accept=lambda text, seconds: False)
    assert (result.proof, result.stopped) == (None, "exhausted")


@pytest.mark.parametrize(
    ("budget", "calls"),
    [
        (Budget(lean_calls=0, seconds=None), 0),
        (Budget(lean_calls=3, seconds=None), 3),
        (Budget(seconds=0.0), 0),
        (Budget(seconds=2.5), 3),  # each takes a second; the third begins at 2.0 and is cut at 2.5
        (Budget(samples=0, seconds=None), 0),
        (Budget(samples=2, seconds=None), 4),  # A's two tactics and B's two, then nobody may be asked about C
    ],
)
def test_budgets_stop_within_one_call(budget, calls):
    session = GraphSession(["A"], {"A": {"a": ["B"]}, "B": {"b": ["C"]}, "C": {"c": ["D"]}})
    policy = TablePolicy({"A": {"a": 0.9, "x": 0.1}, "B": {"b": 0.9, "y": 0.1}, "C": {"c": 0.9, "z": 0.1}})
    result, _ = search(session, policy, budget)
    assert len(session.calls) == calls
    assert result.spent.lean_calls == calls
    assert (result.proof, result.stopped) == (None, "budget")


def test_the_wall_clock_of_a_call_is_cut_to_what_remains():
    session = GraphSession(["A"], {}, costs={"a": 4.0, "b": 60.0, "c": 1.0})
    result, _ = search(session, TablePolicy({"A": {"a": 0.5, "b": 0.4, "c": 0.1}}), Budget(seconds=9.0))
    assert [(tactic, wall) for _, tactic, wall in session.calls] == [("a", 6.0), ("b", 5.0)]
    assert result.spent.seconds == 9.0
    assert result.stopped == "budget"


def test_a_proof_claimed_when_nothing_is_left_to_judge_it_with_is_none():
    session = GraphSession(["A"], {"A": {"a": []}})
    judged = []

    def accept(text, seconds):
        judged.append(text)
        return True

    result, _ = search(session, TablePolicy({"A": {"a": 1.0}}), Budget(lean_calls=1, seconds=None), accept)
    assert (result.proof, result.stopped, judged) == (None, "budget", [])


def test_what_ran_out_of_heartbeats_is_tried_again_with_more_and_later():
    session = GraphSession(["A"], {"A": {"slow": []}}, heartbeats={"slow": 40_000, "slower": 10**9})
    policy = TablePolicy({"A": {"slower": 0.5, "slow": 0.4, "other": 0.05}})
    result, _ = search(session, policy)
    assert [tactic for _, tactic in tried(session)] == ["slower", "slow", "slower", "slow"]  # `other` comes later still
    assert result.proof == "by\n  slow"


def test_states_deeper_than_the_limit_are_not_entered():
    table: dict[str, dict[str, list[str]]] = {"0": {"n": ["1"]}, "1": {"n": ["2"]}, "2": {"n": ["3"]}, "3": {"n": []}}
    policy = TablePolicy({goal: {"n": 0.9} for goal in table})
    assert search(GraphSession(["0"], table), policy)[0].stopped == "proved"
    session = GraphSession(["0"], table)
    assert search(session, policy, algorithm=BestFirst(depth=3))[0].stopped == "exhausted"
    assert len(session.calls) == 3


def test_odd_answers_of_a_policy():
    class Odd:
        def propose(self, state, theorem):
            return [
                Proposal("", -0.1),
                Proposal("  \n", -0.1),
                Proposal("twice", -0.5),
                Proposal("twice", -3.0),
                Proposal("unknown", nan),
                Proposal("never", -inf),
                Proposal("sure", 5.0),
            ]

    session = GraphSession(["A"], {})
    result, _ = search(session, Odd())
    assert [tactic for _, tactic in tried(session)] == ["sure", "twice", "unknown", "never"]
    assert result.stopped == "exhausted"


def test_a_policy_without_an_answer_exhausts_and_one_that_raises_is_named():
    session = GraphSession(["A"], {})
    assert search(session, TablePolicy({}))[0].stopped == "exhausted"

    class Broken:
        def propose(self, state, theorem):
            raise RuntimeError("no weights")

    result, _ = search(session, Broken())
    assert (result.stopped, result.message) == ("policy", "the policy failed: RuntimeError: no weights")


def test_a_lost_lean_ends_it_and_a_stop_is_obeyed():
    class Lost(GraphSession):
        def run_tactic(self, state, text, **limits):
            raise WorkerLost("gone")

    assert search(Lost(["A"], {}), TablePolicy({"A": {"a": 1.0}}))[0].stopped == "lost"
    session = GraphSession(["A"], {})
    result, _ = search(session, TablePolicy({"A": {"a": 1.0}}), should_stop=lambda: True)
    assert (result.stopped, session.calls) == ("interrupted", [])


def test_events_tell_the_tree():
    session = GraphSession(["A"], {"A": {"a": ["B"]}, "B": {"b": []}})
    result, events = search(session, TablePolicy({"A": {"a": 0.5}, "B": {"x": 0.6, "b": 0.5}}))
    nodes = [(e.node, e.parent, e.state.goals[0].target) for e in events if isinstance(e, NodeAdded)]
    assert nodes == [(0, None, "A"), (1, 0, "B")]
    edges = [(e.node, e.proposal.text, isinstance(e.result, TacticState)) for e in events if isinstance(e, EdgeTried)]
    assert edges == [(0, "a", True), (1, "x", False), (1, "b", False)]
    assert [e.spent.lean_calls for e in events if isinstance(e, EdgeTried)] == [1, 2, 3]
    assert result.spent.lean_seconds == 3.0

"""Proof graphs as JSON: what comes back is what went in, a search goes on where it stopped, and bad files are named."""

import json
from math import inf

import pytest

from lean_env import Candidate, Focus, Goal, Hypothesis, ProofFinished, TacticError, TacticState, Theorem
from search import BestFirst, Budget, EdgeTried, ProofGraph, Proposal, prove
from search.graph.proof_graph import Edge, Node
from search.graph.stored import from_json, to_json
from tests.search.graph_session import THEOREM, GraphSession, TablePolicy, accepting, new_edge

START = TacticState(
    (
        Goal(
            "p x",
            (Hypothesis(("x", "y"), "Nat"), Hypothesis(("z",), "Nat", "3")),
            "h",
            "case h ⊢",
            "17",
            frozenset({"?m"}),
        ),
    )
)


def grown() -> ProofGraph:
    """A graph with everything in it: a split, a merge, a cycle, errors, what is untried, and a proof of a part."""
    graph = ProofGraph(Theorem("t", 'theorem t : "a\\b" = "a\\b"', "open Nat"), START)
    root = graph.root
    root.asked, root.visits, root.value = 2, 5, 1.25
    both = new_edge(graph, root, "constructor", -0.5)
    two = (Goal("A", key="1"), Goal("B", key="2", metavariables=frozenset({"?b"})))
    left, right = graph.succeed(both, TacticState(two, ("constructor",), seconds=0.5))
    both.visits, both.value, both.heartbeats = 3.5, 0.75, 12_000
    graph.succeed(new_edge(graph, left, "rfl", -0.25), ProofFinished(("constructor", Focus((0,)), "rfl"), 0.25))
    back = new_edge(graph, right, "exact back")
    graph.succeed(back, TacticState(START.goals, ("constructor", Focus((1,)), "exact back")))
    other = new_edge(graph, root, "right", -inf)
    graph.succeed(other, TacticState((Goal("B", key="2"),), ("right",)))
    slow = new_edge(graph, right, "simp", -0.1)
    graph.fail(slow, TacticError("heartbeats", "limit", 2.0))
    slow.heartbeats = 12_000
    new_edge(graph, right, "omega\n  done", -2.0)
    return graph


def plain(graph):
    """Everything there is to know of a graph, but for handles and simulations under way, as lists."""

    def field(value):
        if isinstance(value, Node | Edge):
            return value.number
        if isinstance(value, TacticState):
            return value.path, [(goal, goal.key, goal.metavariables) for goal in value.goals]
        if isinstance(value, list | tuple):
            return [field(each) for each in value]
        if isinstance(value, dict):
            return {key: field(each) for key, each in value.items()}
        return (value, value.seconds) if isinstance(value, TacticError) else value

    shown = [{name: field(getattr(x, name)) for name in x.__slots__} for x in [*graph.nodes, *graph.edges]]
    return graph.theorem, graph.split, graph.merge, graph.merged, shown


def test_what_comes_back_is_what_went_in():
    graph = grown()
    assert [edge.status for edge in graph.edges] == ["done", "done", "cycle", "done", "failed", "untried"]
    text = to_json(graph)
    back = from_json(text)
    assert plain(back) == plain(graph)
    assert to_json(back) == text
    # The transposition table is there again: B is still one node.
    again = new_edge(back, back.root, "apply b")
    assert back.succeed(again, TacticState((Goal("B", key="2"),), ("apply b",))) == []
    assert again.children == (back.nodes[2],)


def test_a_proof_in_a_stored_graph_is_proved_again_and_judged_again():
    session = GraphSession(["A"], {"A": {"a": ["B"]}, "B": {"b": []}})
    policy = TablePolicy({"A": {"a": 1.0}, "B": {"b": 1.0}})
    # Three calls: two tactics, and none is left for the judge.
    first = prove(THEOREM, policy, session.open, budget=Budget(lean_calls=2), judge=accepting, clock=session.clock)
    assert (first.proof, first.stopped) == (None, "budget")
    assert first.graph is not None
    session.calls.clear()
    second = prove(
        THEOREM, policy, session.open, judge=accepting, clock=session.clock, graph=from_json(to_json(first.graph))
    )
    assert second.proof == "by\n  a\n  b"
    assert session.calls == []


TABLE: dict[str, dict[str, list[str]]] = {
    "A": {"split": ["P", "Q"], "r": ["R"]},
    "P": {"p": ["P1"], "x": ["R"]},
    "P1": {"slow": []},
    "Q": {"q": ["Q1"]},
    "Q1": {"end": []},
    "R": {},
}
WEIGHTS = {
    "A": {"split": 0.6, "r": 0.3},
    "P": {"x": 0.5, "p": 0.4},
    "P1": {"slow": 0.5, "no": 0.4},
    "Q": {"q": 1.0},
    "Q1": {"end": 0.5, "nothing": 0.4},
    "R": {"r1": 0.9, "r2": 0.1},
}


@pytest.mark.parametrize("calls", range(1, 12))
def test_a_search_goes_on_where_it_stopped(calls):
    """Stopped after any number of calls, saved, loaded, continued: the proof is found and no tactic is run in vain."""
    session = GraphSession(["A"], TABLE, heartbeats={"slow": 40_000})
    policy = TablePolicy(WEIGHTS)

    def attempt(budget, graph=None):
        return prove(THEOREM, policy, session.open, budget=budget, judge=accepting, clock=session.clock, graph=graph)

    whole = attempt(Budget(seconds=None))
    assert whole.proof == "by\n  split\n  · p\n    slow\n  q\n  end"
    asked, tried = list(policy.asked), [call[:2] for call in session.calls]
    policy.asked.clear()
    session.calls.clear()
    first = attempt(Budget(lean_calls=calls, seconds=None))
    assert first.graph is not None
    second = attempt(Budget(seconds=None), from_json(to_json(first.graph)))
    assert second.proof == whole.proof
    # The order may differ where two ways cost the same; no tactic runs twice but the one that ran out of heartbeats.
    assert len(set(policy.asked)) == len(policy.asked)
    assert set(policy.asked) <= set(asked) | {"R"}
    again = [call[:2] for call in session.calls]
    assert {call for call in again if again.count(call) > 1} <= {("P1", "slow")}
    assert ("P1", "slow") in tried


def test_the_end_of_the_budget_says_nothing_about_the_tactic_it_cut():
    session = GraphSession(["A"], {"A": {"long": []}}, costs={"long": 4.0})
    policy = TablePolicy({"A": {"long": 1.0}})
    first = prove(THEOREM, policy, session.open, budget=Budget(seconds=3.0), judge=accepting, clock=session.clock)
    assert (first.stopped, first.spent.lean_seconds) == ("budget", 3.0)
    assert first.graph is not None
    assert first.graph.edges[0].status == "untried"
    session.now = 0.0
    second = prove(
        THEOREM,
        policy,
        session.open,
        budget=Budget(seconds=5.0),
        judge=accepting,
        clock=session.clock,
        graph=first.graph,
    )
    assert second.proof == "by\n  long"


def test_a_graph_of_another_theorem_is_refused():
    session = GraphSession(["A"], {})
    graph = ProofGraph(Theorem("u", "theorem u : True"), session.start)
    with pytest.raises(ValueError, match="is one of u, not of t"):
        prove(THEOREM, TablePolicy({}), session.open, judge=accepting, graph=graph)


def broken(change):
    data = json.loads(to_json(grown()))
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "This is no proof graph: not JSON"),
        ("[" * 100_000, "This is no proof graph: not JSON"),
        ("[1]", "it does not say its `version`"),
        ('{"version": 7}', "of version 7; version 1 can be read"),
        ('{"version": 1}', "`theorem` of the graph is missing"),
        (broken(lambda d: d["nodes"].clear()), "its first node is not the start"),
        (broken(lambda d: d["nodes"][1].update(goals=[99])), "node 1 names something that is not there"),
        (broken(lambda d: d["nodes"][1].update(goals=[])), "node 1 has no goal"),
        (broken(lambda d: d["nodes"][2].update(visits="many")), "`visits` of node 2 is no number"),
        (broken(lambda d: d["nodes"][2].update(path=[[1.5]])), "node 2 has something in the place of a list"),
        (broken(lambda d: d["edges"][0].update(node=-1)), "edge 0 names something that is not there"),
        (broken(lambda d: d["edges"][0].update(status="magic")), "`status` of edge 0 is 'magic'"),
        (broken(lambda d: d["edges"][0].update(children=[1])), "edge 0 leads to 1 nodes"),
        (broken(lambda d: d["edges"][0].update(status="untried")), "edge 0 is untried and leads to something"),
        (broken(lambda d: d["edges"][4].update(error=None)), "edge 4 is failed, which does not fit"),
        (broken(lambda d: d["edges"][3].update(tactic="constructor")), "edge 3 is another one's double"),
        (broken(lambda d: d["edges"][2].update(status="done")), "go round in a circle"),
        (broken(lambda d: d["goals"][0].update(hypotheses=[["x", "Nat"]])), "a hypothesis is not"),
        (broken(lambda d: d["goals"].append(3)), "of a goal is missing"),
    ],
)  # fmt: skip
def test_a_bad_file_gets_one_sentence(text, said):
    with pytest.raises(ValueError, match=r"^This .*[.]$") as caught:
        from_json(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


class Plain:
    """The same few tactics for every state."""

    def propose(self, state, theorem):
        tactics = ("constructor", "rcases h with h | h", "exact h", "left", "right", "exact h.1", "exact h.2")
        return [Proposal(tactic, -1.0 - i / 10) for i, tactic in enumerate(tactics)]


def test_a_search_on_real_lean_goes_on_in_another_session(pool, verifier):
    """Stopped after every eighth call, saved and loaded each time: the states are rebuilt from their paths."""
    theorem = Theorem("t", "theorem t (p q r : Prop) (h : p ∨ q ∧ r) : (p ∨ q) ∧ (p ∨ r)")
    stored, parts, tried = None, 0, []

    def note(event):
        if isinstance(event, EdgeTried):
            tried.append((event.node, event.proposal.text))

    def judge(theorem, proof, seconds):
        return verifier.verify(theorem, Candidate(proof), seconds)

    proof = None
    while proof is None and parts < 40:
        graph = from_json(stored) if stored else None
        result = prove(
            theorem, Plain(), pool.session, BestFirst(), Budget(lean_calls=8), note, judge=judge, graph=graph
        )
        assert result.graph is not None
        stored, proof, parts = to_json(result.graph), result.proof, parts + 1
    assert proof is not None
    assert verifier.verify(theorem, Candidate(proof)).proved
    assert parts > 2
    assert len(set(tried)) == len(tried)

"""Step MCTS on graphs small enough to work out by hand, and what holds for every graph."""

import json
import time
from itertools import pairwise
from math import isfinite, log, nan
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import Budget, EdgeTried, Proposal, prove
from search.algorithms.step_mcts import StepMCTS
from search.graph.proof_graph import ProofGraph
from search.tasks import Ask, Asked, Tried, Try
from tests.search.graph_session import THEOREM, GraphSession, TablePolicy, accepting
from tests.search.random_tables import Table, games
from tests.search.test_best_first import search, tried

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
UNLIMITED = Budget(seconds=None)


class TableCritic:
    """The logarithms of a table's probabilities; `calls` are the goals of the states of each call."""

    def __init__(self, table):
        self.table = table
        self.calls = []

    def score(self, states):
        goals = [state.goals[0].target for state in states]
        self.calls.append(goals)
        return [log(self.table.get(goal, 0.5)) for goal in goals]


def run(session, policy, options, **more):
    """The graph after a search, and its result."""
    graph = ProofGraph(THEOREM, session.start)
    more = {"budget": UNLIMITED, "judge": accepting, **more}
    result = prove(THEOREM, policy, session.open, options, clock=session.clock, graph=graph, **more)
    return graph, result


def names(graph):
    return {node.state.goals[0].target: node for node in graph.nodes}


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("step_mcts_*.json")))
def test_golden(name):
    golden = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    session, policy = GraphSession(["A"], golden["table"]), TablePolicy(golden["priors"])
    critic = TableCritic(golden["critic"]) if "critic" in golden else None
    options = StepMCTS(conjunction=golden["conjunction"], critic=critic, **golden["options"])
    graph, _ = run(session, policy, options, budget=Budget(lean_calls=golden["simulations"], seconds=None))
    assert [list(call) for call in tried(session)] == golden["tries"]
    assert policy.asked == golden["asked"]
    nodes = {name: [node.visits, node.value] for name, node in names(graph).items()}
    assert {name: pytest.approx(value) for name, value in nodes.items()} == {**dict.fromkeys(nodes), **golden["nodes"]}
    edges = {f"{e.node.state.goals[0].target} {e.tactic}": [e.visits, e.value] for e in graph.edges}
    assert {name: pytest.approx(value) for name, value in edges.items()} == {**dict.fromkeys(edges), **golden["edges"]}


def test_the_prior_is_normalised_without_the_edges_that_failed():
    # c = 1. no fails; x leads to B, worth 0.7: N = 3, W = 0.8 + 0.8 + 0.693. Of what is left y has 0.4, so it has
    # 0.725 * 2.293 / 3 + 0.4 sqrt(3) = 1.247, and x 0.7 + 0.6 sqrt(3) / 2 = 1.220. Of all it has 0.04, which would be
    # 0.623 against x's 0.752.
    session = GraphSession(["A"], {"A": {"x": ["B"], "y": ["C"]}, "B": {}, "C": {}})
    policy = TablePolicy({"A": {"no": 0.9, "x": 0.06, "y": 0.04}, "B": {"b": 1.0}})
    options = StepMCTS(c_base=1e15, c_init=1.0, critic=TableCritic({"A": 0.8, "B": 0.7}))
    run(session, policy, options, budget=Budget(lean_calls=3, seconds=None))
    assert [tactic for _, tactic in tried(session)] == ["no", "x", "y"]


def play(searching, graph, session, policy, tries):
    """Performs so many tries, and the asks between them, without a driver."""
    while tries:
        task = searching.next()
        if task is None:
            return
        outcome = perform(task, graph, session, policy)
        searching.hear(outcome)
        tries -= isinstance(task, Try)


def perform(task, graph, session, policy):
    if isinstance(task, Ask):
        task.node.asked += 1
        edges = [graph.add_edge(task.node, p) for p in policy.propose(task.node.state, THEOREM)]
        return Asked(task.node, tuple(edge for edge in edges if edge is not None))
    result = session.run_tactic(task.edge.node.state, task.edge.tactic, heartbeats=task.heartbeats)
    task.edge.heartbeats = task.heartbeats
    if hasattr(result, "message"):
        graph.fail(task.edge, result)
        return Tried(task.edge, (), result.kind == "limit")
    return Tried(task.edge, tuple(graph.succeed(task.edge, result)))


def test_a_simulation_under_way_counts_as_one_that_lost():
    # Both x and y lead on: x has the greater prior. The first worker goes to B; for the second x has value 1 / 2 and
    # n = 2, so it goes to C; the third finds both halved and takes x again, but at B the ask is under way: C's is too.
    table: Table = {"A": {"x": ["B"], "y": ["C"]}, "B": {"b": ["D"]}, "C": {"c": ["D"]}}
    session = GraphSession(["A"], table)
    policy = TablePolicy({"A": {"x": 0.6, "y": 0.4}, "B": {"b": 1.0}, "C": {"c": 1.0}})
    graph = ProofGraph(THEOREM, session.start)
    searching = StepMCTS(unvisited=0, c_init=1.0).start(graph, Random(0))
    play(searching, graph, session, policy, 2)
    by_name = names(graph)
    first, second, third = searching.next(), searching.next(), searching.next()
    assert [first, second, third] == [Ask(by_name["B"]), Ask(by_name["C"]), None]
    assert (graph.root.running, by_name["B"].running, graph.edges[0].running) == (2, 1, 1)
    searching.hear(perform(second, graph, session, policy))
    assert searching.next() == Try(by_name["C"].edges[0], 12_000)  # B is still being asked about
    searching.hear(perform(first, graph, session, policy))
    assert graph.root.running == 1
    assert searching.next() == Try(by_name["B"].edges[0], 12_000)


def test_several_goals_are_worked_on_at_once_by_several_workers():
    session = GraphSession(["A"], {"A": {"x": ["B", "C"]}, "B": {}, "C": {}})
    policy = TablePolicy({"A": {"x": 1.0}, "B": {"b": 1.0}, "C": {"c": 1.0}})
    for conjunction in ("min", "product"):
        graph = ProofGraph(THEOREM, session.start)
        searching = StepMCTS(conjunction=conjunction).start(graph, Random(0))
        play(searching, graph, session, policy, 1)
        assert [searching.next(), searching.next()] == [Ask(names(graph)["B"]), Ask(names(graph)["C"])]


def test_what_ran_out_of_heartbeats_is_tried_again_with_more_and_later():
    session = GraphSession(["A"], {"A": {"slow": []}}, heartbeats={"slow": 40_000, "slower": 10**9})
    policy = TablePolicy({"A": {"slower": 0.5, "slow": 0.4, "other": 0.05}})
    # Priors over (n + 1): slower 0.5; slow 0.4; other 0.05; slower again 0.5 e^-2 / 2 = 0.034, slow again 0.027.
    graph, result = run(session, policy, StepMCTS())
    assert [tactic for _, tactic in tried(session)] == ["slower", "slow", "other", "slower", "slow"]
    assert result.proof == "by\n  slow"
    slow = graph.root.tactics["slow"]
    assert (slow.visits, slow.value, slow.heartbeats) == (2, 2.0, 48_000)


def test_what_never_ends_is_tried_three_times_and_no_more():
    session = GraphSession(["A"], {}, heartbeats={"slower": 10**9})
    graph, result = run(session, TablePolicy({"A": {"slower": 0.5}}), StepMCTS())
    assert len(session.calls) == 3  # 12k, 48k, 192k
    assert (result.stopped, graph.root.visits, graph.root.edges[0].visits) == ("exhausted", 4, 3)


def test_a_new_node_is_worth_something_in_itself_if_novelty_counts():
    # x leads to B, y leads to B as well: the second is worth nothing new.
    session = GraphSession(["A"], {"A": {"x": ["B"], "y": ["B"]}, "B": {}})
    policy = TablePolicy({"A": {"x": 0.5, "y": 0.4, "no": 0.1}})
    graph, _ = run(session, policy, StepMCTS(novelty=0.25, critic=TableCritic({"A": 0.6, "B": 0.8}), unvisited=-100))
    x, y, no = graph.root.edges
    assert (x.value, y.value, no.value) == (pytest.approx(0.75 * 0.8 + 0.25), pytest.approx(0.75 * 0.8), 0.0)
    # 0.6 + 0.99 * 0.85 = 1.4415; + 0.99 * 0.6 = 2.0355 at N = 3; + 0.75 * 2.0355 / 3 = 2.544375
    assert (graph.root.visits, graph.root.value) == (4, pytest.approx(2.544375))


def test_the_policy_is_asked_again_as_the_visits_grow_and_not_when_it_repeats_itself():
    class Sampling:
        """One more tactic at every ask."""

        def __init__(self):
            self.asked = 0

        def propose(self, state, theorem):
            self.asked += 1
            return [Proposal(f"t{self.asked}", log(0.5))]

    policy = Sampling()
    session = GraphSession(["A"], {"A": {"t4": []}})
    result, _ = search(session, policy, algorithm=StepMCTS())
    assert (result.proof, policy.asked) == ("by\n  t4", 4)  # each ask follows the failure of all there was

    wide = {f"t{i}": 0.1 for i in range(9)}
    asks = TablePolicy({"A": wide})
    # 1 <= factor N^0.5 at N = 4: asked again after three tries, and never more, as that brought nothing new.
    search(GraphSession(["A"], {"A": {}}), asks, algorithm=StepMCTS(again_factor=0.5, again_exponent=0.5))
    assert asks.asked == ["A", "A"]


def test_a_policy_that_repeats_itself_three_times_is_not_asked_again():
    states = [str(i) for i in range(10)]
    table: Table = {a: {"n": [b]} for a, b in pairwise(states)}
    policy = TablePolicy({a: {"n": 0.9} for a in table})
    result, _ = search(GraphSession(["0"], table), policy, algorithm=StepMCTS())
    # From below: 9 has no answer; 8, 7 and 6 are asked again; the rest are taken to be as they were.
    assert policy.asked == [*states, "8", "7", "6"]
    assert result.stopped == "exhausted"


def test_states_deeper_than_the_limit_are_not_entered():
    table: Table = {"0": {"n": ["1"]}, "1": {"n": ["2"]}, "2": {"n": ["3"]}, "3": {"n": []}}
    policy = TablePolicy({goal: {"n": 0.9} for goal in table})
    assert search(GraphSession(["0"], table), policy, algorithm=StepMCTS(depth=4))[0].stopped == "proved"
    session = GraphSession(["0"], table)
    assert search(session, policy, algorithm=StepMCTS(depth=3))[0].stopped == "exhausted"
    assert len(session.calls) == 3


def test_a_refused_proof_is_not_one_and_the_search_goes_on():
    session = GraphSession(["A"], {"A": {"bad": [], "p": ["B"]}, "B": {"good": []}})
    policy = TablePolicy({"A": {"bad": 0.9, "p": 0.1}, "B": {"good": 1.0}})
    result, _ = search(session, policy, accept=lambda text, seconds: "good" in text, algorithm=StepMCTS())
    assert result.proof == "by\n  p\n  good"
    result, _ = search(session, policy, accept=lambda text, seconds: False, algorithm=StepMCTS())
    assert (result.proof, result.stopped) == (None, "exhausted")


def test_a_graph_is_gone_on_with_as_if_it_had_not_been_stopped():
    table: Table = {"A": {"x": ["B", "C"], "y": ["C"]}, "B": {"b": ["D"]}, "C": {"c": []}, "D": {"d": []}}
    priors = {"A": {"x": 0.5, "y": 0.01, "no": 0.1}, "B": {"b": 0.5}, "C": {"z": 0.5, "c": 0.3}, "D": {"d": 0.1}}
    whole = GraphSession(["A"], table)
    run(whole, TablePolicy(priors), StepMCTS())
    for stop in range(1, len(whole.calls)):
        parts = GraphSession(["A"], table)
        graph, _ = run(parts, TablePolicy(priors), StepMCTS(), budget=Budget(lean_calls=stop, seconds=None))
        prove(THEOREM, TablePolicy(priors), parts.open, StepMCTS(), UNLIMITED, judge=accepting, graph=graph)
        assert tried(parts) == tried(whole)


OPTIONS = st.builds(
    StepMCTS,
    conjunction=st.sampled_from(["min", "product"]),
    novelty=st.sampled_from([0.0, 0.3]),
    c_init=st.sampled_from([0.001, 1.25]),
    unvisited=st.sampled_from([0.0, 32.0]),
    again_factor=st.sampled_from([0.01, 1.0]),
    critic=st.sampled_from([None, TableCritic({"1": 0.9, "2": 0.1})]),
)


@settings(max_examples=150, deadline=None)
@given(games(), OPTIONS)
def test_it_proves_what_can_be_proved_and_the_statistics_add_up(game, options):
    session = game.session()
    graph = ProofGraph(THEOREM, session.start)
    proved: set[int] = set()

    def look(event):
        now = {node.number for node in graph.nodes if node.proved}
        assert proved <= now
        proved.update(now)
        for node in graph.nodes if isinstance(event, EdgeTried) else ():
            for edge in node.edges:
                if edge.error is not None and edge.error.kind == "error":
                    edge.value = nan  # whoever looks at it is found out

    result = prove(
        THEOREM,
        game.policy(),
        session.open,
        options,
        UNLIMITED,
        look,
        judge=accepting,
        clock=session.clock,
        graph=graph,
    )
    assert result.stopped == ("proved" if game.provable() else "exhausted")
    for node in graph.nodes:
        assert node.visits == 1 + sum(edge.visits for edge in node.edges)
        assert isfinite(node.value)
        assert 0 <= node.value <= node.visits
        assert node.running == 0
    for edge in graph.edges:
        if edge.status == "done":
            assert 0 <= edge.value <= edge.visits
        assert edge.running == 0


@settings(max_examples=30, deadline=None)
@given(games(), OPTIONS)
def test_the_same_seed_gives_the_same_graph(game, options):
    def dump():
        graph, _ = run(game.session(), game.policy(), options)
        nodes = [(n.key, n.visits, n.value, n.asked) for n in graph.nodes]
        return nodes, [(e.node.number, e.tactic, e.status, e.visits, e.value) for e in graph.edges]

    assert dump() == dump()


@settings(max_examples=25, deadline=None)
@given(games(), OPTIONS)
def test_several_workers_prove_the_same_and_their_statistics_add_up(game, options):
    session = game.session()
    quick = session.run_tactic

    def slow(*arguments, **limits):
        time.sleep(0.0005)  # lets another worker in
        return quick(*arguments, **limits)

    session.run_tactic = slow
    graph, result = run(session, game.policy(), options, workers=3)
    assert result.stopped == ("proved" if game.provable() else "exhausted")
    for node in graph.nodes:
        assert node.visits == 1 + sum(edge.visits for edge in node.edges)
        assert node.running == 0 or result.stopped == "proved"

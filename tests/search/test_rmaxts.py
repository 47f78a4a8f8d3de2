"""RMaxTS on graphs small enough to work out by hand, and what holds for all graphs."""

import json
import threading
import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lean_env import TacticError, Verdict
from search import Budget, Completion, EdgeTried, ProofGraph, prove
from search.algorithms.rmaxts import RMaxTS
from search.graph.stored import from_json, to_json
from search.tasks import Complete, Completed
from tests.search.graph_session import THEOREM, GraphSession, accepting
from tests.search.scripted import RandomPolicy, ScriptedPolicy, Watched

GOLDEN = Path(__file__).parents[1] / "data" / "golden"


def search(session, policy, plan=None, budget=None, judge=accepting, **more):
    return prove(
        THEOREM,
        policy,
        session.open,
        plan or RMaxTS(),
        budget or Budget(seconds=None),
        judge=judge,
        clock=session.clock,
        **more,
    )


def golden_tree(name):
    """The numbers, and a session and a policy to come to them with."""
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    return golden, GraphSession(golden["start"], golden["table"]), ScriptedPolicy(golden["scripts"])


def main_goal(node):
    return node.state.goals[0].target


def statistics(graph):
    """`{"A": (W, N)}` of the virtual children and `{"A a": (W, N)}` of the edges."""
    nodes = {main_goal(node): (node.value, node.visits) for node in graph.nodes}
    edges = {f"{main_goal(edge.node)} {edge.tactic}": (edge.value, edge.visits) for edge in graph.edges}
    return nodes, edges


# W and N are written (W, N); A* is the virtual child of A. A choice that was not visited goes first, A* before others.
#
# rmaxts_merged, gamma = 1/2:
# 1. A*; a and b work: B and D are new, R = 1. A* (1, 1).
# 2. a was not visited; B* before b. x fails, R = 0. a (0, 1), B* (0, 1).
# 3. A* 1 + sqrt(2 ln 2) against a 0 + sqrt(2 ln 2): A*. c leads to C, which is new, d to D, which is not: R = 1.
#    A* (1.5, 1.5).
# 4. c was not visited; C*. R = 0. c (0, 1), C* (0, 1).
# 5. N sums to 3.5: A* 1 + sqrt(2 ln 3.5 / 1.5) = 2.292, a and c sqrt(2 ln 3.5) = 1.583: A*. e leads to B: R = 0, and e
#    is no choice of its own. A* (0.75, 1.75).
# 6. N sums to 3.75: A* 0.4286 + 1.2291 = 1.658, a and c 1.626: A*. x fails. A* (0.375, 1.875).
# 7. N sums to 3.875: A* 0.2 + 1.2020 = 1.402, a and c 1.646: a, the older. b was not visited, D* is all there is.
#    a (0, 1.5), b (0, 1), D* (0, 1).
# 8. N sums to 4.375: A* 0.2 + 1.2547, a 1.4028, c 1.7181: c. d was not visited. c (0, 1.5), d (0, 1), D* (0, 1.5).
#
# rmaxts_trees, gamma = 1, the trees in turn: 1. and 2. are A* in both, as each knows nothing: (1, 1), with B and D new
# in one and C in the other. 3. to 6. are a and c, which neither has visited, though the other did: each (0, 1) in both,
# as are B* and C*. 7. A* is the best in the first: e finds nothing new, A* (1, 2). The sums: A* (2, 3), a, c, B* and
# C* (0, 2).
#
# rmaxts_discount, gamma = 0.99: 1. A*: R = 1, (1, 1). 2. a: B*, nothing. 3. A*: R = 0, (0.99, 1.99). 4. N sums to 2.99:
# A* 0.4975 + 1.0492 = 1.547, a 1.480: A*: F is new, (0.99 * 0.99 + 1, 0.99 * 1.99 + 1). 5. f was not visited: F*.
@pytest.mark.parametrize("name", ["rmaxts_merged", "rmaxts_trees", "rmaxts_discount"])
def test_golden_trees(name):
    golden, session, policy = golden_tree(name)
    budget = Budget(samples=golden["simulations"], seconds=None)
    result = search(session, policy, RMaxTS(**golden["options"]), budget)
    assert policy.asked == golden["selected"]
    nodes, edges = statistics(result.graph)
    assert nodes == {goal: pytest.approx(numbers) for goal, numbers in golden["nodes"].items()}
    assert edges == {edge: pytest.approx(numbers) for edge, numbers in golden["edges"].items()}
    assert all(place.running == 0 for place in (*result.graph.nodes, *result.graph.edges))
    assert result.stopped == "budget"


@pytest.mark.parametrize("cut", range(1, 8))
def test_a_search_that_was_saved_goes_on_as_if_it_had_not_been(cut):
    golden, session, policy = golden_tree("rmaxts_merged")
    plan = RMaxTS(**golden["options"])
    first = search(session, policy, plan, Budget(samples=cut, seconds=None))
    assert first.graph is not None
    rest = Budget(samples=golden["simulations"] - cut, seconds=None)
    second = search(session, policy, plan, rest, graph=from_json(to_json(first.graph)))
    assert policy.asked == golden["selected"]
    assert statistics(second.graph)[0] == {goal: tuple(numbers) for goal, numbers in golden["nodes"].items()}


def test_trees_share_what_a_loaded_graph_carries():
    _, session, policy = golden_tree("rmaxts_merged")
    graph = search(session, policy, RMaxTS(gamma=1.0), Budget(samples=4, seconds=None)).graph
    # A* (2, 2), a and c (0, 1). Their halves sum to 2: A* 1 + sqrt(2 ln 2) = 2.177, a and c sqrt(4 ln 2) = 1.665.
    # So A*, and e finds nothing new.
    search(session, policy, RMaxTS(gamma=1.0, trees=2), Budget(samples=1, seconds=None), graph=graph)
    assert policy.asked[4:] == ["A"]
    nodes, edges = statistics(graph)
    assert (nodes["A"], edges["A a"], edges["A c"]) == ((2, 3), (0, 1), (0, 1))


def test_what_is_running_counts_as_lost():
    # After 1. of rmaxts_merged: A* (1, 1), a (0, 0). Nothing comes back, gamma = 1/2:
    # a was not visited: B*. Then a is (0, 1): A* 2.177, a 1.177. Then A* is (0.5, 1.5), N sums to 2.5: A* 0.3333 +
    # 1.1053 = 1.439, a 1.354. Then A* is (0.25, 1.75), N sums to 2.75: A* 0.1429 + 1.0752 = 1.218, a 1.422, and below
    # it B* (0, 1), b (0, 0).
    _, session, policy = golden_tree("rmaxts_merged")
    graph = search(session, policy, RMaxTS(gamma=0.5), Budget(samples=1, seconds=None)).graph
    algorithm = RMaxTS(gamma=0.5).start(graph, Random(0))
    tasks = [task for _ in range(4) if isinstance(task := algorithm.next(), Complete)]
    assert [main_goal(task.node) for task in tasks] == ["B", "A", "A", "D"]
    assert (graph.root.running, graph.root.edges[0].running) == (2, 2)
    for task in tasks:
        algorithm.hear(Completed(task, Completion("x")))
    assert all(place.running == 0 for place in (*graph.nodes, *graph.edges))
    # In the order of their return: a and A* twice with nothing. A*: 1 -> 0.25, 1 -> 1.5 -> 1.75.
    assert statistics(graph)[0]["A"] == (0.25, 1.75)
    assert statistics(graph)[1]["A a"] == (0, 1.5)


def test_a_proof_is_written_from_the_root():
    session = GraphSession(["A"], {"A": {"a": ["B"]}, "B": {"b": ["C"], "z": []}, "C": {}})
    policy = ScriptedPolicy({"A": ["a\nb\nz"], "B": ["z"]})
    result = search(session, policy)
    assert (result.proof, result.stopped) == ("by\n  a\n  z", "proved")
    assert policy.asked == ["A", "B"]
    assert [prompt.prefix for prompt in policy.prompts] == ["", "a"]
    assert (result.spent.samples, result.spent.lean_calls, result.spent.tokens) == (2, 5, 4)  # a b z z and the judge


def test_a_refused_proof_is_not_followed_again():
    session = GraphSession(["A"], {"A": {"a": ["B"]}, "B": {"bad": [], "good": []}})
    policy = ScriptedPolicy({"A": ["a\nbad", "a\nbad", "a\ngood"], "B": ["bad", "good"]})
    claims = []

    def judge(theorem, proof, seconds):
        claims.append(proof)
        return Verdict(1, "proved") if "good" in proof else Verdict(0, "elaboration")

    result = search(session, policy, judge=judge)
    assert claims == ["by\n  a\n  bad", "by\n  a\n  good"]
    assert result.stopped == "proved"


def test_two_goals_are_one_state():
    session = GraphSession(["A"], {"A": {"both": ["P", "Q"]}, "P": {"p": []}, "Q": {"q": []}})
    result = search(session, ScriptedPolicy({"A": ["both\np"], "P": ["x"], "Q": ["q"]}))
    assert result.proof == "by\n  both\n  p\n  q"
    assert [len(node.state.goals) for node in result.graph.nodes] == [1, 2, 1]


def test_what_changes_nothing_is_passed_over():
    session = GraphSession(["A"], {"A": {"skip": ["A"], "a": ["B"]}, "B": {"back": ["A"], "b": []}})
    result = search(session, ScriptedPolicy({"A": ["skip\na\nback\nb"]}), budget=Budget(samples=1, seconds=None))
    assert [(edge.tactic, edge.status) for edge in result.graph.edges] == [
        ("skip", "cycle"),
        ("a", "done"),
        ("back", "cycle"),
        ("b", "failed"),  # run where "back" leads to
    ]


def test_the_prefix_of_what_was_cut_short_stays_and_is_rewarded():
    table = {"A": {"a": ["B"]}, "B": {"b": ["C"], "slow": ["D"]}, "C": {"c": ["B2"]}}
    # By Lean's time: the tactic failed for now, and may be run again.
    session = GraphSession(["A"], table, costs={"slow": 100.0})
    policy = ScriptedPolicy({"A": ["a\nslow"], "B": ["slow"]})
    graph = search(session, policy, budget=Budget(samples=2, seconds=None)).graph
    assert statistics(graph)[0] == {"A": (1, 1), "B": (0, 1)}
    assert [tactic for _, tactic, _ in session.calls] == ["a", "slow", "slow"]
    # By the budget: two calls of three.
    policy = ScriptedPolicy({"A": ["a\nb\nc"]})
    result = search(GraphSession(["A"], table), policy, budget=Budget(lean_calls=2, seconds=None))
    assert (statistics(result.graph)[0], result.stopped) == ({"A": (1, 1), "B": (0, 0), "C": (0, 0)}, "budget")


def test_what_was_cut_short_before_it_found_something_is_not_counted():
    # The third call, c, is the last: it leads to C, which is known, and x might have led to something new.
    session = GraphSession(["A"], {"A": {"a": ["B"]}, "B": {"b": ["C"], "c": ["C"]}})
    policy = ScriptedPolicy({"A": ["a\nb"], "B": ["c\nx"]})
    result = search(session, policy, budget=Budget(lean_calls=3, seconds=None))
    nodes, edges = statistics(result.graph)
    assert (nodes, edges["A a"]) == ({"A": (1, 1), "B": (0, 0), "C": (0, 0)}, (0, 0))
    assert all(place.running == 0 for place in (*result.graph.nodes, *result.graph.edges))


def test_without_the_intrinsic_reward_only_visits_count():
    session = GraphSession(["A"], {"A": {"a": ["B"], "c": ["C"]}})
    policy = ScriptedPolicy({"A": ["a", "c", "x"], "B": ["x"], "C": ["x"]})
    graph = search(session, policy, RMaxTS(intrinsic=False, gamma=1.0), Budget(samples=6, seconds=None)).graph
    assert all(place.value == 0 for place in (*graph.nodes, *graph.edges))
    assert policy.asked == ["A", "B", "A", "C", "B", "C"]  # 5.: A* (0, 2), a (0, 1), c (0, 1)


def test_states_below_the_depth_are_not_selected():
    table: dict[str, dict[str, list[str]]] = {"0": {"n": ["1"]}, "1": {"n": ["2"]}, "2": {"n": ["3"]}, "3": {}}
    policy = ScriptedPolicy({"0": ["n\nn\nn"], "1": ["x"], "2": ["x"], "3": ["x"]})
    result = search(GraphSession(["0"], table), policy, RMaxTS(depth=2, patience=30))
    assert set(policy.asked) == {"0", "1", "2"}
    assert len(result.graph.nodes) == 4


@pytest.mark.parametrize(
    ("scripts", "samples"),
    [
        ({}, 5),  # it never says anything
        ({"A": [""]}, 5),
        ({"A": ["-- nothing"]}, 5),
        ({"A": ["x"]}, 6),  # the first brought an edge
        ({"A": ["a", "x"], "B": ["x"]}, 8),  # 1. a, 2. x on B, 3. x on A, and five more
    ],
)
def test_it_ends_when_nothing_new_is_tried(scripts, samples):
    result = search(GraphSession(["A"], {"A": {"a": ["B"]}}), ScriptedPolicy(scripts), RMaxTS(patience=5))
    assert (result.stopped, result.spent.samples) == ("exhausted", samples)


def test_odd_text_of_a_policy_is_an_error_of_lean_and_one_that_raises_is_named():
    policy = ScriptedPolicy({"A": ["```lean\nThe proof is easy.\n```", "sorry", "a\na\na"]})
    result = search(GraphSession(["A"], {"A": {"a": ["B"]}}), policy, budget=Budget(samples=4, seconds=None))
    assert result.stopped == "budget"

    class Broken:
        def complete(self, prompts):
            raise RuntimeError("no weights")

    result = search(GraphSession(["A"], {}), Broken())
    assert (result.stopped, result.message) == ("policy", "the policy failed: RuntimeError: no weights")


def test_budgets_of_zero_and_options_that_make_no_sense():
    for budget in (Budget(samples=0, seconds=None), Budget(lean_calls=0, seconds=None), Budget(seconds=0.0)):
        policy = ScriptedPolicy({"A": ["a"]})
        assert search(GraphSession(["A"], {}), policy, budget=budget).stopped == "budget"
        assert policy.asked == []
    with pytest.raises(ValueError, match="gamma cannot be 0"):
        RMaxTS(gamma=0)
    with pytest.raises(ValueError, match="0 trees"):
        RMaxTS(trees=0)
    with pytest.raises(ValueError, match="whole proofs"):
        search(GraphSession(["A"], {}), object())


def test_of_two_workers_that_run_the_same_the_first_answer_stays():
    together = threading.Barrier(2, timeout=20)

    class Slow(GraphSession):
        def run_tactic(self, state, text, **limits):
            if text == "a" and len(self.calls) < 2:
                answer = super().run_tactic(state, text, **limits)
                if together.wait() == 0:
                    time.sleep(0.2)
                    return TacticError("too slow", "timeout", 1.0)
                return answer
            return super().run_tactic(state, text, **limits)

    session = Slow(["A"], {"A": {"a": ["B"]}})
    result = search(session, ScriptedPolicy({"A": ["a"], "B": ["x"]}), RMaxTS(patience=5), workers=2)
    edge = result.graph.root.edges[0]
    assert (edge.status, len(edge.children[0].parents)) == ("done", 1)


TACTICS = ["s", "t", "u", "v"]


@st.composite
def tables(draw, closing=False):
    """Goals 0 to 6; a tactic leads from a goal to up to two others. Without `closing` the last goal stays open."""
    goals = [str(n) for n in range(7)]
    led = st.lists(st.sampled_from(goals), min_size=0 if closing else 1, max_size=2)
    return {goal: draw(st.dictionaries(st.sampled_from(TACTICS), led, max_size=4)) for goal in goals}


def check_path(task: Complete) -> None:
    """The path is one of edges that work, from the root to the task's node."""
    node = task.path[0].node if task.path else task.node
    assert node.number == 0
    for edge in task.path:
        assert edge.node is node
        assert edge.status == "done"
        node = edge.unproved[0]
    assert node is task.node
    assert not task.node.proved


def check_sums(graph: ProofGraph, simulations: int) -> None:
    """With gamma 1: all simulations began at the root, and those that entered a node chose something there."""
    for node in graph.nodes:
        chosen = node.visits + sum(edge.visits for edge in node.edges)
        entered = sum(edge.visits for edge in node.parents)
        assert chosen == pytest.approx(entered if node.number else simulations)
        assert 0 <= node.value <= node.visits
    for edge in graph.edges:
        assert 0 <= edge.value <= edge.visits
        assert edge.status == "done" or edge.visits == 0
        assert edge.running == 0


@settings(deadline=None, max_examples=60)
@given(tables(), st.integers(0, 1000), st.integers(1, 3))
def test_visits_add_up(table, seed, trees):
    tasks: list[Complete] = []
    session = GraphSession(["0", "open"], table)
    plan = Watched(RMaxTS(gamma=1.0, trees=trees, depth=8, patience=20), tasks, check_path)
    result = search(session, RandomPolicy(TACTICS), plan, Budget(samples=60, seconds=None), seed=seed)
    assert result.proof is None
    check_sums(result.graph, result.spent.samples)
    # Every node but the root was new once, to one simulation.
    rewards = result.graph.root.value + sum(edge.value for edge in result.graph.root.edges)
    assert rewards <= len(result.graph.nodes) - 1


@settings(deadline=None, max_examples=60)
@given(tables(closing=True), st.integers(0, 1000))
def test_the_same_seed_gives_the_same_tree(table, seed):
    def once():
        session, tasks = GraphSession(["0"], table), list[Complete]()
        plan = Watched(RMaxTS(patience=20, depth=8), tasks)
        result = search(session, RandomPolicy(TACTICS), plan, Budget(samples=40, seconds=None), seed=seed)
        edges = [(e.node.number, e.tactic, e.status, e.visits, e.value) for e in result.graph.edges]
        return result.proof, edges, [task.node.number for task in tasks], session.calls

    assert once() == once()


@settings(deadline=None, max_examples=60)
@given(tables(closing=True), st.integers(0, 1000))
def test_a_proved_node_stays_proved_and_a_proof_is_one(table, seed):
    session = GraphSession(["0"], table)
    tasks: list[Complete] = []
    proved: set[int] = set()
    graphs = []

    class Plan(Watched):
        def start(self, graph, random):
            graphs.append(graph)
            return super().start(graph, random)

    def look(event):
        if isinstance(event, EdgeTried):
            now = {node.number for node in graphs[0].nodes if node.proved}
            assert proved <= now
            proved.update(now)

    plan = Plan(RMaxTS(patience=20, depth=8), tasks, check_path)
    result = search(session, RandomPolicy(TACTICS), plan, Budget(samples=40, seconds=None), seed=seed, on_event=look)
    if result.proof is not None:
        goals = ["0"]
        for tactic in result.proof.split("\n  ")[1:]:
            goals = [*table[goals[0]][tactic], *goals[1:]]
        assert goals == []


@settings(deadline=None, max_examples=15)
@given(tables(), st.integers(0, 1000), st.integers(2, 4), st.integers(1, 2))
def test_several_workers_on_one_tree(table, seed, workers, trees):
    class Waiting(RandomPolicy):
        def complete(self, prompts):
            time.sleep(Random(prompts[0].seed).random() / 500)
            return super().complete(prompts)

    session = GraphSession(["0", "open"], table)
    tasks: list[Complete] = []
    plan = Watched(RMaxTS(gamma=1.0, trees=trees, depth=8, patience=30), tasks, check_path)
    budget = Budget(samples=40, seconds=None)
    result = search(session, Waiting(TACTICS), plan, budget, seed=seed, workers=workers)
    assert result.stopped in ("budget", "exhausted")
    check_sums(result.graph, result.spent.samples)

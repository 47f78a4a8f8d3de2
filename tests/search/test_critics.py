"""Critics without a model, and how often a search asks one."""

from math import inf, log, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lean_env import Goal, TacticState
from search import BestFirst
from search.critics import FewGoals, Scores, SmallGoals
from search.graph.proof_graph import ProofGraph
from tests.search.graph_session import THEOREM, GraphSession, TablePolicy
from tests.search.random_tables import Table
from tests.search.test_best_first import search, tried


def state(*texts):
    return TacticState(tuple(Goal(text, pretty=text) for text in texts))


def test_few_goals():
    assert FewGoals(0.25).score([state("a"), state("a", "b")]) == [pytest.approx(log(0.25)), pytest.approx(log(0.0625))]


def test_small_goals_by_hand():
    # 100 characters: 1/2. 50: odds e^1, so 0.7310586. 200: e^-1, so 0.2689414. Both: the product, 0.1966119.
    critic = SmallGoals(even=100, slope=1.0)
    states = [state("x" * 100), state("x" * 50), state("x" * 200), state("x" * 50, "x" * 200)]
    assert critic.score(states) == [pytest.approx(log(p)) for p in (0.5, 0.7310586, 0.2689414, 0.1966119)]
    assert SmallGoals(even=100, slope=1000.0).score([state("x"), state("x" * 10**4)]) == [
        pytest.approx(0.0),
        pytest.approx(-6643.856),  # 1000 log2(100)
    ]


@given(st.lists(st.text(max_size=400), min_size=1, max_size=4), st.floats(1, 1e4), st.floats(0, 50))
def test_scores_are_log_probabilities_and_another_goal_helps_nobody(texts, even, slope):
    for critic in (SmallGoals(even, slope), FewGoals(1 / even)):
        whole, less = critic.score([state(*texts), state(*texts[1:])])
        assert -inf < whole <= less <= 0


class Counting:
    def __init__(self, answers=None):
        self.calls = []
        self.answers = answers or {}

    def score(self, states):
        goals = [state.goals[0].target for state in states]
        self.calls.append(goals)
        return [self.answers.get(goal, -1.0) for goal in goals]


def test_a_node_is_scored_once_and_all_new_ones_together():
    graph = ProofGraph(THEOREM, GraphSession(["A"], {}).start)
    nodes = [graph.root, *(graph.add_node(state(text), 1) for text in ("B", "C", "D"))]
    critic = Counting({"B": 0.5, "C": nan, "D": -2.0})
    scores = Scores(critic)
    scores.learn(nodes[:2])
    scores.learn([*nodes, nodes[3]])
    assert [scores.of(node) for node in nodes] == [-1.0, 0.0, -inf, -2.0]
    assert critic.calls == [["A", "B"], ["C", "D"]]


def test_a_critic_that_gives_too_few_scores_is_an_error():
    class Silent:
        def score(self, states):
            return []

    graph = ProofGraph(THEOREM, GraphSession(["A"], {}).start)
    with pytest.raises(ValueError, match="shorter"):
        Scores(Silent()).of(graph.root)


def test_best_first_goes_to_the_state_that_looks_provable_and_asks_once_a_state():
    # The unlikely r leads to D, which looks best: its d waits at 0.105 + 0.357, B's b at 2.3 + 0.357.
    table: Table = {"A": {"p": ["B", "C"], "r": ["D"]}, "B": {"b": []}, "C": {"c": []}, "D": {"d": []}}
    critic = Counting({"A": 0.0, "B": log(0.1), "C": log(0.1), "D": log(0.9)})
    session = GraphSession(["A"], table)
    policy = TablePolicy({"A": {"p": 0.6, "r": 0.4}, **{goal: {goal.lower(): 0.7, "no": 0.1} for goal in "BCD"}})
    result, _ = search(session, policy, algorithm=BestFirst(critic=critic))
    assert tried(session) == [("A", "p"), ("A", "r"), ("D", "d")]
    assert critic.calls == [["A"], ["B", "C"], ["D"]]
    assert result.proof == "by\n  r\n  d"

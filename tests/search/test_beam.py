"""Beam search on graphs small enough to work out by hand, and against a solver."""

from math import log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import Budget
from search.algorithms.beam import Beam
from tests.search.graph_session import GraphSession, TablePolicy
from tests.search.random_tables import Table, games
from tests.search.test_best_first import search, tried

# p to B 0.5, q to C 0.3, r to D 0.2. Below: B b E 0.5 * 0.2 = 0.1, C c F 0.3 * 0.9 = 0.27, D d 0.2 * 1 closes.
TABLE: Table = {
    "A": {"p": ["B"], "q": ["C"], "r": ["D"]},
    "B": {"b": ["E"]},
    "C": {"c": ["F"]},
    "D": {"d": []},
    "F": {"f": []},
}
PRIORS = {
    "A": {"p": 0.5, "q": 0.3, "r": 0.2},
    "B": {"b": 0.2},
    "C": {"c": 0.9},
    "D": {"d": 1.0},
    "E": {"e": 1.0},
    "F": {"f": 0.9},
}


@pytest.mark.parametrize(
    ("width", "order", "proof"),
    [
        (1, [("A", "p"), ("A", "q"), ("A", "r"), ("B", "b"), ("E", "e")], None),
        # F 0.27 goes before E 0.1.
        (2, [("A", "p"), ("A", "q"), ("A", "r"), ("B", "b"), ("C", "c"), ("F", "f")], "by\n  q\n  c\n  f"),
        (3, [("A", "p"), ("A", "q"), ("A", "r"), ("B", "b"), ("C", "c"), ("D", "d")], "by\n  r\n  d"),
    ],
)
def test_the_best_few_of_a_level_go_on(width, order, proof):
    session = GraphSession(["A"], TABLE)
    result, _ = search(session, TablePolicy(PRIORS), algorithm=Beam(width=width))
    assert tried(session) == order
    assert result.proof == proof


def test_a_critic_s_score_takes_the_place_of_the_sum_and_is_asked_for_a_level_at_once():
    class Critic:
        def __init__(self):
            self.calls = []

        def score(self, states):
            goals = [state.goals[0].target for state in states]
            self.calls.append(goals)
            return [log({"D": 0.9, "C": 0.5}.get(goal, 0.1)) for goal in goals]

    session, critic = GraphSession(["A"], TABLE), Critic()
    result, _ = search(session, TablePolicy(PRIORS), algorithm=Beam(width=1, critic=critic))
    assert tried(session) == [("A", "p"), ("A", "q"), ("A", "r"), ("D", "d")]
    assert critic.calls == [["B", "C", "D"]]
    assert result.proof == "by\n  r\n  d"


def test_a_state_is_all_that_is_left_to_prove_and_is_entered_once():
    # Both ways lead to P, Q, which is entered once, and whose goals are proved in line.
    table: Table = {"A": {"l": ["P", "Q"], "r": ["P", "Q"]}, "P": {"p": []}, "Q": {"q": []}}
    session = GraphSession(["A"], table)
    policy = TablePolicy({"A": {"l": 0.5, "r": 0.4}, "P": {"p": 0.5}, "Q": {"q": 0.5}})
    result, _ = search(session, policy, algorithm=Beam())
    assert result.proof in ("by\n  l\n  p\n  q", "by\n  r\n  p\n  q")
    assert policy.asked == ["A", "P", "Q"]


def test_what_ran_out_of_heartbeats_waits_until_the_beam_has_run_dry():
    session = GraphSession(["A"], {"A": {"slow": ["B"], "x": ["C"]}, "B": {"b": []}}, heartbeats={"slow": 40_000})
    policy = TablePolicy({"A": {"slow": 0.5, "x": 0.4}, "B": {"b": 1.0}, "C": {"c": 1.0}})
    result, _ = search(session, policy, algorithm=Beam())
    assert tried(session) == [("A", "slow"), ("A", "x"), ("C", "c"), ("A", "slow"), ("B", "b")]
    assert result.proof == "by\n  slow\n  b"


def test_depth_and_width():
    table: Table = {"0": {"n": ["1"]}, "1": {"n": ["2"]}, "2": {"n": []}}
    policy = TablePolicy({goal: {"n": 0.9} for goal in table})
    assert search(GraphSession(["0"], table), policy, algorithm=Beam(depth=3))[0].stopped == "proved"
    assert search(GraphSession(["0"], table), policy, algorithm=Beam(depth=2))[0].stopped == "exhausted"
    with pytest.raises(ValueError, match="at least 1 state wide"):
        Beam(width=0)


def test_a_refused_proof_is_not_one_and_the_search_goes_on():
    session = GraphSession(["A"], {"A": {"bad": [], "p": ["B"]}, "B": {"good": []}})
    policy = TablePolicy({"A": {"bad": 0.9, "p": 0.1}, "B": {"good": 1.0}})
    result, _ = search(session, policy, accept=lambda text, seconds: "good" in text, algorithm=Beam())
    assert result.proof == "by\n  p\n  good"


@settings(max_examples=100, deadline=None)
@given(games(most_goals=5), st.integers(1, 3))
def test_a_beam_that_cuts_nothing_off_proves_what_can_be_proved(game, workers):
    session = game.session()
    result, _ = search(session, game.policy(), algorithm=Beam(width=10**6, depth=100), workers=workers)
    assert result.stopped == ("proved" if game.provable() else "exhausted")


@settings(max_examples=50, deadline=None)
@given(games(), st.integers(1, 2))
def test_a_narrow_beam_proves_nothing_else_and_repeats_nothing(game, width):
    session = game.session()
    result, _ = search(session, game.policy(), Budget(seconds=None), algorithm=Beam(width=width))
    assert game.provable() or result.proof is None
    again, calls = game.session(), list(session.calls)
    search(again, game.policy(), algorithm=Beam(width=width))
    assert again.calls == calls

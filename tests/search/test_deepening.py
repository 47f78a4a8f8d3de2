"""Iterative deepening on graphs small enough to work out by hand, and against a solver."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.algorithms.deepening import IterativeDeepening
from tests.search.graph_session import GraphSession, TablePolicy
from tests.search.random_tables import Table, games
from tests.search.test_best_first import search, tried


def test_depth_first_to_a_limit_that_grows_and_nothing_twice():
    # Limit 2: A x B, b leads to D at the limit; y C, c to E at the limit. Limit 4: D, then d's F, then E.
    table: Table = {
        "A": {"x": ["B"], "y": ["C"]},
        "B": {"b": ["D"]},
        "C": {"c": ["E"]},
        "D": {"d": ["F"]},
        "E": {"e": []},
        "F": {"f": ["G"]},
    }
    session = GraphSession(["A"], table)
    policy = TablePolicy({goal: {**dict.fromkeys(tactics, 0.4), "no": 0.1} for goal, tactics in table.items()})
    result, _ = search(session, policy, algorithm=IterativeDeepening(first=2, step=2))
    assert tried(session) == [
        *[("A", "x"), ("B", "b"), ("B", "no"), ("A", "y"), ("C", "c"), ("C", "no"), ("A", "no")],
        *[("D", "d"), ("F", "f"), ("F", "no"), ("D", "no"), ("E", "e")],
    ]
    assert policy.asked == ["A", "B", "C", "D", "F", "E"]
    assert result.proof == "by\n  y\n  c\n  e"


def test_a_shorter_way_to_a_state_that_was_cut_off_is_taken_under_the_same_limit():
    # a, b leads to C at depth 2, the limit; c leads there at depth 1.
    table: Table = {"A": {"a": ["B"], "c": ["C"]}, "B": {"b": ["C"]}, "C": {"d": []}}
    session = GraphSession(["A"], table)
    policy = TablePolicy({goal: dict.fromkeys(tactics, 0.5) for goal, tactics in table.items()})
    result, _ = search(session, policy, algorithm=IterativeDeepening(first=2, step=1))
    assert tried(session) == [("A", "a"), ("B", "b"), ("A", "c"), ("C", "d")]
    assert result.stopped == "proved"


def test_the_next_goal_is_worked_on_when_those_before_it_are_proved():
    table: Table = {"A": {"x": ["P", "Q"], "y": []}, "P": {"p": ["R"]}, "Q": {"q": []}, "R": {"r": []}}
    session = GraphSession(["A"], table)
    policy = TablePolicy({"A": {"x": 0.9}, "P": {"p": 0.9, "other": 0.1}, "Q": {"q": 0.9}, "R": {"r": 0.9}})
    result, _ = search(session, policy, algorithm=IterativeDeepening(first=2, step=1))
    # P's other goal R lies at the limit, so its neighbours are tried first; under the next limit R, and then Q.
    assert tried(session) == [("A", "x"), ("P", "p"), ("P", "other"), ("R", "r"), ("Q", "q")]
    assert result.stopped == "proved"


def test_what_ran_out_of_heartbeats_is_tried_again_under_the_next_limit():
    session = GraphSession(["A"], {"A": {"slow": []}}, heartbeats={"slow": 40_000, "slower": 10**9})
    policy = TablePolicy({"A": {"slower": 0.5, "slow": 0.4, "other": 0.05}})
    result, _ = search(session, policy, algorithm=IterativeDeepening())
    assert [tactic for _, tactic in tried(session)] == ["slower", "slow", "other", "slower", "slow"]
    assert result.proof == "by\n  slow"


def test_states_deeper_than_the_limit_are_not_entered():
    table: Table = {"0": {"n": ["1"]}, "1": {"n": ["2"]}, "2": {"n": ["3"]}, "3": {"n": []}}
    policy = TablePolicy({goal: {"n": 0.9} for goal in table})
    assert search(GraphSession(["0"], table), policy, algorithm=IterativeDeepening(depth=4))[0].stopped == "proved"
    session = GraphSession(["0"], table)
    assert search(session, policy, algorithm=IterativeDeepening(depth=3))[0].stopped == "exhausted"
    assert len(session.calls) == 3


@pytest.mark.parametrize("options", [{"first": 0}, {"step": 0}])
def test_nonsense_is_refused(options):
    with pytest.raises(ValueError, match="at least 1"):
        IterativeDeepening(**options)


def test_a_refused_proof_is_not_one_and_the_search_goes_on():
    session = GraphSession(["A"], {"A": {"bad": [], "p": ["B"]}, "B": {"good": []}})
    policy = TablePolicy({"A": {"bad": 0.9, "p": 0.1}, "B": {"good": 1.0}})
    algorithm = IterativeDeepening(first=1)
    result, _ = search(session, policy, accept=lambda text, seconds: "good" in text, algorithm=algorithm)
    assert result.proof == "by\n  p\n  good"


@settings(max_examples=150, deadline=None)
@given(games(), st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 1, 3]))
def test_it_proves_what_can_be_proved_and_runs_nothing_twice(game, first, step, workers):
    session = game.session()
    algorithm = IterativeDeepening(first=first, step=step)
    result, _ = search(session, game.policy(), algorithm=algorithm, workers=workers)
    assert result.stopped == ("proved" if game.provable() else "exhausted")
    for (_, tactic), runs in Counter(tried(session)).items():
        needed = game.heartbeats.get(tactic, 0)
        assert runs <= (1 if needed <= 12_000 else 2 if needed <= 48_000 else 3)

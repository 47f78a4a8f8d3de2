"""Solved against spent, by hand and against a plain count."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.statistics.curves import STEPS, curves
from prover.statistics.intervals import share
from prover.statistics.tally import tally
from search import Spent
from tests.prover.statistics.runs import known, run_of


def curve_of(run, resource, **options):
    return next(each for each in curves(tally(run, **options)) if each.resource == resource)


def seconds(*rows):
    return [[Spent(seconds=value) for value in row] for row in rows]


def test_by_hand():
    # Proofs after 3 + 2 = 5 s and after 1 s (the third attempt comes after the proof); 4 + 4 = 8 s without one.
    run = run_of([[0, 1], [1, 0, 1], [0, 0]], seconds([3, 2], [1, 9, 9], [4, 4]))
    curve = curve_of(run, "seconds")
    assert curve.theorems == 3
    assert curve.budget == (0, 1, 5, 8)
    assert curve.solved == (0, 1, 2, 2)
    assert curve.total == (0, 1 + 1 + 1, 1 + 5 + 5, 1 + 5 + 8)
    assert curve.low == tuple(known(share(count, 3)).low for count in curve.solved)
    assert curve.high == tuple(known(share(count, 3)).high for count in curve.solved)


def test_every_resource_that_was_spent_has_its_own():
    spent = [[Spent(2, 30, 4, 5, 0.5, 0.25), Spent(1, 10, 2, 5, 0.25, 0.125)]]
    found = {each.resource: each.budget[-1] for each in curves(tally(run_of([[0, 1]], spent)))}
    assert found == {"samples": 3, "tokens": 40, "lean_calls": 6, "lean_seconds": 0.375, "seconds": 0.75}
    assert [each.resource for each in curves(tally(run_of([[0, 1]])))] == ["samples", "seconds"]


def test_a_proof_for_nothing_is_there_from_the_start():
    curve = curve_of(run_of([[1], [0]], seconds([0], [2])), "seconds")
    assert (curve.budget, curve.solved, curve.total) == ((0, 2), (1, 1), (0, 2))


def test_unscored_attempts_cost_and_unscored_theorems_are_no_theorems():
    curve = curve_of(run_of([[None, 1], [None]], seconds([3, 2], [7])), "seconds")
    assert (curve.theorems, curve.budget, curve.solved) == (1, (0, 5), (0, 1))


def test_what_does_not_elaborate():
    run = run_of([[1], []], problems={1: "no"})
    assert curve_of(run, "seconds").theorems == 2
    assert curve_of(run, "seconds", exclude_invalid=True).theorems == 1


@pytest.mark.parametrize("rewards", [[], [[]], [[None]]])
def test_without_a_judged_theorem_there_is_none(rewards):
    assert curves(tally(run_of(rewards))) == ()


attempt = st.tuples(st.sampled_from([0, 0, 1, None]), st.integers(0, 5))


@settings(deadline=None)
@given(st.lists(st.lists(attempt, max_size=4), max_size=6), st.integers(0, 25))
def test_against_a_plain_count(theorems, budget):
    run = run_of(
        [[reward for reward, _ in those] for those in theorems],
        [[Spent(samples=cost) for _, cost in those] for those in theorems],
    )
    solved = total = 0
    for those in theorems:
        if all(reward is None for reward, _ in those):
            continue
        used, proved = 0, False
        for reward, cost in those:
            used += cost
            if reward:
                proved = True
                break
        solved += proved and used <= budget
        total += min(used, budget)
    for curve in curves(tally(run)):
        if curve.resource == "samples":
            step = max(i for i, value in enumerate(curve.budget) if value <= budget)
            assert curve.solved[step] == solved
            if budget in curve.budget or budget >= curve.budget[-1]:
                assert curve.total[step] == total


def test_of_many_steps_exact_ones_remain():
    size = 3 * STEPS
    curve = curve_of(run_of([[1]] * size, seconds(*([i + 1] for i in range(size)))), "seconds")
    assert len(curve.budget) == STEPS
    assert (curve.budget[0], curve.budget[-1], curve.solved[-1]) == (0, size, size)
    for budget, solved, total in zip(curve.budget, curve.solved, curve.total, strict=True):
        assert solved == budget
        assert total == solved * (solved + 1) / 2 + (size - solved) * budget

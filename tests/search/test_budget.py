"""Budgets and the text of proofs."""

from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import Budget, Spent, proof_text


def test_no_limit_allows_everything():
    budget = Budget(seconds=None)
    spent = Spent(10**9, 10**9, 10**9, 10**9, 10.0**9)
    assert budget.allows_lean_call(spent)
    assert budget.allows_sample(spent)
    assert budget.seconds_left(spent) == inf


@settings(deadline=None)
@given(st.integers(0, 50), st.integers(0, 50))
def test_exactly_as_many_calls_as_the_budget_says(limit, wanted):
    budget, calls = Budget(lean_calls=limit, seconds=None), 0
    for _ in range(wanted):
        if budget.allows_lean_call(Spent(lean_calls=calls)):
            calls += 1
    assert calls == min(limit, wanted)


def test_time_that_is_up_allows_neither_calls_nor_samples():
    budget = Budget(seconds=2.0)
    assert budget.seconds_left(Spent(seconds=1.5)) == 0.5
    assert budget.allows_sample(Spent(seconds=1.999))
    assert not budget.allows_sample(Spent(seconds=2.0))
    assert not budget.allows_lean_call(Spent(seconds=7.0))
    assert budget.seconds_left(Spent(seconds=7.0)) == 0.0


@pytest.mark.parametrize("limits", [{"seconds": -1.0}, {"seconds": nan}, {"lean_calls": -1}, {"samples": -5}])
def test_nonsense_is_refused(limits):
    with pytest.raises(ValueError, match="a budget's"):
        Budget(**limits)


def test_proof_text_indents_every_line():
    assert proof_text(["intro n", "have h : n = n := by\n  rfl\nexact h"]) == (
        "by\n  intro n\n  have h : n = n := by\n    rfl\n  exact h"
    )

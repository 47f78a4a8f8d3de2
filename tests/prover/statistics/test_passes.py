"""pass@k against all subsets, by hand, and who is left out."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.statistics.passes import pass_at_k, passes
from prover.statistics.tally import tally
from tests.prover.statistics.runs import run_of


@settings(deadline=None)
@given(st.lists(st.integers(0, 1), min_size=1, max_size=9), st.data())
def test_it_is_the_share_of_all_subsets_with_a_proof(rewards, data):
    k = data.draw(st.integers(1, len(rewards)))
    subsets = list(combinations(rewards, k))
    expected = sum(any(subset) for subset in subsets) / len(subsets)
    assert pass_at_k(len(rewards), sum(rewards), k) == pytest.approx(expected, abs=1e-12)


def test_by_hand():
    assert pass_at_k(4, 1, 2) == pytest.approx(0.5)  # 1 - C(3, 2) / C(4, 2) = 1 - 3/6
    assert pass_at_k(5, 2, 3) == pytest.approx(0.9)  # 1 - C(3, 3) / C(5, 3) = 1 - 1/10
    assert pass_at_k(5, 3, 3) == 1
    assert pass_at_k(5, 0, 5) == 0


def test_it_is_stable_where_the_binomials_are_not():
    # C(3000, 100) has 171 digits; for one proof in n the formula is k / n.
    assert pass_at_k(3000, 1, 100) == pytest.approx(100 / 3000, rel=1e-12)
    assert pass_at_k(100_000, 1, 1) == pytest.approx(1e-5, rel=1e-9)


@pytest.mark.parametrize(("attempts", "proved", "k"), [(3, 1, 4), (3, 1, 0), (0, 0, 1), (3, 4, 1), (3, -1, 1)])
def test_what_is_not_defined_is_refused(attempts, proved, k):
    with pytest.raises(ValueError, match="not defined"):
        pass_at_k(attempts, proved, k)


def figures(run, **options):
    return [
        (each.k, each.estimate and each.estimate.value, each.theorems, each.left_out)
        for each in passes(tally(run, **options))
    ]


def test_averages_by_hand():
    # Of 4, 1 and 0 proofs in 4: pass@1 = (1 + 1/4 + 0) / 3, pass@2 = (1 + 1/2 + 0) / 3, pass@4 = (1 + 1 + 0) / 3.
    run = run_of([[1, 1, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0]])
    assert figures(run) == [
        (1, pytest.approx(5 / 12), 3, 0),
        (2, pytest.approx(1 / 2), 3, 0),
        (4, pytest.approx(2 / 3), 3, 0),
    ]


def test_the_last_k_is_the_most_attempts_also_between_powers():
    assert [k for k, *_ in figures(run_of([[0] * 6, [0] * 3]))] == [1, 2, 4, 6]
    assert [k for k, *_ in figures(run_of([[1]]))] == [1]


def test_unscored_attempts_are_no_attempts():
    # Scored: 1 of 2, 0 of 3, none. pass@1 = (1/2 + 0) / 2, pass@2 = (1 + 0) / 2, pass@3 of the second alone.
    run = run_of([[1, None, 0], [0, 0, 0], [None, None, None]])
    assert figures(run) == [(1, pytest.approx(1 / 4), 2, 1), (2, pytest.approx(1 / 2), 2, 1), (3, 0, 1, 2)]


def test_what_does_not_elaborate_is_unsolved_or_excluded():
    run = run_of([[1, 1], [], [0, 1]], problems={1: "unknown identifier"})
    assert figures(run) == [(1, pytest.approx(1.5 / 3), 3, 0), (2, pytest.approx(2 / 3), 3, 0)]
    assert figures(run, exclude_invalid=True) == [(1, pytest.approx(1.5 / 2), 2, 0), (2, 1, 2, 0)]


def test_a_row_that_was_refused_has_no_proof_even_with_an_attempt():
    assert figures(run_of([[1], [0]], problems={0: "no"})) == [(1, 0, 2, 0)]


@pytest.mark.parametrize("rewards", [[], [[]], [[None, None], [None]]])
def test_without_a_scored_attempt_there_is_no_k(rewards):
    assert figures(run_of(rewards)) == []

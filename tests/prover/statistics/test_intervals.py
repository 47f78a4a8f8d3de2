"""The bootstrap: against scipy, against exact coverage, and where there is nothing to resample."""

from itertools import pairwise
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.statistics import intervals
from tests.prover.statistics.runs import known


def share(count, of):
    return known(intervals.share(count, of))


def mean(values, bounds=(0, 1), seed=0):
    return known(intervals.mean(values, bounds, seed))


def test_nothing_has_no_estimate():
    assert intervals.share(0, 0) is None
    assert intervals.mean([]) is None


@pytest.mark.parametrize(("size", "above"), [(1, 0.975), (2, 0.841886), (100, 0.036217)])
def test_none_and_all_have_the_exact_one_sided_bound(size, above):
    # 1 - 0.025 ** (1 / n), the bound of Clopper and Pearson.
    none, everything = share(0, size), share(size, size)
    assert (none.value, none.low, none.high) == (0, 0, pytest.approx(above, abs=1e-6))
    assert (everything.value, everything.low, everything.high) == (1, pytest.approx(1 - above, abs=1e-6), 1)
    assert mean([0.0] * size) == none
    assert mean([1.0] * size) == everything


def test_a_constant_difference_may_go_either_way():
    # u = 1 - 0.025 ** (1 / 2) = 0.841886; from 0.5 there is 0.5 to go upwards and 1.5 downwards.
    none, half = mean([0, 0], (-1, 1)), mean([0.5, 0.5], (-1, 1))
    assert (none.low, none.high) == (pytest.approx(-0.841886, abs=1e-6), pytest.approx(0.841886, abs=1e-6))
    assert (half.low, half.high) == (pytest.approx(0.5 - 1.262829, abs=1e-6), pytest.approx(0.920943, abs=1e-6))


def test_a_share_by_hand():
    # Resamples of 1 in 4: binomial(4, 1/4), cumulative 81, 189, 243, 255, 256 of 256. Below the estimate, ties halved:
    # 135/256 = 0.52734, bias 0.06859; acceleration 0.5 / sqrt(0.75) / 6 = 0.09623. The tails become
    # Phi(0.06859 - 1.89137 / 1.18200) = 0.0628 and Phi(0.06859 + 2.02856 / 0.80480) = 0.9952: 0 and 3 of 4.
    assert intervals.bca_parts(135 / 256, 0.5 / 0.75**0.5) == pytest.approx((0.0628, 0.9952), abs=5e-5)
    estimate = share(1, 4)
    assert (estimate.value, estimate.low, estimate.high) == (0.25, 0, 0.75)


@pytest.mark.parametrize("size", [20, 50, 123, 488])
@pytest.mark.parametrize("chance", [0.02, 0.05, 0.1, 0.3, 0.5, 0.68, 0.9, 0.95])
def test_a_share_covers_the_truth_as_often_as_it_says(size, chance):
    covered = sum(
        comb(size, count) * chance**count * (1 - chance) ** (size - count)
        for count in range(size + 1)
        if share(count, size).low <= chance <= share(count, size).high
    )
    assert covered > 0.945


def test_the_mean_of_fractions_covers_the_truth():
    # Theorems with chances of Beta(0.3, 1), four attempts each: the mean share of proofs is 0.3 / 1.3.
    random = np.random.default_rng(1)
    truth, trials = 0.3 / 1.3, 400
    hits = 0
    for trial in range(trials):
        estimate = mean(random.binomial(4, random.beta(0.3, 1, 60)) / 4, seed=trial)
        hits += estimate.low <= truth <= estimate.high
    assert 0.91 < hits / trials < 0.98


@settings(deadline=None)
@given(st.integers(1, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_a_share_lies_in_its_interval_and_mirrors(counts):
    count, of = counts
    here, there = share(count, of), share(of - count, of)
    assert 0 <= here.low <= here.value <= here.high <= 1
    assert here.high == pytest.approx(1 - there.low, abs=1.001 / of)


def test_more_solved_is_never_a_lower_interval():
    for of in (7, 60, 488):
        estimates = [share(count, of) for count in range(of + 1)]
        for before, after in pairwise(estimates):
            assert before.low <= after.low
            assert before.high <= after.high


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30))
def test_a_mean_lies_in_its_interval(values):
    estimate = mean(values, (-1, 1))
    assert -1 - 1e-9 <= estimate.low <= estimate.value + 1e-9
    assert estimate.value - 1e-9 <= estimate.high <= 1 + 1e-9
    assert estimate.value == pytest.approx(np.mean(values))


def test_the_seed_decides_and_zeros_and_ones_need_none():
    values = [0.25, 0.5, 0.5, 1, 0, 0, 0.75] * 5
    assert mean(values, seed=3) == mean(values, seed=3)
    assert mean(values, seed=3) != mean(values, seed=4)
    assert mean([0, 1, 1, 0, 1], seed=3) == mean([1, 1, 1, 0, 0], seed=4) == share(3, 5)


def test_equal_fractions_of_different_attempts_are_one_value():
    # 0.1 + 0.2 is not 0.3 in its last digit; the interval must be that of a constant sample.
    estimate = mean([0.1 + 0.2, 0.3])
    assert estimate.low == pytest.approx(0.3 - 0.3 * 0.841886, abs=1e-6)


# scipy 1.17.1, bootstrap(method="BCa", n_resamples=400_000), the same for two seeds.


def test_as_scipy_said_of_eighths():
    values = np.repeat([0, 1, 2, 3, 4, 6, 8], [14, 6, 5, 3, 4, 2, 6]) / 8
    ours = mean(values)
    assert ours.value == 0.315625
    assert ours.low == pytest.approx(0.21875, abs=1.001 / 320)
    assert ours.high == pytest.approx(0.4375, abs=1.001 / 320)


def test_as_scipy_said_of_a_share():
    assert share(41, 123).low == pytest.approx(0.25203252032520324)
    assert share(41, 123).high == pytest.approx(0.42276422764227645)


def test_as_scipy_said_of_a_difference():
    ours = mean(np.repeat([-1, 0, 1], [10, 90, 25]), (-1, 1))
    assert ours.low == pytest.approx(0.032, abs=1.001 / 125)
    assert ours.high == pytest.approx(0.208, abs=1.001 / 125)


@pytest.mark.parametrize("size", [12, 60, 300])
def test_against_scipy(size):
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(size)
    values = random.binomial(8, random.beta(0.3, 1, size)) / 8
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(0)
    ).confidence_interval
    ours = mean(values)
    width = theirs.high - theirs.low
    # Both draw at random, and the means lie on a grid: an end may be two of its steps away.
    assert ours.low == pytest.approx(theirs.low, abs=0.02 * width + 2 / (8 * size))
    assert ours.high == pytest.approx(theirs.high, abs=0.02 * width + 2 / (8 * size))


def test_a_share_against_scipy():
    stats = pytest.importorskip("scipy.stats")
    values = np.array([1.0] * 41 + [0.0] * 82)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(0)
    ).confidence_interval
    ours = share(41, 123)
    assert ours.low == pytest.approx(theirs.low, abs=1.001 / 123)
    assert ours.high == pytest.approx(theirs.high, abs=1.001 / 123)

"""Drawing a token: shares of the distribution worked out by hand, and a grid of numbers as the oracle."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.sampling.drawing import draw, numbers

TENTHS = np.log(np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32))


def drawn(logits, chosen, temperature=1.0, top_p=1.0):
    """Token and log-probability for each of the numbers `chosen`, all from the same logits."""
    rows = len(chosen)
    logits = np.tile(np.asarray(logits, dtype=np.float32), (rows, 1))
    return draw(logits, np.full(rows, temperature), np.full(rows, top_p), np.asarray(chosen, dtype=np.float64))


def test_a_number_falls_into_the_share_of_a_token():
    # shares: [0, .1) [.1, .3) [.3, .6) [.6, 1)
    tokens, found = drawn(TENTHS, [0.0, 0.05, 0.15, 0.35, 0.59, 0.61, 0.999])
    assert tokens.tolist() == [0, 0, 1, 2, 2, 3, 3]
    assert found == pytest.approx([log(p) for p in (0.1, 0.1, 0.2, 0.3, 0.3, 0.4, 0.4)], abs=1e-6)


def test_temperature_one_half_squares_the_probabilities():
    # squares .01 .04 .09 .16, sum .3; shares end at .0333 .1667 .4667 1
    tokens, found = drawn(TENTHS, [0.03, 0.16, 0.46, 0.47], temperature=0.5)
    assert tokens.tolist() == [0, 1, 2, 3]
    assert found == pytest.approx([log(p / 0.3) for p in (0.01, 0.04, 0.09, 0.16)], abs=1e-6)


def test_top_p_keeps_the_fewest_that_reach_it_and_divides_by_their_sum():
    # .4 is less than .65, .4 + .3 is not: tokens 2 and 3 stay, with 3/7 and 4/7
    tokens, found = drawn(TENTHS, [0.0, 0.42, 0.43, 0.99], top_p=0.65)
    assert tokens.tolist() == [2, 2, 3, 3]
    assert found == pytest.approx([log(p / 7) for p in (3, 3, 4, 4)], abs=1e-6)


def test_top_p_of_nothing_keeps_the_likeliest_and_ties_go_to_the_first():
    assert drawn(TENTHS, [0.0, 0.99], top_p=0.0)[0].tolist() == [3, 3]
    assert drawn([1, 1, 1, 1], [0.0, 0.49, 0.51, 0.99], top_p=0.5)[0].tolist() == [0, 0, 1, 1]


def test_greedy_takes_the_likeliest_and_tells_the_model_s_own_probability():
    tokens, found = drawn(TENTHS, [0.0, 0.99], temperature=0.0, top_p=0.1)
    assert tokens.tolist() == [3, 3]
    assert found == pytest.approx([log(0.4)] * 2, abs=1e-6)


def test_rows_have_settings_of_their_own():
    logits = np.tile(TENTHS, (3, 1))
    tokens, found = draw(logits, np.array([1.0, 0.0, 1.0]), np.array([1.0, 1.0, 0.65]), np.full(3, 0.0))
    assert tokens.tolist() == [0, 3, 2]
    assert found == pytest.approx([log(0.1), log(0.4), log(3 / 7)], abs=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_row_that_is_no_distribution_is_told_by_its_log_probability(bad):
    assert np.isnan(drawn([0.0, bad, 0.0], [0.5])[1]).all()


def test_a_very_low_temperature_overflows_nothing():
    tokens, found = drawn([3.0, 80.0, 79.0], [0.999999], temperature=1e-30)
    assert tokens.tolist() == [1]
    assert found.tolist() == [0.0]


@given(
    st.lists(st.floats(-20, 20, width=32) | st.just(-np.inf), min_size=2, max_size=9),
    st.floats(0.2, 3.0),
    st.floats(0.05, 1.0),
)
def test_a_grid_of_numbers_draws_every_token_as_often_as_it_is_likely(logits, temperature, top_p):
    logits[0] = 0.0  # one that can be drawn
    tokens, found = drawn(logits, (np.arange(2000) + 0.5) / 2000, temperature, top_p)
    shares = np.bincount(tokens, minlength=len(logits)) / 2000
    for token in set(tokens.tolist()):
        probability = np.exp(found[tokens == token])
        assert np.ptp(probability) == 0
        assert shares[token] == pytest.approx(probability[0], abs=1 / 2000 + 1e-6)
    assert not shares[np.isinf(logits)].any()


def test_the_last_number_before_one_draws_no_token_that_cannot_be():
    logits = [*np.linspace(-3, 3, 1001), -np.inf, -np.inf]
    assert drawn(logits, [np.nextafter(1, 0)])[0].tolist() == [1000]


def test_numbers_hang_on_prompt_and_seed_alone():
    found = numbers([1, 2, 3], 7, 1000)
    assert numbers([1, 2, 3], 7, 10).tolist() == found[:10].tolist()
    assert numbers([1, 2, 3], 8, 10).tolist() != found[:10].tolist()
    assert numbers([1, 2, 4], 7, 10).tolist() != found[:10].tolist()
    assert found.min() >= 0
    assert found.max() < 1
    assert found.mean() == pytest.approx(0.5, abs=0.03)  # three standard deviations: 3 * sqrt(1/12/1000)
    assert len(numbers([5], -1, 3)) == 3

"""Advantages of a group, against numbers worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl.objective.advantages import advantages, zero_variance


def test_one_right_of_four():
    # mean 1/4; sample variance (0.75² + 3 · 0.25²) / 3 = 0.25, deviation 0.5
    assert advantages([1, 0, 0, 0], normalise_std=False) == [0.75, -0.25, -0.25, -0.25]
    assert advantages([1, 0, 0, 0], normalise_std=True) == [1.5, -0.5, -0.5, -0.5]


def test_fault_8_an_unscored_reward_is_not_0():
    # Of the two scored the mean is 1/2; were the unscored one 0 it would be 1/3.
    assert advantages([1, None, 0], normalise_std=False) == [0.5, None, -0.5]
    # sample deviation sqrt(0.5² + 0.5²) = 1 / sqrt 2
    assert advantages([1, None, 0], normalise_std=True) == pytest.approx([0.5**0.5, None, -(0.5**0.5)])
    assert advantages([None, None], normalise_std=True) == [None, None]
    assert advantages([None, 1], normalise_std=True) == [None, 0.0]


def test_fault_8_zero_variance_is_exact_equality():
    third = 1 / 3
    assert zero_variance([third, third, third])
    assert advantages([third, third, third], normalise_std=True) == [0.0, 0.0, 0.0]
    near = [0.5, 0.5 + 1e-9, 0.5]  # the deviation is 6e-10
    assert not zero_variance(near)
    # (2/3, -1/3, -1/3) e; their squares sum to 2/3 e², over two 1/3 e²
    assert advantages(near, normalise_std=True) == pytest.approx([-(3**-0.5), 2 * 3**-0.5, -(3**-0.5)], rel=1e-5)
    assert zero_variance([None, 1, None, 1])
    assert zero_variance([None])
    assert zero_variance([])
    assert not zero_variance([0, None, 1])


def test_a_reward_that_is_no_number():
    with pytest.raises(ValueError, match="not finite"):
        advantages([1.0, float("nan")], normalise_std=False)


@given(st.lists(st.none() | st.sampled_from([0.0, 0.25, 1.0]), max_size=12), st.booleans())
def test_advantages_sum_to_0_and_order_as_rewards(rewards, normalise_std):
    found = advantages(rewards, normalise_std)
    assert [value is None for value in found] == [reward is None for reward in rewards]
    pairs = zip(rewards, found, strict=True)
    scored = [(reward, value) for reward, value in pairs if reward is not None and value is not None]
    assert sum(value for _, value in scored) == pytest.approx(0, abs=1e-9)
    assert [value for _, value in sorted(scored)] == sorted(value for _, value in scored)
    assert zero_variance(rewards) == all(value == 0 for _, value in scored)

"""Discounted upper confidence bounds against numbers worked out by hand."""

from dataclasses import dataclass
from math import log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.bandit import after, bounds, choose, expected


@dataclass
class Arm:
    value: float = 0.0
    visits: float = 0.0
    running: int = 0


def test_rewards_fade_by_the_visits_since():
    # R = 1, 0, 1 with gamma 1/2: W = 1/4 + 0 + 1, N = 1 + 1/2 + 1/4.
    value = visits = 0.0
    for reward in (1.0, 0.0, 1.0):
        value, visits = after(value, visits, reward, 0.5)
    assert (value, visits) == (1.25, 1.75)


@given(st.lists(st.sampled_from([0.0, 1.0]), max_size=60), st.floats(0.1, 1.0))
def test_the_update_is_the_sum_of_the_paper(rewards, gamma):
    value = visits = 0.0
    for reward in rewards:
        value, visits = after(value, visits, reward, gamma)
    total = len(rewards)
    assert value == pytest.approx(sum(gamma ** (total - t) * r for t, r in enumerate(rewards, 1)))
    assert visits == pytest.approx(sum(gamma**t for t in range(total)))


@given(st.floats(0, 5), st.floats(0, 9), st.integers(0, 6), st.floats(0.5, 1.0))
def test_the_virtual_loss_is_so_many_visits_without_reward(value, visits, running, gamma):
    lost = value, visits
    for _ in range(running):
        lost = after(*lost, 0.0, gamma)
    assert expected(Arm(value, visits, running), gamma) == pytest.approx(lost)


def test_bounds():
    # N: 2 and 1, sum 3. With two running and gamma 1 the second has N = 3, sum 5.
    assert bounds([Arm(1, 2), Arm(1, 1)], 1.0) == pytest.approx([0.5 + sqrt(log(3)), 1 + sqrt(2 * log(3))])
    assert bounds([Arm(1, 2), Arm(1, 1, 2)], 1.0) == pytest.approx([0.5 + sqrt(log(5)), 1 / 3 + sqrt(2 * log(5) / 3)])
    # The sum is at least 2: ln 2 = 0.6931; N is at least 0.01.
    assert bounds([Arm(1, 1), Arm()], 0.99) == pytest.approx([1 + 1.17741, 11.7741], rel=1e-5)


def test_the_first_of_equals_and_what_was_never_visited():
    assert choose([Arm(), Arm()], 0.99) == 0
    assert choose([Arm(1, 1), Arm(), Arm()], 0.99) == 1
    assert choose([Arm(0, 1), Arm(0.5, 1)], 0.99) == 1
    assert choose([Arm(1, 1, 3), Arm(0.5, 1)], 0.99) == 1


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(1, 100)), min_size=1, max_size=8))
def test_no_visited_arm_goes_before_one_that_was_not(visited):
    arms = [Arm(share * visits, visits) for share, visits in visited]
    assert choose([*arms, Arm()], 0.99) == len(arms)

"""The formulas of step MCTS against numbers worked out by hand."""

from math import inf, log

import pytest

from search.puct import asks_again, conjunction, exploration, leaf_value, unvisited_value


def test_exploration():
    # N = 3199: ln(6400 / 3200) + 0.001 = 0.6931472 + 0.001, times sqrt(3199) = 56.559703.
    assert exploration(3199) == pytest.approx(0.6941472 * 56.559703, rel=1e-6)
    # N = 4: ln(3205 / 3200) = ln(1.0015625) = 0.00156128, and 2 (0.00156128 + 0.001) = 0.00512256.
    assert exploration(4) == pytest.approx(0.00512256, rel=1e-5)
    assert exploration(0) == 0.0
    assert exploration(9, base=1e15, init=1.25) == pytest.approx(3.75)


def test_the_value_of_an_untried_edge_is_its_node_s_so_many_tactics_further():
    assert unvisited_value(0.8, 0) == 0.8
    assert unvisited_value(1.0, 1) == pytest.approx(0.99)
    assert unvisited_value(1.0, 32) == pytest.approx(0.7249803, rel=1e-6)  # e^(32 ln 0.99) = e^-0.3216107


@pytest.mark.parametrize(
    ("values", "least", "product"), [([], 1.0, 1.0), ([0.5], 0.5, 0.5), ([0.5, 0.8, 0.25], 0.25, 0.1)]
)
def test_conjunction(values, least, product):
    assert conjunction(values, "min") == pytest.approx(least)
    assert conjunction(values, "product") == pytest.approx(product)


def test_a_node_is_asked_again_when_its_visits_have_grown():
    # 0.01 N^0.6 reaches 1 at N = 100^(5/3) = 2154.43, and 2 at N = 200^(5/3) = 6839.9.
    assert asks_again(0, 0)
    assert not asks_again(1, 2154)
    assert asks_again(1, 2155)
    assert not asks_again(2, 6839)
    assert asks_again(2, 6840)


def test_a_critic_s_score_is_the_logarithm_of_the_value():
    assert leaf_value(log(0.3)) == pytest.approx(0.3)
    assert leaf_value(-inf) == 0.0

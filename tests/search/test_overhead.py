"""The benchmark of the search's own Python: it grows the tree that it says, and measures what it says."""

from search.algorithms.beam import Beam
from search.algorithms.step_mcts import StepMCTS
from search.benchmark.overhead import PLANS, figures, overhead


def test_so_many_simulations_on_a_tree_of_at_least_so_many_nodes():
    for plan in (StepMCTS(), Beam(width=64)):
        gaps, size = overhead(plan, nodes=200, measured=40)
        assert len(gaps) == 40
        assert 200 <= size <= 200 + 3 * 40  # a tactic leaves at most two goals
        assert all(0 < gap < 1.0 for gap in gaps)


def test_a_figure_for_each_algorithm():
    found = figures(nodes=50, measured=10)
    assert [figure.name.removeprefix("overhead of ") for figure in found] == list(PLANS)
    assert all(1 < figure.value < 1e5 for figure in found)  # microseconds

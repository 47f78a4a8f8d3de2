"""The comparison in pairs, on graphs and with numbers worked out by hand."""

import pytest

from lean_env import Theorem
from search import Completion
from search.algorithms.rmaxts import RMaxTS
from search.algorithms.sample import Sample
from search.benchmark.paired import Pair, compare, compared, sign_test
from tests.search.graph_session import GraphSession, accepting

PAIRS = [
    Pair("p", 0, 3, 9), Pair("p", 1, 8, None), Pair("q", 0, 40, 8), Pair("q", 1, None, None), Pair("r", 0, None, 2),
    Pair("r", 1, 1, 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("samples", "tree", "alone", "only_tree", "only_alone", "differences", "p"),
    [
        (2, 1, 2, 0, 1, (-1, 0), 1.0),
        (8, 3, 3, 2, 2, (-1, 1), 1.0),
        (9, 3, 4, 1, 2, (-2, 1), 1.0),
        (64, 4, 4, 1, 1, (-1, 1), 1.0),
    ],
)
def test_what_was_solved_with_fewer_samples(samples, tree, alone, only_tree, only_alone, differences, p):
    found = compared(PAIRS, samples)
    assert (found.samples, found.pairs) == (samples, 6)
    assert (found.tree, found.alone, found.only_tree, found.only_alone) == (tree, alone, only_tree, only_alone)
    assert (found.differences, found.p) == (differences, p)


def test_sign_test():
    assert sign_test(0, 0) == 1.0
    assert sign_test(5, 0) == sign_test(0, 5) == 2 / 32
    assert sign_test(6, 2) == pytest.approx(2 * (1 + 8 + 28) / 256)


class Sequel:
    """Knows the first step at A and the second at B, and never both at once; at E it knows all."""

    def complete(self, prompts):
        return [Completion({"A": "a\nx", "B": "b", "E": "e"}[prompt.state.goals[0].target]) for prompt in prompts]


def test_theorems_that_are_found_at_once_are_left_out_and_the_others_are_paired():
    table: dict[str, dict[str, list[str]]] = {"A": {"a": ["B"]}, "B": {"b": []}, "E": {"e": []}}
    hard, easy = Theorem("hard", "theorem hard : True"), Theorem("easy", "theorem easy : True")
    starts = {"hard": ["A"], "easy": ["E"]}
    reported: list[Pair] = []
    found = compare(
        [easy, hard], Sequel(), lambda theorem: GraphSession(starts[theorem.name], table).open(theorem), accepting,
        tree=RMaxTS(), alone=Sample(), samples=4, seeds=(3, 5), report=reported.append,
    )  # fmt: skip
    assert found.left_out == ("easy",)
    assert found.pairs == (Pair("hard", 3, 2, None), Pair("hard", 5, 2, None)) == tuple(reported)
    assert found.lost == 0


def test_an_attempt_that_was_cut_short_makes_no_pair():
    found = compare(
        [Theorem("t", "theorem t : True")], Sequel(), GraphSession(["A"], {}).open, accepting,
        tree=RMaxTS(), alone=Sample(), samples=4, seeds=(0, 1), seconds=0.0,
    )  # fmt: skip
    assert (found.pairs, found.lost) == ((), 2)

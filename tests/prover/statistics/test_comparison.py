"""Two runs side by side: who solved what, McNemar's test, the differences."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.statistics import compare
from prover.statistics.comparison import mcnemar
from tests.prover.statistics.runs import known, row, run_of


def test_the_four_kinds():
    first = run_of([[1], [1], [0], [0], [1]])
    second = run_of([[1], [0], [1], [0], [0]])
    found = compare(first, second)
    assert (found.both, found.only_first, found.only_second, found.neither) == (("t0",), ("t1", "t4"), ("t2",), ("t3",))
    assert found.common == 5
    assert found.p_value == 1  # 1 or 2 of 3 throws: 2 * (1 + 3) / 8
    assert known(found.solved_difference).value == pytest.approx(1 / 5)
    back = compare(second, first)
    assert (back.only_first, back.only_second) == (found.only_second, found.only_first)
    assert known(back.solved_difference).value == pytest.approx(-1 / 5)


def test_they_are_matched_by_name_and_statement():
    first = run_of([[1], [0], [1], [1]], rows=[row("a"), row("b"), row("c", statement="theorem c : True"), row("d")])
    second = run_of([[1], [0], [1]], rows=[row("c", statement="theorem c : 1 = 1"), row("a"), row("b")])
    found = compare(first, second)
    assert (found.only_first, found.only_second) == (("a",), ("b",))
    assert (found.common, found.missing_in_second, found.missing_in_first, found.restated) == (2, 2, 1, 1)


def test_what_is_unscored_in_one_is_no_loss():
    found = compare(run_of([[None], [0, None], [], [1, None]]), run_of([[1], [1], [1], [1]]))
    assert found.unscored == ("t0", "t2")
    assert (found.only_second, found.both) == (("t1",), ("t3",))
    assert found.common == 4


def test_what_does_not_elaborate_in_one():
    first, second = run_of([[], [1]], problems={0: "no"}), run_of([[1], [1]])
    assert compare(first, second).only_second == ("t0",)
    excluded = compare(first, second, exclude_invalid=True)
    assert (excluded.invalid, excluded.only_second, excluded.both, excluded.common) == (("t0",), (), ("t1",), 2)
    assert compare(second, first, exclude_invalid=True).invalid == ("t0",)


def test_pass_at_1_is_paired():
    # First: 1/2 and 1; second: 1/4 and 1. The differences are 1/4 and 0: their mean is 1/8.
    found = compare(run_of([[1, 0], [1, 1]]), run_of([[0, 0, 0, 1], [1, 1, 1, 1]]))
    assert known(found.pass_at_1_difference).value == pytest.approx(1 / 8)
    # Pairs of equal differences leave no doubt but that of what was not seen; unpaired there would be more.
    same = compare(run_of([[1], [0]] * 50), run_of([[1], [0]] * 50))
    difference = known(same.pass_at_1_difference)
    assert (difference.value, difference.low) == (0, -difference.high)
    assert difference.high == pytest.approx(0.036217, abs=1e-6)


def test_a_clear_difference_is_seen_and_no_difference_is_not():
    clear = compare(run_of([[1]] * 60 + [[0]] * 40), run_of([[1]] * 45 + [[0]] * 55))
    assert known(clear.solved_difference).value == pytest.approx(0.15)
    assert 0.05 < known(clear.solved_difference).low < 0.15 < known(clear.solved_difference).high < 0.25
    assert clear.p_value == pytest.approx(2 / 2**15)
    level = compare(run_of([[1], [0]] * 20), run_of([[0], [1]] * 20))
    assert known(level.solved_difference).low < 0 < known(level.solved_difference).high
    assert level.p_value == 1


def test_nothing_in_common():
    found = compare(run_of([[1]], rows=[row("a")]), run_of([[1]], rows=[row("b")]))
    assert (found.common, found.p_value, found.solved_difference, found.pass_at_1_difference) == (0, 1, None, None)
    assert compare(run_of([]), run_of([])).common == 0


def test_mcnemar_by_hand():
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 0) == pytest.approx(2 / 32)
    assert mcnemar(1, 6) == pytest.approx(2 * (1 + 7) / 128)
    assert mcnemar(3, 3) == 1


def test_mcnemar_of_many_theorems():
    # With the normal approximation, corrected for continuity: z = 199 / sqrt(20000) = 1.4071, p = 0.1594.
    assert mcnemar(9_900, 10_100) == pytest.approx(0.1594, abs=1e-4)
    assert mcnemar(0, 20_000) == 0


def test_mcnemar_as_scipy_said():
    # scipy 1.17.1, binomtest(37, 98).pvalue and binomtest(3, 17).pvalue.
    assert mcnemar(37, 61) == pytest.approx(0.019690184799846844, rel=1e-12)
    assert mcnemar(3, 14) == pytest.approx(0.012725830078125, rel=1e-12)


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_against_scipy(only_first, only_second):
    stats = pytest.importorskip("scipy.stats")
    assert mcnemar(only_first, only_second) == mcnemar(only_second, only_first)
    if only_first + only_second:
        expected = stats.binomtest(only_first, only_first + only_second, 0.5).pvalue
        assert mcnemar(only_first, only_second) == pytest.approx(expected, rel=1e-9)

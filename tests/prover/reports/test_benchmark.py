"""The benchmark of reports, at a size that takes no time."""

from prover.benchmark.reports import figures


def test_the_figures_of_a_small_run():
    seconds, megabytes = figures(theorems=12, attempts=5)
    assert seconds.name == "a report over 60 attempts"
    assert 0 < seconds.value < 60
    assert 0.05 < megabytes.value < 5

"""All figures of a run at once, by hand; their JSON; runs in which nothing happened; a large run in time."""

import json
import time

import numpy as np
import pytest

from prover.runs.run import Session
from prover.statistics import RESOURCES, as_json, compare, summarise
from prover.statistics.intervals import share
from search import Spent
from tests.prover.statistics.runs import known, row, run_of

ROWS = [
    row("a", "algebra", "valid"),
    row("b", "logic", "valid"),
    row("c", "algebra", "test"),
    row("d", "", "test"),
    row("e", "logic", "test"),
    row("f", "logic", "test"),
]


def example():
    # a is proved in its second attempt, b in its first; c never; d is lost; e does not elaborate; f is not begun.
    rewards: list[list[int | None]] = [[0, 1], [1, 0], [0], [None, None], [], []]
    costs: list[list[float]] = [[1, 2], [5, 1], [4], [6, 0.5], [], []]
    spent = [[Spent(samples=1, lean_calls=2, seconds=cost) for cost in those] for those in costs]
    sessions = [Session(0, 10, 15, 2), Session(100, 5, 3, 1)]
    return run_of(rewards, spent, ROWS, {4: "no"}, sessions)


def test_counts():
    counts = summarise(example()).counts
    assert (counts.theorems, counts.invalid, counts.attempted, counts.finished, counts.unscored) == (6, 1, 4, 3, 1)
    assert (counts.judged, counts.proved) == (4, 2)
    assert (counts.attempts, counts.unscored_attempts, counts.proved_attempts) == (7, 2, 2)
    assert summarise(example(), exclude_invalid=True).counts.judged == 3


def test_figures():
    summary = summarise(example())
    assert summary.solved_share == share(2, 4)
    assert summarise(example(), exclude_invalid=True).solved_share == share(2, 3)
    assert summary.totals == {"samples": 7, "tokens": 0, "lean_calls": 14, "lean_seconds": 0, "seconds": 19.5}
    assert summary.unscored_totals["seconds"] == 6.5
    assert summary.cost_per_solved["seconds"] == 9.75
    # Proofs after 1 + 2 = 3 s and after 5 s: between them lie the median 4 and the 90th percentile 3 + 0.9 * 2.
    assert summary.median_seconds == 4
    assert summary.seconds_90 == pytest.approx(4.8)
    # 18 s busy of 10 s of two workers and 5 s of one.
    assert summary.session_seconds == 15
    assert summary.workers_busy == pytest.approx(18 / 25)
    assert [each.k for each in summary.passes] == [1, 2]
    # At k = 1: 1/2, 1/2, 0 and the invalid one 0.
    assert known(summary.passes[0].estimate).value == pytest.approx(1 / 4)
    assert [each.resource for each in summary.curves] == ["samples", "lean_calls", "seconds"]


def test_topics_and_splits():
    summary = summarise(example())

    def told(groups):
        return [(each.name, each.theorems, each.left_out, each.solved) for each in groups]

    assert told(summary.topics) == [("algebra", 2, 0, 1), ("logic", 2, 1, 1), ("", 0, 1, 0)]
    assert told(summary.splits) == [("valid", 2, 0, 2), ("test", 2, 2, 0)]
    assert known(summary.topics[0].pass_at_1).value == pytest.approx(1 / 4)
    assert summary.topics[0].solved_share == share(1, 2)
    assert summary.topics[2].solved_share is summary.topics[2].pass_at_1 is None
    assert told(summarise(example(), exclude_invalid=True).topics)[1] == ("logic", 1, 1, 1)
    assert summarise(run_of([[1], [0]])).topics == ()


def test_one_attempt_each_makes_one_interval_of_four():
    summary = summarise(run_of([[1]] * 83 + [[0]] * 40, rows=[row(f"t{i}", "all") for i in range(123)]))
    estimate = known(summary.solved_share)
    assert estimate == summary.passes[0].estimate == summary.topics[0].solved_share == summary.topics[0].pass_at_1
    assert (summary.curves[-1].low[-1], summary.curves[-1].high[-1]) == (estimate.low, estimate.high)


@pytest.mark.parametrize(
    ("rewards", "problems"),
    [([], {}), ([[], []], {}), ([[None, None], [None]], {}), ([[]], {0: "no"}), ([[0]], {}), ([[1]], {})],
)
@pytest.mark.parametrize("exclude_invalid", [False, True])
def test_json_of_runs_with_little_in_them(rewards, problems, exclude_invalid):
    run = run_of(rewards, problems=problems)
    data = as_json(summarise(run, exclude_invalid))
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["counts"]["theorems"] == len(rewards)
    assert list(data["cost_per_solved"]) == list(RESOURCES)
    compared = as_json(compare(run, run, exclude_invalid))
    assert json.loads(json.dumps(compared, allow_nan=False)) == compared


def test_json_of_a_full_run():
    summary = summarise(example())
    data = as_json(summary)
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["passes"][0] == {
        "k": 1,
        "estimate": {
            "value": 0.25,
            "low": known(summary.passes[0].estimate).low,
            "high": known(summary.passes[0].estimate).high,
        },
        "theorems": 4,
        "left_out": 2,
    }
    assert as_json(compare(example(), example()))["common"] == 6


def test_the_same_run_gives_the_same_figures():
    run = run_of([[int(i % 7 > j) for j in range(6)] for i in range(50)])
    assert summarise(run) == summarise(run)
    assert summarise(run, seed=1).passes != summarise(run).passes


def test_nothing_proved_costs_no_figure():
    summary = summarise(run_of([[0], [0]]))
    assert summary.cost_per_solved["seconds"] is None
    assert (summary.median_seconds, summary.seconds_90, summary.workers_busy) == (None, None, None)


def test_a_hundred_thousand_attempts():
    random = np.random.default_rng(0)
    chances = random.beta(0.3, 1, 1000)
    rewards = random.binomial(1, chances[:, None], (1000, 100)).tolist()
    rewards[0][0] = rewards[7][3] = None
    spent = [
        [Spent(3, 100, 7, 2, seconds, seconds / 2) for seconds in row] for row in random.random((1000, 100)).tolist()
    ]
    run = run_of(rewards, spent, [row(f"t{i}", f"topic {i % 40}", "test") for i in range(1000)])
    began = time.process_time()
    summary = summarise(run)
    # About 1 s; the limit leaves room for a slow machine.
    assert time.process_time() - began < 6
    assert known(summary.passes[0].estimate).value == pytest.approx(chances.mean(), abs=0.01)
    assert len(json.dumps(as_json(summary))) < 300_000

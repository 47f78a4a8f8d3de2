"""Runs of attempts from Python: when one is finished, and that attempts under other settings are not mixed."""

import pytest

from prover.benchmarks.row import Benchmark, Row
from prover.policies.plan import plan_policy
from prover.policies.spec import Options
from prover.runs.attempt import Attempt
from prover.runs.run import Run
from prover.runs.store import open_store
from prover.sources import UserInputError
from prover.statistics.intervals import share
from rl.evaluation import evaluation_of, sample_of
from rl.search_run import Attempts, is_finished, search_run
from search import BestFirst, Spent

ROWS = tuple(Row(f"t{number}", f"theorem t{number} : {number} = {number}") for number in range(4))


def run(rewards, attempts=1, problems=None, unscored="lost"):
    """Attempts at the rows, in order, with these rewards."""
    made = [
        Attempt(place % 4, place // 4, 0, reward, unscored if reward is None else "budget", Spent(lean_seconds=0.5))
        for place, reward in enumerate(rewards)
        if place % 4 not in (problems or {})
    ]
    return Run(None, {"attempts": attempts}, {}, ROWS, problems or {}, tuple(made))  # type: ignore[arg-type]


def test_a_run_is_finished_when_all_is_made_and_little_was_lost():
    assert is_finished(run([1, 0, 1, 0]))
    assert not is_finished(run([1, 0, 1]))
    assert not is_finished(run([1, 0, 1, 0], attempts=2))
    assert is_finished(run([1, 0, 1, 0, 0, 0, 0, 0], attempts=2))
    assert is_finished(run([1, 0, 1, 0], problems={2: "Unknown constant"}))
    assert is_finished(run([1, None, None, 0]))
    assert not is_finished(run([1, None, None, None]))
    assert is_finished(run([1, None, None, None], unscored="policy"))
    assert is_finished(run([], problems=dict.fromkeys(range(4), "no")))


def test_an_evaluation_is_a_share_of_what_was_judged():
    found = evaluation_of(run([1, None, 0, 0]))
    assert (found.proved, found.judged, found.unscored, found.share) == (1, 3, 1, share(1, 3))
    assert found.lean_seconds == 2.0
    assert found.share is not None
    assert found.metrics() == {
        "proved": 1, "judged": 3, "unscored": 1, "seconds": 0.0, "lean_seconds": 2.0,
        "share": 1 / 3, "low": found.share.low, "high": found.share.high,
    }  # fmt: skip
    assert found.sentence().startswith("1 of 3 proved (33.3 %, ")
    nothing = evaluation_of(run([None] * 4))
    assert nothing.share is None
    assert "share" not in nothing.metrics()


def test_the_same_seed_draws_the_same_sample():
    rows = tuple(Row(f"t{number}", f"theorem t{number} : True") for number in range(50))
    drawn = sample_of(Benchmark("b", rows), 10, 3)
    assert drawn.hash == sample_of(Benchmark("b", rows), 10, 3).hash
    assert len(drawn.rows) == 10
    assert drawn.hash != sample_of(Benchmark("b", rows), 10, 4).hash
    assert sample_of(Benchmark("b", rows), 60, 3).rows == rows


def test_attempts_under_other_settings_are_refused_before_anything_is_opened(tmp_path):
    theorems = Benchmark("b", ROWS)
    settings = {
        "version": 1, "benchmark": "b", "benchmark_hash": theorems.hash, "policy": "portfolio",
        "search": "best-first", "options": repr(BestFirst()), "attempts": 1, "budget_samples": None,
        "budget_calls": None, "budget_seconds": 60.0, "workers_per_theorem": 1, "seed": 0,
    }  # fmt: skip
    with open_store(tmp_path / "run", settings, list(enumerate(ROWS)), {}) as store:
        for number in range(4):
            store.add(Attempt(number, 0, 0, 1, "proved", Spent()))
            store.add_problem(number, "")
    policy = plan_policy("portfolio", Options(), BestFirst())
    no_pool = None
    found = search_run(tmp_path / "run", theorems, policy, Attempts(), no_pool)  # type: ignore[arg-type]
    assert len(found.attempts) == 4  # it is finished, and no Lean is asked
    with pytest.raises(UserInputError, match=r"the attempts was 1 and is 2; the seed was 0 and is 5"):
        search_run(tmp_path / "run", theorems, policy, Attempts(number=2, seed=5), no_pool)  # type: ignore[arg-type]

"""Runs of attempts from Python: when one is finished, and that attempts under other settings are not mixed."""

import os
import signal
import threading
import time
from typing import Any

import pytest

from lean_env import LeanPool
from lean_env.errors import WorkerLost
from lean_env.pool import FIRST_WORK
from lean_env.verdict import LeanVersion, Verdict
from prover.benchmarks.row import Benchmark, Row
from prover.policies.plan import plan_policy
from prover.policies.spec import Options
from prover.runs.attempt import Attempt
from prover.runs.run import Run
from prover.runs.store import open_store, read_run
from prover.sources import UserInputError
from prover.statistics.intervals import share
from rl.evaluation import evaluation_of
from rl.rollouts import lean as lean_module
from rl.rollouts.lost import JudgeLost
from rl.search_run import Attempts, is_finished, search_run
from search import BestFirst, SearchResult, Spent
from tests.rl.test_rollouts_judge_lost import PythonRoad

ROWS = tuple(Row(f"t{number}", f"theorem t{number} : {number} = {number}") for number in range(4))


def run(rewards, attempts=1, problems=None, unscored="lost"):
    """Attempts at the rows, in order, with these rewards."""
    made = [
        Attempt(place % 4, place // 4, 0, reward, unscored if reward is None else "budget", Spent(lean_seconds=0.5))
        for place, reward in enumerate(rewards)
        if place % 4 not in (problems or {})
    ]
    return Run(None, {"attempts": attempts}, {}, ROWS, problems or {}, tuple(made))  # type: ignore[arg-type]


def test_a_run_is_finished_when_all_is_made_and_none_lost_lean():
    assert is_finished(run([1, 0, 1, 0]))
    assert not is_finished(run([1, 0, 1]))
    assert not is_finished(run([1, 0, 1, 0], attempts=2))
    assert is_finished(run([1, 0, 1, 0, 0, 0, 0, 0], attempts=2))
    assert is_finished(run([1, 0, 1, 0], problems={2: "Unknown constant"}))
    assert not is_finished(run([1, None, 1, 0]))
    assert is_finished(run([1, None, None, None], unscored="policy"))
    assert is_finished(run([], problems=dict.fromkeys(range(4), "no")))


def test_an_evaluation_is_a_share_of_all_theorems():
    found = evaluation_of(run([1, None, 0, 0], unscored="policy"))
    assert (found.proved, found.theorems, found.unscored, found.share) == (1, 4, 1, share(1, 4))
    assert found.lean_seconds == 2.0
    assert found.metrics() == {
        "proved": 1, "theorems": 4, "unscored": 1, "seconds": 0.0, "lean_seconds": 2.0,
        "share": 0.25, "low": found.share.low, "high": found.share.high,
    }  # fmt: skip
    low, high = 100 * found.share.low, 100 * found.share.high
    assert found.sentence() == f"1 of 4 (25.0 %, {low:.1f} to {high:.1f}), 1 unscored"
    assert "unscored" not in evaluation_of(run([1, 0, 0, 0])).sentence()
    # Of what was judged alone it would be the better one.
    assert evaluation_of(run([1, None, None, None])).share.value < evaluation_of(run([1, 1, 0, 0])).share.value


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


class Pool:
    """Workers that are there, or after the first probe are lost for so many; what they prove is told by `Proving`."""

    size, worked_seconds, processes = 2, 0.0, (1, 2)

    def __init__(self, lost_probes: int = 0, commit: str = "38f3c0c4") -> None:
        self.lost_probes, self.probes = lost_probes, 0
        self.lean = LeanVersion("4.28.0", commit, "wasm", "package", "sandbox")

    def request(self, limit: float, **fields: Any) -> dict[str, Any]:
        self.probes += 1
        if 1 < self.probes <= 1 + self.lost_probes:
            raise WorkerLost("killed")
        return {}

    def check_statement(self, theorem: Any) -> str:
        return ""

    def health(self) -> dict[str, int]:
        return {"idle": 2, "busy": 0, "memory_mib": 1}

    def close(self) -> None:
        pass


class Proving:
    """Stands for `prove`: an attempt at a theorem loses Lean so many times before it has a proof.

    A theorem in `unanswered` has no answer of the model.
    """

    def __init__(self, losses: dict[str, int], unanswered: tuple[str, ...] = ()) -> None:
        self.losses, self.calls, self.unanswered = dict(losses), 0, unanswered

    def __call__(self, theorem: Any, *_: Any, **__: Any) -> SearchResult:
        self.calls += 1
        if theorem.name in self.unanswered:
            return SearchResult(None, Spent(), "policy")
        left = self.losses.get(theorem.name, 0)
        self.losses[theorem.name] = left - 1
        if left > 0:
            return SearchResult(None, Spent(), "lost")
        return SearchResult("by rfl", Spent(), "proved", Verdict(1, "proved"))


def searched(folder, monkeypatch, losses, pool=None, rows=ROWS, unanswered=(), **more):
    proving = Proving(losses, unanswered)
    return run_of(folder, monkeypatch, proving, pool or Pool(), rows, **more), proving.calls


def run_of(folder, monkeypatch, proving, pool, rows=ROWS, **more):
    monkeypatch.setattr("prover.runs.perform.prove", proving)
    monkeypatch.setattr("rl.search_run.PAUSES", (0.001, 0.001))
    monkeypatch.setattr(lean_module, "FIRST_WAIT", 0.001)
    policy = plan_policy("portfolio", Options(), BestFirst())
    return search_run(folder, Benchmark("b", rows), policy, Attempts(), pool, **more)


def test_attempts_that_lost_lean_are_made_again(tmp_path, monkeypatch):
    told: list[str] = []
    found, calls = searched(tmp_path, monkeypatch, {"t1": 1, "t2": 2}, Pool(lost_probes=3), say=told.append)
    assert [attempt.reward for attempt in found.attempts] == [1, 1, 1, 1]
    assert calls == 4 + 2 + 1
    assert told == [f"Lean was lost; {count} attempts are still to be made" for count in (2, 1)]
    # Finished for good.
    assert searched(tmp_path, monkeypatch, {})[1] == 0


def test_what_had_no_answer_of_a_model_is_made_again_only_with_what_lost_lean(tmp_path, monkeypatch):
    found, calls = searched(tmp_path / "one", monkeypatch, {}, unanswered=("t2",))
    assert [attempt.reward for attempt in found.attempts] == [1, 1, None, 1]
    assert (calls, searched(tmp_path / "one", monkeypatch, {})[1]) == (4, 0)
    found, calls = searched(tmp_path / "two", monkeypatch, {"t1": 1}, unanswered=("t2",))
    assert [attempt.reward for attempt in found.attempts] == [1, 1, None, 1]
    assert calls == 4 + 2


def test_what_loses_lean_each_time_is_unscored_and_tried_by_every_call(tmp_path, monkeypatch):
    found, calls = searched(tmp_path, monkeypatch, {"t1": 9})
    assert [attempt.reward for attempt in found.attempts] == [1, None, 1, 1]
    assert calls == 4 + 1 + 1
    assert evaluation_of(found).share == share(3, 4)
    found, calls = searched(tmp_path, monkeypatch, {})
    assert ([attempt.reward for attempt in found.attempts], calls) == ([1, 1, 1, 1], 1)


def test_a_run_that_lost_lean_on_more_than_one_in_fifty_ends(tmp_path, monkeypatch):
    rows = tuple(Row(f"t{number}", f"theorem t{number} : {number} = {number}") for number in range(100))
    lost = {f"t{number}": 9 for number in range(3)}
    with pytest.raises(JudgeLost, match=r"Lean was lost on 3 of 100 attempts in .*, again and again"):
        searched(tmp_path / "three", monkeypatch, lost, rows=rows)
    # What is finished is kept, and the same call goes on.
    found, calls = searched(tmp_path / "three", monkeypatch, {}, rows=rows)
    assert (sum(attempt.reward == 1 for attempt in found.attempts), calls) == (100, 3)
    del lost["t2"]
    found, _ = searched(tmp_path / "two", monkeypatch, lost, rows=rows)
    assert sum(attempt.reward is None for attempt in found.attempts) == 2
    with pytest.raises(JudgeLost, match="lost on 2 of 4 attempts"):
        searched(tmp_path / "half", monkeypatch, lost)


def test_a_lean_that_stays_away_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr("rl.search_run.PATIENCE", 0.05)
    with pytest.raises(JudgeLost, match="did not come back within 0 s: killed"):
        searched(tmp_path, monkeypatch, {"t1": 1}, Pool(lost_probes=10**9))
    stop = threading.Event()
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path, monkeypatch, {"t1": 1}, Pool(10**9), stop=stop, say=lambda text: stop.set())


def test_another_version_of_the_program_goes_on_and_another_lean_does_not(tmp_path, monkeypatch):
    with pytest.raises(JudgeLost):
        searched(tmp_path, monkeypatch, {"t1": 9, "t2": 9})
    before = read_run(tmp_path).settings["prover"]
    monkeypatch.setattr("prover.runs.environment.source_hash", lambda: "another program")
    with pytest.raises(UserInputError, match=r"the lean was wasm 4\.28\.0 38f3c0c4 and is wasm 4\.28\.0 0000"):
        searched(tmp_path, monkeypatch, {}, Pool(commit="0000"))
    found, _ = searched(tmp_path, monkeypatch, {})
    assert [attempt.reward for attempt in found.attempts] == [1, 1, 1, 1]
    assert found.settings["prover"] == before


def real_pool(folder, away):
    """A worker, of a process that does so once the file `away` is there, before it answers anything."""
    start = f"""
away = {str(folder / "away")!r}
if os.path.exists(away):
    {away}
"""
    return LeanPool(1, PythonRoad("ok['type'] = 'Prop'", start), spare=False)


def sending_away(folder, theorem, then=lambda: None):
    """Stands for `prove`: its one request, before which Lean goes away, the first time at this theorem."""
    calls = []

    def prove(asked, pool, *_, **__):
        calls.append(asked.name)
        if asked.name == theorem and calls.count(theorem) == 1:
            (folder / "away").write_text("")
            os.kill(pool.processes[0], signal.SIGKILL)
            then()
        try:
            pool.request(60.0, **FIRST_WORK)
        except WorkerLost:
            return SearchResult(None, Spent(), "lost")
        return SearchResult("by rfl", Spent(), "proved", Verdict(1, "proved"))

    return prove


# As many as a pool takes before it gives up, and one more.
ENDS = "size = os.path.getsize(away); open(away, 'a').write('x'); size < 4 and sys.exit(3)"
KILLED = "os.kill(os.getpid(), 9)"


def test_a_pool_that_gives_up_is_replaced_and_the_run_goes_on(tmp_path, monkeypatch):
    stop = threading.Event()
    told: list[str] = []
    with real_pool(tmp_path, ENDS) as pool:
        found = run_of(tmp_path, monkeypatch, sending_away(tmp_path, "t1"), pool, stop=stop, say=told.append)
        assert [attempt.reward for attempt in found.attempts] == [1, 1, 1, 1]
        assert "Lean was lost; 3 attempts are still to be made" in told
        assert not stop.is_set()
        # With the same pool, which has given up, the next run goes on.
        found = run_of(tmp_path / "next", monkeypatch, sending_away(tmp_path, ""), pool)
        assert [attempt.reward for attempt in found.attempts] == [1, 1, 1, 1]


@pytest.mark.parametrize("away", ["sys.exit(3)", KILLED], ids=["ends", "killed"])
@pytest.mark.parametrize("theorem", ["t1", None], ids=["later", "at once"])
def test_processes_that_do_not_start_are_waited_for_and_the_wait_has_an_end(tmp_path, monkeypatch, away, theorem):
    monkeypatch.setattr("rl.search_run.PATIENCE", 1.0)
    monkeypatch.setattr(lean_module, "START_SECONDS", 0.0)
    if theorem is None:
        (tmp_path / "away").write_text("")
    began = time.monotonic()
    with real_pool(tmp_path, away) as pool, pytest.raises(JudgeLost, match=r"^Lean is lost"):
        run_of(tmp_path / "run", monkeypatch, sending_away(tmp_path, theorem), pool)
    assert 1.0 <= time.monotonic() - began < 30
    if theorem:
        # What is finished is kept, and what was in work or to come is left to the next call.
        assert [attempt.reward for attempt in read_run(tmp_path / "run").attempts] == [1]


@pytest.mark.parametrize("away", ["sys.exit(3)", KILLED], ids=["ends", "killed"])
@pytest.mark.parametrize("theorem", ["t1", None], ids=["later", "at once"])
def test_a_wait_for_lean_hears_stop(tmp_path, monkeypatch, away, theorem):
    stop = threading.Event()
    timer = threading.Timer(0.5, stop.set)
    if theorem is None:
        (tmp_path / "away").write_text("")
        timer.start()
    began = time.monotonic()
    with real_pool(tmp_path, away) as pool, pytest.raises(KeyboardInterrupt):
        run_of(tmp_path / "run", monkeypatch, sending_away(tmp_path, theorem, timer.start), pool, stop=stop)
    assert time.monotonic() - began < 30

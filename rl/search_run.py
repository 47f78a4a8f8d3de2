"""A run of `prover bench` from Python: theorems, a policy and a budget, on Lean workers that the caller has.

Every attempt is durable before the next one begins, and the same call goes on; the folder is one that
`prover bench report` and `prover-rl harvest` read.
"""

import shlex
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lean_env import LeanPool, WorkerLost
from lean_env.pool import FIRST_WORK
from prover.algorithms import Search, plan_named
from prover.benchmarks.row import Benchmark
from prover.policies.plan import PolicyPlan
from prover.runs.environment import environment, judging, program
from prover.runs.run import Run
from prover.runs.settings import Settings, as_json, differences
from prover.runs.store import begun, open_store, read_run
from prover.runs.watched import perform_watched
from prover.sources import UserInputError
from rl.rollouts.lost import JudgeLost

# Share of a run's attempts, and at least one: some theorems are too much for a Lean that is there for all others.
MOST_LOST = 0.02
# Seconds before the attempts that lost Lean are made once more, and before those that lost it then.
PAUSES = (10.0, 60.0)
# Seconds: for one request that finds out whether Lean is there; between two; and for which it is waited for.
PROBE_SECONDS, NAP_SECONDS, PATIENCE = 60.0, 5.0, 600.0


@dataclass(frozen=True)
class Attempts:
    """How theorems are attempted: `number` times each, by the algorithm `search`, each time under one budget."""

    search: str = "best-first"
    number: int = 1
    seconds: float | None = 60.0
    calls: int | None = None
    samples: int | None = None
    seed: int = 0


def search_run(
    folder: Path,
    theorems: Benchmark,
    policy: PolicyPlan,
    attempts: Attempts,
    pool: LeanPool,
    *,
    home: Path | None = None,
    trees: bool = True,
    stop: threading.Event | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Run:
    """Makes all attempts that the run in `folder` lacks; nothing is opened for a run that lacks none.

    Paths below `home` are noted relative to it, so that a folder that was moved is gone on with. Attempts that lost
    Lean are made again, twice at most, when Lean is there; so does a call that goes on with a run. Another version of
    the program goes on with it too, and the run keeps the name of the first; another Lean does not.

    Raises:
        UserInputError: the folder holds a run with other settings.
        JudgeLost: Lean did not come back, or too many attempts lost it each time. What is finished is kept.
        KeyboardInterrupt: `stop` was set before the end. What is finished is kept.
    """
    stop = stop or threading.Event()
    algorithm = plan_named(attempts.search)
    text = policy.text.replace(f"{home}/", "") if home else policy.text
    wanted: dict[str, Any] = {
        "benchmark": theorems.name,
        "benchmark_hash": theorems.hash,
        "policy": text,
        "search": attempts.search,
        "options": repr(algorithm),
        "attempts": attempts.number,
        "budget_samples": attempts.samples,
        "budget_calls": attempts.calls,
        "budget_seconds": attempts.seconds,
        "workers_per_theorem": 1,
        "seed": attempts.seed,
    }
    if (found := begun(folder)) is not None:
        _refuse_others(folder, found, wanted)
        if is_finished(run := read_run(folder)):
            return run
    with policy.open() as policies:
        version = pool.lean
        settings = Settings(
            **wanted,
            lean=judging(version),
            prover=program(),
        )
        if found is not None:
            settings = replace(settings, prover=found["prover"])
            _refuse_others(folder, found, asdict(settings))
        known = environment(version, shlex.join(["prover-rl", *sys.argv[1:]]))
        with open_store(folder, as_json(settings), list(enumerate(theorems.rows)), known) as store:
            search = Search(algorithm, policies.make)
            for pause in (0.0, *PAUSES):
                if pause:
                    say(f"Lean was lost on {_lost(read_run(folder))} attempts; they are made again")
                    stop.wait(pause)
                    _wait_for(pool, stop)
                store.forget_unscored()
                perform_watched(store, pool, settings, search, say, stop, trees, policies.stop)
                if stop.is_set() or not _lost(read_run(folder)):
                    break
        for sentence in policies.lost():
            say(sentence)
    if stop.is_set():
        raise KeyboardInterrupt
    run = read_run(folder)
    if _lost(run) > max(1, MOST_LOST * len(run.attempts)):
        raise JudgeLost(f"Lean was lost on {_lost(run)} of {len(run.attempts)} attempts in {folder}, again and again.")
    return run


def is_finished(run: Run) -> bool:
    """Whether every attempt was made, and Lean was there for all of them."""
    possible = len(run.rows) - len(run.problems)
    made = sum(attempt.theorem not in run.problems for attempt in run.attempts)
    return made == possible * run.settings["attempts"] and not _lost(run)


def _lost(run: Run) -> int:
    """Attempts that lost Lean. Other unscored ones have asked a model for what it cannot answer."""
    return sum(attempt.reward is None and attempt.stopped == "lost" for attempt in run.attempts)


def _wait_for(pool: LeanPool, stop: threading.Event) -> None:
    """Returns when Lean answers, or `stop` is set.

    Raises:
        JudgeLost: it does not for `PATIENCE`.
    """
    began = time.monotonic()
    while not stop.is_set():
        try:
            pool.request(PROBE_SECONDS, **FIRST_WORK)
            return
        except WorkerLost as error:
            if (lost := time.monotonic() - began) > PATIENCE:
                raise JudgeLost(f"Lean is lost, and did not come back within {lost:.0f} s: {error}.") from error
            stop.wait(NAP_SECONDS)


def _refuse_others(folder: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    if changed := differences({key: found.get(key) for key in wanted}, wanted):
        raise UserInputError(
            f"{folder} holds attempts under other settings ({'; '.join(changed)}), and they are not mixed: go on with "
            "what it was begun with, or delete that folder and have them made again."
        )

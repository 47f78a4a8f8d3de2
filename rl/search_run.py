"""A run of `prover bench` from Python: theorems, a policy and a budget, on Lean workers that the caller has.

Every attempt is durable before the next one begins, and the same call goes on; the folder is one that
`prover bench report` and `prover-rl harvest` read.
"""

import shlex
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lean_env import LeanPool, SetupError
from prover.algorithms import Search, plan_named
from prover.benchmarks.row import Benchmark
from prover.policies.plan import PolicyPlan
from prover.runs.environment import environment, judging, program
from prover.runs.run import Run
from prover.runs.settings import Settings, as_json, differences
from prover.runs.store import begun, open_store, read_run
from prover.runs.watched import perform_watched
from prover.sources import UserInputError
from rl.rollouts.lean import CollectStopped, Lean
from rl.rollouts.lost import JudgeLost
from rl.rollouts.options import RolloutOptions

# Share of a run's attempts, and at least one: some theorems are too much for a Lean that is there for all others.
MOST_LOST = 0.02
# Seconds before the attempts that lost Lean are made once more, and before those that lost it then.
PAUSES = (10.0, 60.0)
PATIENCE = 600.0  # seconds for which Lean is waited for


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
    Lean are made again, twice at most, when Lean is there, and with them those that had no answer of a model; a call
    that goes on with a run does so, too. Another version of the program goes on with it as well, and the run keeps the
    name of the first; another Lean does not. A pool that has given up is closed, and another one takes its place here.

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
    options = RolloutOptions(patience=PATIENCE)
    with suppress(CollectStopped), policy.open() as policies, closing(Lean(pool, options, stop)) as lean:
        lean.wait_for()
        version = lean.pool.lean
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
                    say(f"Lean was lost; {sum(_left(read_run(folder)))} attempts are still to be made")
                    stop.wait(pause)
                    lean.wait_for()
                store.forget_unscored()
                # A pool that gives up ends them all, those in work and those to come.
                with suppress(SetupError), lean.watched() as ended:
                    perform_watched(store, lean.pool, settings, search, say, ended, trees, policies.stop)
                if is_finished(read_run(folder)):
                    break
        for sentence in policies.lost():
            say(sentence)
    if stop.is_set():
        raise KeyboardInterrupt
    run = read_run(folder)
    missing, lost = _left(run)
    count = missing + len(run.attempts)
    if missing or lost > max(1, MOST_LOST * count):
        raise JudgeLost(f"Lean was lost on {missing + lost} of {count} attempts in {folder}, again and again.")
    return run


def is_finished(run: Run) -> bool:
    """Whether every attempt was made, and Lean was there for all of them."""
    return _left(run) == (0, 0)


def _left(run: Run) -> tuple[int, int]:
    """Attempts that were not made, and those that lost Lean. Other unscored ones had no answer of a model."""
    possible = len(run.rows) - len(run.problems)
    made = sum(attempt.theorem not in run.problems for attempt in run.attempts)
    lost = sum(attempt.reward is None and attempt.stopped == "lost" for attempt in run.attempts)
    return possible * run.settings["attempts"] - made, lost


def _refuse_others(folder: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    if changed := differences({key: found.get(key) for key in wanted}, wanted):
        raise UserInputError(
            f"{folder} holds attempts under other settings ({'; '.join(changed)}), and they are not mixed: go on with "
            "what it was begun with, or delete that folder and have them made again."
        )

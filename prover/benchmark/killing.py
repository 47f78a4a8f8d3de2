"""Whether a run survives anything: killed at random moments, gone on with, and held against one that was left alone."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

from lean_env.benchmark.figures import Figure
from prover.runs.attempt import Attempt
from prover.runs.run import Run
from prover.runs.store import begun, read_run

# Budgets in calls alone: with one worker, what comes out does not depend on the clock.
OPTIONS = ("minif2f-core", "--budget-calls", "6", "--budget-seconds", "600", "--attempts", "2", "--workers", "1")
LATEST_KILL = 14.0  # seconds after its start; Lean is up after about four


def figures(kills: int = 20, seed: int = 0) -> list[Figure]:
    """How many of the attempts differ from those of an undisturbed run, are missing, or are there twice."""
    random, landed = Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        alone, killed = Path(folder) / "alone", Path(folder) / "killed"
        began = time.perf_counter()
        _bench(alone).wait()
        undisturbed = time.perf_counter() - began
        for _ in range(kills):
            process = _bench(killed)
            try:
                process.wait(random.uniform(0, LATEST_KILL))
                landed["after the end"] += 1
            except subprocess.TimeoutExpired:
                landed["while attempts were made" if begun(killed) else "before it had begun"] += 1
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
        if _bench(killed).wait():
            raise RuntimeError("the run that was killed does not go on")
        first, second = _attempts(read_run(alone)), _attempts(read_run(killed))
    differ = sum(first.get(key) != second.get(key) for key in {**first, **second})
    said = ", ".join(f"{count} {when}" for when, count in landed.items())
    detail = f"{len(first)} attempts, {undisturbed:.0f} s undisturbed; killed {said}"
    return [Figure(f"attempts that differ after {kills} kills", differ, "", "0", detail)]


def _bench(out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "prover.cli", "bench", *OPTIONS, "--out", str(out)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _attempts(run: Run) -> dict[tuple[str, int], Attempt]:
    """Every attempt without what the clock decides. The store's key says that none is there twice."""
    return {
        (run.rows[a.theorem].name, a.number): replace(
            a, finished=0.0, spent=replace(a.spent, seconds=0.0, lean_seconds=0.0)
        )
        for a in run.attempts
    }

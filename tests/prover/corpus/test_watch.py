"""What the line a minute says."""

import io
import time

import pytest
from rich.console import Console

from prover import line_a_minute
from prover.corpus.watch import Watch, shown

HEALTH = {"idle": 1, "busy": 2, "starting": 0, "memory_mib": 1240}


def test_the_rest_is_reckoned_from_what_this_run_has_done() -> None:
    watch = Watch(1000, lambda: HEALTH)
    watch.already(500, 400)
    assert watch.line() == "500 of 1,000 theorems; 400 kept; 2 workers busy, the largest 1,240 MiB"
    watch.done(50, 30)
    watch.began = time.monotonic() - 36_000
    # 50 in ten hours: ninety more for the 450 that are left.
    assert watch.line().startswith("550 of 1,000 theorems, about 90 h 00 min left; 430 kept;")


def test_a_worker_that_starts_is_said_so() -> None:
    assert Watch(9, lambda: {**HEALTH, "starting": 1}).status().endswith("; starting Lean")


def test_in_a_pipe_a_line_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_a_minute, "LINE_SECONDS", 0.02)
    pipe = io.StringIO()
    with shown(Watch(9, lambda: HEALTH), Console(file=pipe)):
        time.sleep(0.2)
    lines = pipe.getvalue().splitlines()
    assert 2 <= len(lines) <= 11
    assert set(lines) == {"0 of 9 theorems; 0 kept; 2 workers busy, the largest 1,240 MiB"}

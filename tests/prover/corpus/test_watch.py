"""What the line a minute says."""

import io
import time

import pytest
from rich.console import Console

from prover.corpus import watch as watch_module
from prover.corpus.watch import Watch, duration, shown

HEALTH = {"idle": 1, "busy": 2, "starting": 0, "memory_mib": 1240}


def test_the_rest_is_reckoned_from_what_this_run_has_done() -> None:
    watch = Watch(1000, lambda: HEALTH)
    watch.already(500, 400)
    assert watch.line() == "500 of 1,000 theorems; 400 kept; 2 workers busy, the largest 1,240 MiB"
    watch.done(50, 30)
    watch.began = time.monotonic() - 60
    # 50 in a minute: nine more for the 450 that are left; a moment has passed, so the tenth has begun.
    assert watch.line().startswith("550 of 1,000 theorems, about 10 min left; 430 kept;")


def test_a_worker_that_starts_is_said_so() -> None:
    assert Watch(9, lambda: {**HEALTH, "starting": 1}).status().endswith("; starting Lean")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (89, "89 s"), (90, "2 min"), (121, "3 min"), (120, "2 min")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_in_a_pipe_a_line_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "LINE_SECONDS", 0.02)
    pipe = io.StringIO()
    with shown(Watch(9, lambda: HEALTH), Console(file=pipe)):
        time.sleep(0.2)
    lines = pipe.getvalue().splitlines()
    assert 2 <= len(lines) <= 11
    assert set(lines) == {"0 of 9 theorems; 0 kept; 2 workers busy, the largest 1,240 MiB"}

"""What a pipe gets of a long work: by a clock, whatever the work is doing, and nothing after its end."""

import io
import time

import pytest
from rich.console import Console

from prover import line_a_minute as module
from prover.line_a_minute import line_a_minute


def test_it_says_how_far_the_work_is_by_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINE_SECONDS", 0.02)
    pipe, done = io.StringIO(), 0
    with line_a_minute(lambda: f"{done} of 9", Console(file=pipe)):
        while "0 of 9\n" not in pipe.getvalue():
            time.sleep(0.01)
        done = 4
        while "4 of 9\n" not in pipe.getvalue():
            time.sleep(0.01)
    said = pipe.getvalue()
    assert set(said.splitlines()) == {"0 of 9", "4 of 9"}
    time.sleep(0.1)
    assert pipe.getvalue() == said


def test_work_that_fails_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINE_SECONDS", 0.02)
    pipe = io.StringIO()
    with pytest.raises(ZeroDivisionError), line_a_minute(lambda: "on it", Console(file=pipe)):
        _ = 1 / 0
    said = pipe.getvalue()
    time.sleep(0.1)
    assert pipe.getvalue() == said


def test_short_work_says_nothing() -> None:
    pipe = io.StringIO()
    began = time.monotonic()
    with line_a_minute(lambda: "on it", Console(file=pipe)):
        pass
    assert pipe.getvalue() == ""
    assert time.monotonic() - began < 10  # the end is not waited for until the minute is over

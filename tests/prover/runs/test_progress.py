"""What a pipe hears of a run of a benchmark."""

import io
import time

import pytest
from rich.console import Console

from prover import line_a_minute
from prover.benchmarks.row import Row
from prover.runs.attempt import Attempt
from prover.runs.progress import Board, shown
from search import Spent


def test_in_a_pipe_lines_on_what_is_done_and_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_a_minute, "LINE_SECONDS", 0.02)
    rows = [Row(f"t{i}", f"theorem t{i} : True") for i in range(2)]
    health = {"busy": 1, "idle": 1, "memory_mib": 1240}
    board, pipe = Board(rows, 2, {}, lambda: health, print), io.StringIO()
    with shown(board, Console(file=pipe)):
        board.started(0, 0)
        board.began = time.monotonic() - 36_000  # one attempt took ten hours, and three are left
        board.ended(Attempt(0, 0, 0, 1, "proved", Spent()))
        while " left" not in pipe.getvalue():
            time.sleep(0.01)
    last = pipe.getvalue().splitlines()[-1]
    assert last == (
        "1/4 attempts; 1 of 2 theorems proved; 0.0 a minute; 30 h 00 min left; workers: 1 busy, 1 idle, 1240 MiB"
    )

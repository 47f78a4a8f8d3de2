"""What people see while proving goes on: on a wide and a narrow terminal, and in a pipe."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from lean_env import TacticError
from prover.progress import Attempt, LiveLines, PlainLines, attempt_line, progress, shortened
from search import EdgeTried, Proposal, Spent

ATTEMPT = Attempt("add_comm_of_everything", 0.0, Spent(lean_calls=412, nodes=37), "induction n with\n| zero => ?_")


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (100, "* add_comm_of_everything  3/60 s  412 calls, 37 states  induction n with | zero => ?_"),
        (70, "* add_comm_of_everything  3/60 s  412 calls, 37 states  induction n w…"),
        (60, "* add_comm_of_everything  3/60 s  412 calls, 37 states"),
        (40, "* add_comm_of_everything  3/60 s"),
        (24, "* add_comm_of_…  3/60 s"),
    ],
)
def test_a_line_for_every_width(width, line):
    assert attempt_line(ATTEMPT, 3.2, 60.0, "*", width) == line


@settings(deadline=None)
@given(st.text(max_size=50), st.integers(1, 40))
def test_shortened_fits(text, cells):
    short = shortened(text, cells)
    assert cell_len(short) <= cells
    assert short == text or short.endswith("…")


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_the_live_lines_never_wrap(width):
    lines = LiveLines(3, 60.0)
    lines.started(0, "x" * 300)
    lines.started(1, "short")
    lines.event(1, EdgeTried(0, Proposal("simp_all\n" * 50, -1.0), TacticError("no"), Spent(lean_calls=7)))
    lines.ended(0, "")
    console = Console(file=io.StringIO(), width=width, force_terminal=True, legacy_windows=False)
    with console.capture() as capture:
        console.print(lines)
    shown = capture.get().splitlines()
    assert len(shown) == 2
    assert "1 of 3" in shown[0]
    assert "short" in shown[1]


def test_a_pipe_gets_plain_lines():
    file = io.StringIO()
    with progress(2, 60.0, Console(file=file)) as display:
        assert isinstance(display, PlainLines)
        display.started(0, "a")
        display.ended(0, "a: proved; 0.1 s, 1 Lean call, 1 state")
        display.ended(1, "b: not proved within the budget; 60.0 s, 9 Lean calls, 2 states")
    assert file.getvalue() == (
        "[1/2] a: proved; 0.1 s, 1 Lean call, 1 state\n"
        "[2/2] b: not proved within the budget; 60.0 s, 9 Lean calls, 2 states\n"
    )

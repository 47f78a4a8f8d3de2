"""Shows on standard error how proving goes: live lines on a terminal, a plain line for each theorem in a pipe."""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from search import EdgeTried, NodeAdded, SearchEvent, Spent

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Progress(Protocol):
    """What a command tells while it works. Every method may be called from any thread."""

    def started(self, key: int, name: str) -> None:
        """The attempt at theorem `key` begins."""
        ...

    def event(self, key: int, event: SearchEvent) -> None:
        """Something happened in the search for theorem `key`."""
        ...

    def ended(self, key: int, line: str) -> None:
        """The attempt is over; `line` says how, unless that is told elsewhere."""
        ...

    def paused(self) -> AbstractContextManager[None]:
        """While this is open the display is off the terminal, so that results can be printed there."""
        ...


@dataclass
class Attempt:
    """What is known of a theorem that is being worked on."""

    name: str
    began: float
    spent: Spent = field(default_factory=Spent)
    tactic: str = ""


@contextmanager
def progress(total: int, budget_seconds: float | None, console: Console) -> Iterator[Progress]:
    """The display for `total` theorems on this console: live on a terminal, else plain lines."""
    if not console.is_terminal:
        yield PlainLines(total, console)
        return
    lines = LiveLines(total, budget_seconds)
    # rich would send what is printed to standard output to this console; the two may well be different files.
    lines.live = Live(lines, console=console, refresh_per_second=8, transient=True, redirect_stdout=False)
    with lines.live:
        yield lines


class PlainLines:
    """One line when a theorem is done; nothing moves."""

    def __init__(self, total: int, console: Console) -> None:
        self.total, self.console, self.done = total, console, 0
        self.lock = threading.Lock()

    def started(self, key: int, name: str) -> None:
        pass

    def event(self, key: int, event: SearchEvent) -> None:
        pass

    def ended(self, key: int, line: str) -> None:
        with self.lock:
            self.done += 1
            if self.total > 1 and line:  # of a single theorem the answer itself says all
                print(f"[{self.done}/{self.total}] {line}", file=self.console.file, flush=True)

    def paused(self) -> AbstractContextManager[None]:
        return nullcontext()


class LiveLines:
    """A line for every theorem in work: time, counts, and the tactic that was tried last. A renderable of rich."""

    def __init__(self, total: int, budget_seconds: float | None) -> None:
        self.total, self.budget_seconds = total, budget_seconds
        self.attempts: dict[int, Attempt] = {}
        self.done = 0
        self.message = "starting Lean"
        self.live: Live | None = None
        self.lock = threading.Lock()

    def started(self, key: int, name: str) -> None:
        with self.lock:
            self.message = ""
            self.attempts[key] = Attempt(name, time.monotonic())

    def event(self, key: int, event: SearchEvent) -> None:
        attempt = self.attempts.get(key)
        if attempt and isinstance(event, NodeAdded | EdgeTried):
            attempt.spent = event.spent
            if isinstance(event, EdgeTried):
                attempt.tactic = event.proposal.text

    def ended(self, key: int, line: str) -> None:
        with self.lock:
            self.attempts.pop(key, None)
            self.done += 1

    @contextmanager
    def paused(self) -> Iterator[None]:
        if self.live is None:
            yield
            return
        self.live.stop()
        try:
            yield
        finally:
            self.live.start(refresh=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with self.lock:
            attempts, message = list(self.attempts.values()), self.message
        width = max(20, options.max_width - 1)
        now = time.monotonic()
        spinner = SPINNER[int(now * 8) % len(SPINNER)]
        if message:
            yield _line(f"{spinner} {message}", width)
        if self.total > 1:
            yield _line(f"{self.done} of {self.total} theorems done", width, "dim")
        for attempt in attempts:
            yield _line(attempt_line(attempt, now, self.budget_seconds, spinner, width), width)


def attempt_line(attempt: Attempt, now: float, budget_seconds: float | None, spinner: str, width: int) -> str:
    """One theorem on one line of `width` cells: what does not fit is left out from the right, the name comes last."""
    seconds = now - attempt.began
    limit = f"/{budget_seconds:.0f}" if budget_seconds is not None else ""
    clock = f"{seconds:.0f}{limit} s"
    counts = f"{attempt.spent.lean_calls} calls, {attempt.spent.nodes} states"
    tactic = " ".join(attempt.tactic.split())
    line = f"{spinner} {shortened(attempt.name, max(8, width - cell_len(clock) - 5))}  {clock}"
    for part in (counts, tactic):
        room = width - cell_len(line) - 2
        if part and room >= (cell_len(part) if part is counts else 10):
            line += "  " + shortened(part, room)
    return line


def shortened(text: str, cells: int) -> str:
    """`text` in at most `cells` cells of a terminal, with `…` at the end if something is missing."""
    if cell_len(text) <= cells:
        return text
    while text and cell_len(text) > cells - 1:
        text = text[:-1]
    return text + "…"


def _line(text: str, width: int, style: str = "") -> Text:
    return Text(shortened(text, width), style=style, no_wrap=True, overflow="ellipsis")

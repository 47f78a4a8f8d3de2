"""Shows on standard error how a run goes: a live bar on a terminal, a line a minute in a pipe."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from prover.benchmarks.row import Row
from prover.duration import duration
from prover.line_a_minute import line_a_minute
from prover.progress import shortened
from prover.runs.attempt import Attempt
from search import SearchEvent

TOLD_PROBLEMS = 10


class Board:
    """What is known of a run while it goes. A watcher of `perform`, and a renderable of rich. Thread safe."""

    def __init__(
        self,
        rows: Sequence[Row],
        attempts: int,
        finished: Mapping[tuple[int, int], int | None],
        health: Callable[[], Mapping[str, int]],
        say: Callable[[str], None],
    ) -> None:
        self.rows, self.health, self.say = rows, health, say
        self.total = len(rows) * attempts
        self.attempts_each = attempts
        self.solved = {theorem for (theorem, _), reward in finished.items() if reward == 1}
        self.unscored = sum(reward is None for reward in finished.values())
        self.done, self.before = len(finished), len(finished)
        self.looked, self.problems = 0, 0
        self.working: dict[int, float] = {}  # theorem -> since when
        self.began = time.monotonic()
        self.lock = threading.Lock()

    def known_problems(self, count: int) -> None:
        """That so many of the rows cannot be attempted, as was found before."""
        with self.lock:
            self.problems += count
            self.total -= count * self.attempts_each

    def looked_at(self, row: Row, problem: str) -> None:
        with self.lock:
            self.looked += 1
            if not problem:
                return
            self.problems += 1
            self.total -= self.attempts_each
            told = self.problems
        if told <= TOLD_PROBLEMS:
            self.say(f"{row.label or row.name}: {row.name} does not elaborate: {problem}")
        elif told == TOLD_PROBLEMS + 1:
            self.say("and more; the report lists them")

    def started(self, theorem: int, number: int) -> None:
        with self.lock:
            self.working[theorem] = time.monotonic()

    def event(self, theorem: int, event: SearchEvent) -> None:
        pass

    def ended(self, attempt: Attempt) -> None:
        with self.lock:
            self.done += 1
            self.working.pop(attempt.theorem, None)
            self.unscored += attempt.reward is None
            if attempt.reward == 1:
                self.solved.add(attempt.theorem)

    def parts(self) -> list[str]:
        """The state of the run in phrases, the most useful first."""
        health = self.health()
        with self.lock:
            if not self.done and not self.working:
                return [f"{self.looked} of {len(self.rows)} statements looked at"]
            made, left = self.done - self.before, max(0, self.total - self.done)
            seconds = time.monotonic() - self.began
            parts = [
                f"{self.done}/{self.total} attempts",
                f"{len(self.solved)} of {len(self.rows)} theorems proved",
            ]
            if made:
                parts += [f"{made / seconds * 60:.1f} a minute", f"{duration(left * seconds / made)} left"]
            if self.unscored:
                parts.append(f"{self.unscored} unscored")
            starting = f", {health['starting']} starting" if health.get("starting") else ""
            parts.append(f"workers: {health['busy']} busy, {health['idle']} idle{starting}, {health['memory_mib']} MiB")
            return parts

    def working_line(self) -> str:
        """The theorems in work, and for how long."""
        now = time.monotonic()
        with self.lock:
            return ", ".join(f"{self.rows[i].name} {now - since:.0f} s" for i, since in self.working.items())

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(20, options.max_width - 1)
        yield ProgressBar(total=max(1, self.total), completed=self.done, width=min(width, 80))
        line = ""
        for part in self.parts():
            if line and cell_len(line) + 2 + cell_len(part) > width:
                yield Text(shortened(line, width), no_wrap=True)
                line = ""
            line += f"; {part}" if line else part
        yield Text(shortened(line, width), no_wrap=True)
        yield Text(shortened(self.working_line(), width), no_wrap=True, style="dim")


@contextmanager
def shown(board: Board, console: Console) -> Iterator[None]:
    """While this is open the board is on the console."""
    board.began = time.monotonic()
    if console.is_terminal:
        with Live(board, console=console, refresh_per_second=4, transient=True, redirect_stdout=False):
            yield
    else:
        with line_a_minute(lambda: "; ".join(board.parts()), console):
            yield

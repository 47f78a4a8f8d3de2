"""Shows on standard error how far a corpus is: a bar on a terminal, a line a minute in a pipe."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from prover.duration import duration
from prover.line_a_minute import line_a_minute


class Watch:
    """Counts what was looked at and what was kept. `health` says how the workers are. Thread safe."""

    def __init__(self, total: int, health: Callable[[], dict[str, int]]) -> None:
        self.total, self.health = total, health
        self.looked = self.kept = self.before = 0
        self.began = time.monotonic()
        self._lock = threading.Lock()

    def already(self, looked: int, kept: int) -> None:
        """What a run before this one did: it says nothing of how fast this one is."""
        with self._lock:
            self.looked, self.kept, self.before = self.looked + looked, self.kept + kept, self.before + looked

    def done(self, looked: int, kept: int) -> None:
        with self._lock:
            self.looked, self.kept = self.looked + looked, self.kept + kept

    def status(self) -> str:
        """What was kept, and how the workers are."""
        health = self.health()
        workers = f"{health['busy']} workers busy, the largest {health['memory_mib']:,} MiB"
        return f"{self.kept:,} kept; {workers}" + ("; starting Lean" if health["starting"] else "")

    def line(self) -> str:
        """The same, with how far it is and when it will be over."""
        seconds, now = time.monotonic() - self.began, self.looked - self.before
        left = f", about {duration(seconds / now * (self.total - self.looked))} left" if now else ""
        return f"{self.looked:,} of {self.total:,} theorems{left}; {self.status()}"


@contextmanager
def shown(watch: Watch, console: Console) -> Iterator[None]:
    """Shows it until the block ends."""
    if not console.is_terminal:
        with line_a_minute(watch.line, console):
            yield
        return
    over = threading.Event()
    shower = threading.Thread(target=_bar, args=(watch, console, over), daemon=True)
    shower.start()
    try:
        yield
    finally:
        over.set()
        shower.join()


def _bar(watch: Watch, console: Console, over: threading.Event) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[status]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("theorems", total=watch.total, status="")
        while not over.wait(0.25):
            bar.update(task, completed=watch.looked, status=watch.status())

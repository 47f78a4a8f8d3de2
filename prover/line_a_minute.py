"""How far a long work is, where there is no terminal to show it on: a line a minute."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

LINE_SECONDS = 60.0


@contextmanager
def line_a_minute(line: Callable[[], str], console: Console) -> Iterator[None]:
    """Until the block ends, what `line` says by then is printed once a minute, by a thread of its own."""
    over = threading.Event()

    def tell() -> None:
        while not over.wait(LINE_SECONDS):
            print(line(), file=console.file, flush=True)

    thread = threading.Thread(target=tell, daemon=True, name="progress")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()

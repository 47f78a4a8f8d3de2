"""One wall-clock limit for all that is asked on behalf of one row."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Deadline:
    """So many seconds of Lean at work, over any number of requests. Not thread safe.

    The clock stands while no worker has the row: a Lean that has still to be started costs nobody a verdict.
    """

    def __init__(self, wall_seconds: float) -> None:
        self.left = wall_seconds

    @contextmanager
    def running(self) -> Iterator[float]:
        """The clock runs inside of the block, which gets the seconds that are left; negative when they are over."""
        began = time.monotonic()
        try:
            yield self.left
        finally:
            self.left -= time.monotonic() - began

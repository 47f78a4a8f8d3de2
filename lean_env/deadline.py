"""One wall-clock limit for all that is asked on behalf of one row."""

import time


class Deadline:
    """`wall_seconds` from the first `start`, which is when a worker is at hand. Not thread safe.

    Until then the clock stands: a Lean that has still to be started costs nobody a verdict. Later waits count.
    """

    def __init__(self, wall_seconds: float) -> None:
        self.wall_seconds = wall_seconds
        self._end: float | None = None

    def start(self) -> float:
        """Starts the clock, if it stands; the seconds left, negative when they are over."""
        if self._end is None:
            self._end = time.monotonic() + self.wall_seconds
        return self._end - time.monotonic()

    def left(self) -> float | None:
        """The seconds left; None while the clock stands."""
        return None if self._end is None else self.start()

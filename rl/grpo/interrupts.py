"""Ctrl-C that does not tear a step in two: while the learner moves, it is kept back until the step is whole."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Keeps Ctrl-C back within `whole()`; a second one ends that, too. Outside of it Ctrl-C is what it always is."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._inside = False
        self._came = False

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Ctrl-C is heard here. Only the main thread may hear it; in another one this changes nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """What must not be left half done.

        Raises:
            KeyboardInterrupt: at the end, if Ctrl-C came within.
        """
        self._inside = True
        try:
            yield
        finally:
            self._inside = False
        if self._came:
            self._came = False
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._inside or self._came:
            raise KeyboardInterrupt
        self._came = True
        self._say("interrupted; the step is being finished (Ctrl-C again leaves it, for the checkpoint before)")

"""Calls of several threads for one model, which draws one batch at a time: those that wait become the next batch."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from prover.sampling.sampler import INTERRUPTED, Request, Sample

# Draws one sample for each request, in order. What it is given besides says whether it is to stop.
Draw = Callable[[Sequence[Request], Callable[[], bool]], Sequence[Sample]]


@dataclass(eq=False)
class _Call:
    """One call of `sample`, and what became of it."""

    requests: Sequence[Request]
    samples: list[Sample] = field(default_factory=list)
    error: Exception | None = None
    done: bool = False

    def interrupt(self) -> None:
        self.samples, self.done = [INTERRUPTED] * len(self.requests), True


class Together:
    """Answers calls from any thread by `draw`, which is never called twice at once."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._turn = threading.Condition()
        self._busy = False
        self._waiting: list[_Call] = []
        self._stopped = threading.Event()  # a new one for each batch

    @property
    def waiting(self) -> int:
        """How many calls wait for the next batch."""
        return len(self._waiting)

    def sample(self, requests: Sequence[Request]) -> list[Sample]:
        """One sample for each request, in order. What `draw` raises, all the calls of its batch raise."""
        if not requests:
            return []
        call = _Call(requests)
        with self._turn:
            self._waiting.append(call)
            try:
                self._turn.wait_for(lambda: call.done or not self._busy)
            except BaseException:  # an interrupted caller wants no answers any more
                self._waiting = [each for each in self._waiting if each is not call]
                raise
            calls: list[_Call] = []
            if not call.done:
                calls, self._waiting = self._waiting, []
                self._busy, self._stopped = True, threading.Event()
        if calls:
            self._answer(calls, self._stopped)
        if call.error is not None:
            raise call.error
        return call.samples

    def stop(self) -> None:
        """Ends the batch that is being drawn as soon as `draw` heeds it, and the calls that wait, at once. What their
        requests have no sample of yet is `INTERRUPTED`. Later calls are answered."""
        with self._turn:
            self._stopped.set()
            for call in self._waiting:
                call.interrupt()
            self._waiting = []
            self._turn.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While nothing is drawn."""
        with self._turn:
            self._turn.wait_for(lambda: not self._busy)
            self._busy = True
        try:
            yield
        finally:
            self._next()

    def _answer(self, calls: Sequence[_Call], stopped: threading.Event) -> None:
        try:
            samples = iter(self._draw([request for call in calls for request in call.requests], stopped.is_set))
            for call in calls:
                call.samples = [next(samples) for _ in call.requests]
        except Exception as error:
            for call in calls:
                call.error = error
        except BaseException:  # Ctrl-C came to this thread: the others lose their answers, and no more
            for call in calls:
                call.interrupt()
            raise
        finally:
            self._next(calls)

    def _next(self, answered: Sequence[_Call] = ()) -> None:
        with self._turn:
            for call in answered:
                call.done = True
            self._busy = False
            self._turn.notify_all()

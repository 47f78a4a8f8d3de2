"""The next batch is collected in a thread while the learner works on this one: one step off-policy, and never more."""

import threading
from collections.abc import Callable
from typing import Generic, Literal, TypeVar

NAP_SECONDS = 0.1
LONGEST_END = 60.0  # seconds that `close` waits for the thread; it is a daemon, and ends with the process

P = TypeVar("P")
B = TypeVar("B")


class Ahead(Generic[P, B]):
    """Batches of the steps 0 to `steps` - 1, each taken once and in order.

    `prepare(step)` is called in the caller's thread while nothing is collected: it gives the sampler the present
    weights and draws the step's theorems. `collect(prepared, step)` makes the batch, in another thread if `lag` is 1.

    With lag 0 a batch is made when it is taken. With lag 1 `take(step)` prepares the next step and has it collected
    from then on, so that every batch but the first is sampled with the weights that stand at the `take` before its own:
    exactly one update old if the caller updates once between two. `stop` has a `collect` in work end soon.

    For a checkpoint: `waiting()` is the batch that is made already, `give` puts it back in another process.
    """

    def __init__(
        self,
        prepare: Callable[[int], P],
        collect: Callable[[P, int], B],
        lag: Literal[0, 1],
        steps: int,
        stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._prepare, self._collect, self.lag, self.steps, self._stop = prepare, collect, lag, steps, stop
        self._job: _Job[B] | None = None
        self._given: tuple[int, B] | None = None

    def take(self, step: int) -> B:
        """The batch of this step; waits for it, and Ctrl-C ends the wait.

        Raises:
            Exception: what `prepare` or `collect` raised, in whichever thread.
            ValueError: another step's batch is waiting.
        """
        waiting = self.waiting()
        if waiting is None:
            batch = self._collect(self._prepare(step), step)
        elif waiting[0] == step:
            batch = waiting[1]
        else:
            raise ValueError(f"the batch of step {waiting[0]} is waiting, not that of step {step}")
        self._job = self._given = None
        if self.lag and step + 1 < self.steps:
            self._job = _Job(self._collect, self._prepare(step + 1), step + 1)
            self._job.start()  # known by now, should Ctrl-C come while it starts
        return batch

    def waiting(self) -> tuple[int, B] | None:
        """The next step and its batch, if that is made already or in work, which is waited for.

        Raises:
            Exception: what `collect` raised.
        """
        return self._given if self._job is None else (self._job.step, self._job.result())

    def give(self, step: int, batch: B) -> None:
        """Has `take(step)` find this batch, which `waiting` told before the process that made it ended."""
        self._given = (step, batch)

    def close(self) -> None:
        """Ends what is in work; its batch is lost, and its errors with it."""
        job, self._job = self._job, None
        if job is not None:
            job.end(self._stop)


class _Job(Generic[B]):
    """One batch in the making."""

    def __init__(self, collect: Callable[[P, int], B], prepared: P, step: int) -> None:
        self.step = step
        self._made: list[B] = []
        self._error: BaseException | None = None

        def work() -> None:
            try:
                self._made.append(collect(prepared, step))
            except BaseException as error:  # whatever it is, it is the caller's
                self._error = error

        self._thread = threading.Thread(target=work, name=f"collect-{step}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def result(self) -> B:
        while self._thread.is_alive():
            self._thread.join(NAP_SECONDS)
        if self._error is not None:
            raise self._error
        return self._made[0]

    def end(self, stop: Callable[[], None]) -> None:
        naps = int(LONGEST_END / NAP_SECONDS)
        while self._thread.is_alive() and naps:
            stop()  # again and again: it may just have been about to ask the sampler
            self._thread.join(NAP_SECONDS)
            naps -= 1

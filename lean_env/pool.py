"""N Lean workers and one warm spare: requests in, answers out, whatever happens to a process in between."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from lean_env.answers import raise_statement_error
from lean_env.deadline import Deadline
from lean_env.errors import LeanEnvError, SetupError, WorkerKilled, WorkerLost
from lean_env.open_road import open_road
from lean_env.retry import lost_too_often, summary
from lean_env.road import Road, RoadName
from lean_env.session import ProofSession
from lean_env.theorem import Theorem
from lean_env.verdict import LeanVersion
from lean_env.worker import LeanWorker, WorkerTimeout

# A start is refused after so many processes in a row ended before their first answer.
FAILED_STARTS = 3
START_SECONDS = 180.0
NO_START = "Lean does not start: "
REMEMBERED_HEADERS = 4
# What a spare does before it is needed: the first judgement of a process takes some tenths of a second longer.
FIRST_WORK: dict[str, Any] = {
    "method": "judge",
    "header": "",
    "name": "first",
    "statement": "theorem first (a b : Nat) (h : a = b) : a + 0 = b",
    "kind": "proof",
    "text": "by simp [h]; done",
}


@dataclass(frozen=True)
class PoolEvent:
    """Something that happened to a worker: `kind` is `ready`, `lost` or `retired` (too large, or had run code)."""

    kind: str
    message: str = ""
    seconds: float = 0.0


class LeanPool:
    """Lean workers of one machine. Thread safe.

    `workers` are at work at most (default: the cores); one more process waits as a spare, so that a crash costs a
    hand-over instead of a start. Workers are interchangeable: what a session keeps in one of them it can rebuild in
    another. A worker that outgrows `retire_mib` between two requests is replaced.

    Raises:
        SetupError: Lean is not there and cannot be installed.
    """

    def __init__(
        self,
        workers: int | None = None,
        lean: RoadName | Road = "wasm",
        on_event: Callable[[PoolEvent], None] | None = None,
        *,
        spare: bool = True,
        retire_mib: int = 1900,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self.size = max(1, workers or os.cpu_count() or 1)
        self.road = open_road(lean, progress) if isinstance(lean, str) else lean
        self._on_event = on_event or (lambda event: None)
        self._spare = 1 if spare else 0
        self._retire_mib = retire_mib
        self._changed = threading.Condition()
        self._idle: deque[LeanWorker] = deque()
        self._busy: set[LeanWorker] = set()
        self._starting = 0
        self._rising: set[LeanWorker] = set()
        self._dismissed: set[LeanWorker] = set()  # killed on purpose
        self._failed_starts = 0
        self._trouble: LeanEnvError | None = None
        self._closed = False
        self._headers: deque[str] = deque([""], maxlen=REMEMBERED_HEADERS)
        self._version: LeanVersion | None = None
        self._worked_seconds = 0.0
        with self._changed:
            self._top_up()

    # -- Requests

    def request(self, limit: float | Deadline, *, alone: bool = False, **fields: Any) -> dict[str, Any]:
        """One request, answered by any worker; tried once more, on a fresh one, if its worker is lost.

        (Some times more if that was killed from outside.) `limit`: seconds of a worker's time, for all tries together,
        or a deadline shared with others. `alone`: that worker will never be asked anything again. None is asked that is
        not `trusted` (`LeanWorker`); it ends, if there is no other.

        Raises:
            WorkerTimeout: the limit is over; not tried again.
            WorkerLost: its worker was lost too often.
        """
        deadline = limit if isinstance(limit, Deadline) else Deadline(limit)
        losses: list[WorkerLost] = []
        while True:
            try:
                with self.lease(trusted=True) as worker, deadline.running() as seconds:
                    if seconds <= 0:
                        raise WorkerTimeout("the wall-clock limit is over")
                    try:
                        return worker.request(seconds, **fields)
                    finally:
                        if alone:
                            self._dismissed.add(worker)
                            worker.kill()
            except WorkerTimeout:
                raise
            except WorkerLost as error:
                losses.append(error)
                if self._closed or self._trouble:
                    raise
                if lost_too_often(losses):
                    raise WorkerLost(summary(losses)) from error

    @contextmanager
    def lease(self, prefer: LeanWorker | None = None, *, trusted: bool = False) -> Iterator[LeanWorker]:
        """A worker for this thread alone, until the block ends. Waits for one; for `prefer` if that is alive."""
        worker = self._take(prefer, trusted)
        began = time.monotonic()
        try:
            yield worker
        finally:
            with self._changed:
                self._worked_seconds += time.monotonic() - began
            self._give_back(worker)

    def remember_header(self, header: str) -> None:
        """Makes this header one of those that a fresh worker imports before it is needed."""
        with self._changed:
            if header in self._headers:
                self._headers.remove(header)
            self._headers.append(header)

    def session(self, theorem: Theorem) -> ProofSession:
        """A proof in progress, of this theorem. See ProofSession."""
        return ProofSession(self, theorem)

    def check_statement(self, theorem: Theorem) -> str:
        """Lean's own text of what the theorem says.

        Raises:
            StatementError: it does not elaborate. UnknownImportError: its header imports what is not there.
        """
        fields: dict[str, Any] = {"header": theorem.header, "name": theorem.name, "statement": theorem.statement}
        answer = self.request(START_SECONDS, method="statement", **fields)
        raise_statement_error(answer)
        self.remember_header(theorem.header)
        return str(answer["ok"]["type"])

    # -- What it is

    @property
    def lean(self) -> LeanVersion:
        """Which Lean answers. Waits for the first worker."""
        if self._version is None:
            with self.lease(trusted=True) as worker:
                answer = worker.request(START_SECONDS, method="hello")["ok"]
            self._note_version(answer)
        assert self._version is not None
        return self._version

    @property
    def known_version(self) -> LeanVersion | None:
        """Which Lean answers, if one ever did."""
        return self._version

    def _note_version(self, hello: dict[str, Any]) -> None:
        version, road = str(hello["version"]).split(",")[0], self.road
        self._version = LeanVersion(version, hello["commit"], road.name, road.package, road.sandbox)

    def health(self) -> dict[str, int]:
        """How many workers are idle, busy and starting, and the largest one's resident size in MiB."""
        with self._changed:
            live = [*self._idle, *self._busy]
            counts = {"idle": len(self._idle), "busy": len(self._busy), "starting": self._starting}
        return {**counts, "memory_mib": max((worker.memory() for worker in live), default=0)}

    @property
    def worked_seconds(self) -> float:
        """For how long workers were in use, summed over all; a use counts when it ends. Starting one counts nothing."""
        with self._changed:
            return self._worked_seconds

    @property
    def processes(self) -> list[int]:
        """The process ids of the live workers."""
        with self._changed:
            return [worker.process.pid for worker in (*self._idle, *self._busy)]

    # -- End

    def close(self) -> None:
        """Ends every process. Requests that are still running raise WorkerLost."""
        with self._changed:
            self._closed = True
            live = [*self._idle, *self._busy, *self._rising]
            self._idle.clear()
            self._changed.notify_all()
        for worker in live:
            worker.kill()
        with self._changed:
            while self._starting:
                self._changed.wait(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- Inside

    def _take(self, prefer: LeanWorker | None, trusted: bool) -> LeanWorker:
        with self._changed:
            while True:
                if self._closed:
                    raise WorkerLost("the pool is closed")
                if self._trouble:
                    raise self._trouble
                wanted = prefer if prefer is not None and prefer in self._busy else None
                if wanted is None and self._idle and len(self._busy) < self.size:
                    first = next((each for each in self._idle if each.trusted or not trusted), self._idle[0])
                    worker = prefer if prefer in self._idle and prefer is not None else first
                    self._idle.remove(worker)
                    if worker.running() and (worker.trusted or not trusted):
                        self._busy.add(worker)
                        return worker
                    worker.kill()
                    self._top_up()
                    continue
                self._changed.wait()

    def _give_back(self, worker: LeanWorker) -> None:
        retired = worker.alive and worker.memory() > self._retire_mib
        if retired:
            worker.kill()
        with self._changed:
            self._busy.discard(worker)
            if worker.alive and not self._closed:
                self._idle.append(worker)
            else:
                self._top_up()
            self._changed.notify_all()
        dismissed = worker in self._dismissed
        self._dismissed.discard(worker)
        if retired or dismissed:
            self._on_event(PoolEvent("retired"))
        elif not worker.alive:
            self._on_event(PoolEvent("lost"))

    def _top_up(self) -> None:
        """Starts what is missing. The spare comes last: the others are waited for, it is not."""
        ready = len(self._idle) + len(self._busy)
        wanted = self.size + (self._spare if ready >= self.size else 0)
        for _ in range(wanted - ready - self._starting):
            if self._closed or self._trouble:
                return
            self._starting += 1
            threading.Thread(target=self._start, daemon=True, name="lean-start").start()

    def _start(self) -> None:
        begun = time.monotonic()
        worker: LeanWorker | None = None
        trouble: LeanEnvError | None = None
        try:
            worker = LeanWorker(self.road)
            with self._changed:
                self._rising.add(worker)
            if self._closed:
                worker.kill()
            self._note_version(worker.request(START_SECONDS, method="hello")["ok"])
            with self._changed:
                headers = list(self._headers)
                hurry = len(self._idle) + len(self._busy) < self.size
            for header in headers:
                worker.request(START_SECONDS, method="header", header=header)
            if not hurry:
                worker.request(START_SECONDS, **FIRST_WORK)
        except WorkerLost as error:
            log = f": {worker.log_tail}" if worker and worker.log_tail else ""
            trouble = (
                WorkerKilled(str(error)) if isinstance(error, WorkerKilled) else SetupError(NO_START + str(error) + log)
            )
        except LeanEnvError as error:
            trouble = error
        except Exception as error:  # whatever it is, those who wait for a worker must hear of it
            trouble = SetupError(f"{NO_START}{error!r}")
        with self._changed:
            self._starting -= 1
            if worker:
                self._rising.discard(worker)
            if trouble:
                # A header that was remembered may be what a fresh worker dies of.
                self._headers = deque([""], maxlen=REMEMBERED_HEADERS)
                self._failed_starts += not isinstance(trouble, WorkerKilled)
                if self._failed_starts >= FAILED_STARTS:
                    self._trouble = trouble
            elif worker and not self._closed:
                self._failed_starts = 0
                self._idle.append(worker)
            self._top_up()
            self._changed.notify_all()
        if worker and (self._closed or trouble):
            worker.kill()
        elif worker:
            self._on_event(PoolEvent("ready", seconds=time.monotonic() - begun))

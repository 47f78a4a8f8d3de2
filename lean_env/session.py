"""A proof in progress: tactics run on saved states, any of which can be continued from."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, Protocol, Self

from lean_env.answers import raise_statement_error, read_goal
from lean_env.code_scan import runs_code
from lean_env.errors import WorkerLost
from lean_env.goal import Focus, ProofFinished, Step, TacticError, TacticState
from lean_env.retry import lost_too_often, summary
from lean_env.theorem import Theorem
from lean_env.worker import LeanWorker, WorkerTimeout

START_SECONDS = 60.0
# For all steps of the path together; a tactic that is given more time gives as much to this.
REBUILD_SECONDS = 10.0
# Lean that was asked to give up has so long to do it before its process is ended.
GRACE_SECONDS = 2.0
CLOCKS_APART = 0.05
DROPPED_AT_ONCE = 64


class Lender(Protocol):
    """Where a session gets its worker from: a LeanPool here, something across machines elsewhere."""

    def lease(self, prefer: LeanWorker | None = None) -> AbstractContextManager[LeanWorker]: ...

    def remember_header(self, header: str) -> None: ...


class ProofSession:
    """Tactic states of one theorem, kept in one worker of the pool. Belongs to one thread.

    When the worker is gone, states are rebuilt in another one by running their `path` again; the caller sees nothing
    of it. The same tactic losing its worker twice is a `TacticError` of kind `lost`.

    Raises:
        StatementError: the theorem's statement, or its header, does not elaborate.
        WorkerLost: no worker could start it.
    """

    def __init__(self, pool: Lender, theorem: Theorem) -> None:
        self.pool, self.theorem = pool, theorem
        self._worker: LeanWorker | None = None
        self._generation = 0
        self.lean_seconds = 0.0  # of Lean at work for this session, rebuilt states included
        self._handles: dict[tuple[Step, ...], int] = {}  # path -> handle, in the present worker
        self._dropped: list[int] = []
        self._rebuild_seconds = 0.0  # what is left of them to the present call
        losses: list[WorkerLost] = []
        while True:
            try:
                self.start = self._begin()
                pool.remember_header(theorem.header)
                break
            except WorkerTimeout:
                raise
            except WorkerLost as error:
                losses.append(error)
                if lost_too_often(losses):
                    raise

    def run_tactic(
        self, state: TacticState, text: str, heartbeats: int = 200_000, wall_seconds: float = 10.0
    ) -> TacticState | TacticError | ProofFinished:
        """Runs `text`, one or more tactics, on `state`. `heartbeats` is Lean's own limit, in its thousands.

        The wall clock is the limit behind it; when it fires, the worker is replaced. Where the state must be rebuilt
        first, that may take as long again, or 10 s if that is more; if it takes longer the error is of kind `lost`, and
        nothing is known of the tactic. (Starting the theorem on another worker has its own limit of 60 s.)
        """
        losses: list[WorkerLost] = []
        self._rebuild_seconds = max(REBUILD_SECONDS, wall_seconds)
        while True:
            try:
                return self._run(state, text, heartbeats, wall_seconds)
            except WorkerTimeout:
                return TacticError("the state could not be rebuilt in time", "lost")
            except WorkerLost as error:
                losses.append(error)
                if lost_too_often(losses):
                    return TacticError(summary(losses), "lost")

    async def arun_tactic(
        self, state: TacticState, text: str, heartbeats: int = 200_000, wall_seconds: float = 10.0
    ) -> TacticState | TacticError | ProofFinished:
        """`run_tactic` for asynchronous callers, one call at a time."""
        return await asyncio.to_thread(self.run_tactic, state, text, heartbeats, wall_seconds)

    def drop(self, state: TacticState) -> None:
        """Lets the server forget a state. It can still be continued from, at the price of running its path again."""
        handle = self._handles.pop(state.path, None)
        if handle is not None and state.path:
            self._dropped.append(handle)

    def close(self) -> None:
        """Gives back what the server keeps for this session."""
        if self._worker and self._worker.alive:
            self._dropped += self._handles.values()
            try:
                with self.pool.lease(self._worker) as worker:
                    if worker is self._worker:
                        self._send_drops(worker)
            except WorkerLost:
                pass
        self._handles = {}
        self._worker = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> TacticState:
        with self.pool.lease() as worker:
            self._move_to(worker)
            return self._start_on(worker)

    def _move_to(self, worker: LeanWorker) -> None:
        self._worker = worker
        self._generation += 1
        self._handles = {}
        self._dropped = []

    def _start_on(self, worker: LeanWorker) -> TacticState:
        theorem = self.theorem
        answer = worker.request(
            START_SECONDS, method="start", header=theorem.header, name=theorem.name, statement=theorem.statement
        )
        raise_statement_error(answer)
        self.lean_seconds += answer["nanoseconds"] / 1e9
        return self._keep(answer, ())

    @contextmanager
    def _lease(self) -> Iterator[LeanWorker]:
        """The worker that has the states, or another one with the theorem started on it."""
        with self.pool.lease(self._worker) as worker:
            if worker is not self._worker:
                self._move_to(worker)
                self._start_on(worker)
            yield worker

    def _again(self, worker: LeanWorker, handle: int, step: Step) -> dict[str, Any]:
        """Takes one step of a path, within what is left of the seconds for all of them."""
        if self._rebuild_seconds <= 0:
            raise WorkerTimeout("no time is left to rebuild the state")
        began = time.monotonic()
        try:
            if isinstance(step, Focus):
                fields: dict[str, Any] = {"method": "focus", "goals": list(step.goals)}
            else:
                worker.trusted &= not runs_code(step)
                fields = {"method": "tactic", "text": step, "heartbeats": 400_000}
            answer = worker.request(self._rebuild_seconds, state=handle, **fields)
            self.lean_seconds += answer["nanoseconds"] / 1e9
            return answer
        finally:
            self._rebuild_seconds -= time.monotonic() - began

    def _run(
        self, state: TacticState, text: str, heartbeats: int, wall_seconds: float
    ) -> TacticState | TacticError | ProofFinished:
        with self._lease() as worker:
            handle = self._handle_of(worker, state)
            if len(self._dropped) >= DROPPED_AT_ONCE:
                self._send_drops(worker)
            fields = {"method": "tactic", "state": handle, "text": text, "heartbeats": heartbeats}
            worker.trusted &= not runs_code(text)
            grace = GRACE_SECONDS if worker.road.interrupts else 0.0
            try:
                answer = worker.request(wall_seconds + grace, interrupt=wall_seconds, **fields)
            except WorkerTimeout:
                self.lean_seconds += wall_seconds
                return TacticError(f"no answer within {wall_seconds:g} s", "timeout", wall_seconds)
        seconds = answer["nanoseconds"] / 1e9
        self.lean_seconds += seconds
        if "error" in answer:
            error = answer["error"]
            # Lean's clock starts a little after the one that interrupts it.
            if seconds >= wall_seconds - CLOCKS_APART and (error["kind"] == "limit" or seconds >= wall_seconds):
                return TacticError(f"no answer within {wall_seconds:g} s", "timeout", seconds)
            return TacticError(error["message"], error["kind"], seconds)
        path = (*state.path, text)
        if answer["ok"].get("finished"):
            return ProofFinished(path, seconds)
        return self._keep(answer, path)

    def _handle_of(self, worker: LeanWorker, state: TacticState) -> int:
        """The state's handle in this worker, rebuilt from the nearest ancestor that it has."""
        if state.path in self._handles:
            return self._handles[state.path]
        known = next(n for n in range(len(state.path), -1, -1) if state.path[:n] in self._handles or n == 0)
        if state.path[:known] not in self._handles:
            self._start_on(worker)
        for n in range(known, len(state.path)):
            handle = self._handles[state.path[:n]]
            step = state.path[n]
            answer = self._again(worker, handle, step)
            if "state" not in answer.get("ok", {}):
                raise WorkerLost(f"the state could not be rebuilt at: {step}")
            self._keep(answer, state.path[: n + 1])
        return self._handles[state.path]

    def _keep(self, answer: dict[str, Any], path: tuple[Step, ...]) -> TacticState:
        handle = answer["ok"]["state"]
        self._handles[path] = handle
        goals = tuple(read_goal(goal) for goal in answer["ok"]["goals"])
        return TacticState(goals, path, handle, self._generation, answer["nanoseconds"] / 1e9)

    def _send_drops(self, worker: LeanWorker) -> None:
        worker.request(START_SECONDS, method="drop", states=self._dropped)
        self._dropped = []

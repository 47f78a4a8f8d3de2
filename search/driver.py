"""Runs an algorithm: workers take what it asks for next, do it outside of the lock, and tell it what came of it.

One worker is the calling thread, and its search is reproducible. More are threads, each with a session of its own.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from lean_env.errors import WorkerLost
from lean_env.goal import TacticError
from search.books import Books
from search.budget import Budget
from search.claims import Claims
from search.critics import CriticError
from search.events import NodeAdded, SearchEvent
from search.graph.proof_graph import Node, ProofGraph
from search.perform import Performer
from search.policy import Judge, ProofPolicy, Session, TacticPolicy
from search.tasks import Complete, Completed, Outcome, Task, Try, Write, Written


class Algorithm(Protocol):
    """Says what to do next, and hears what came of it; never called by two threads at once."""

    def next(self) -> Task | None:
        """The next thing to do; None if there is nothing until something that is under way comes back."""
        ...

    def hear(self, outcome: Outcome) -> None:
        """What came of a task. An edge may come back a second time, with new nodes in the place of shared ones."""
        ...


@dataclass(frozen=True)
class Limits:
    """The guard behind Lean's heartbeats: `wall_seconds` for one tactic, `judge_seconds` for judging a proof."""

    wall_seconds: float = 6.0
    judge_seconds: float = 60.0


class Attempt:
    """One attempt at a theorem: `books` has what it came to, `claims` the proof if there is one."""

    def __init__(
        self,
        graph: ProofGraph,
        algorithm: Algorithm,
        policy: TacticPolicy | ProofPolicy,
        judge: Judge,
        budget: Budget,
        on_event: Callable[[SearchEvent], None] = lambda event: None,
        should_stop: Callable[[], bool] = lambda: False,
        limits: Limits = Limits(),
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        began: float | None = None,
    ) -> None:
        self.algorithm, self.should_stop = algorithm, should_stop
        self.books = Books(graph, budget, on_event, clock, clock() if began is None else began)
        self.claims = Claims(self.books, judge, limits.judge_seconds, self._hear)
        self.performer = Performer(self.books, self.claims, policy, limits.wall_seconds, seed, self._hear)
        self._running = 0
        self._workers = 0  # those that have a Lean, or wait for one

    def run(self, sessions: Sequence[Callable[[], AbstractContextManager[Session]]]) -> None:
        """Works until it is over, one worker for each session. Ctrl-C ends it; what is known stays.

        Raises:
            Exception: whatever `on_event` or the judge raises.
        """
        with self.books.changed:
            for node in self.books.graph.nodes:
                self.books.on_event(NodeAdded(node.number, _parent(node), node.state, self.books.spent()))
        self._workers = len(sessions)
        if len(sessions) == 1:
            try:
                with sessions[0]() as session:
                    self._work(session)
            except KeyboardInterrupt:
                self.books.stop("interrupted")
            return
        failures: list[BaseException] = []
        begun: set[int] = set()

        def work(number: int) -> None:
            try:
                with sessions[number]() as session:
                    begun.add(number)
                    self._work(session)
            except WorkerLost as error:
                self._lose(error)
            except BaseException as error:
                failures.append(error)
                self.books.stop("lost")

        threads = [
            threading.Thread(target=work, args=[i], name=f"search-{i}", daemon=True) for i in range(len(sessions))
        ]
        for thread in threads:
            thread.start()
        for i, thread in enumerate(threads):
            # One that is still waiting for its Lean has nothing to bring.
            while thread.is_alive() and (self.books.stopped is None or i in begun):
                try:
                    thread.join(0.05)
                except KeyboardInterrupt:
                    self.books.stop("interrupted")
        if failures:
            raise failures[0]

    def _work(self, session: Session) -> None:
        """Takes tasks until the attempt is over."""
        self.claims.claim()  # a graph to go on with may hold a proof already
        works = True
        while works and (task := self._take()) is not None:
            try:
                works = self._perform(task, session)
            finally:
                # Not before its outcome was heard, or a worker that finds nothing to do would take that for the end.
                with self.books.changed:
                    self._running -= 1
                    self.books.changed.notify_all()

    def _perform(self, task: Task, session: Session) -> bool:
        """Does one thing and has the algorithm hear of it. False if the session's Lean was lost."""
        try:
            self.performer.perform(task, session)
        except WorkerLost as error:
            with self.books.changed:
                self._lose(error)
                if self.books.stopped is None:
                    self._hear_of_loss(task, error)
            return False
        self.claims.claim()
        return True

    def _hear(self, outcome: Outcome) -> None:
        with self.books.changed:
            try:
                self.algorithm.hear(outcome)
            except CriticError as error:
                self.books.stop("policy", str(error))
            self.books.changed.notify_all()

    def _lose(self, error: WorkerLost) -> None:
        """One worker less; the others go on."""
        with self.books.changed:
            self._workers -= 1
            if not self._workers:
                self.books.stop("lost", str(error))

    def _hear_of_loss(self, task: Task, error: WorkerLost) -> None:
        if isinstance(task, Try):
            self._hear(self.books.tried(task.edge, task.heartbeats, TacticError(str(error), "lost")))
        elif isinstance(task, Complete):
            self._hear(Completed(task, None))
        elif isinstance(task, Write):
            self._hear(Written(task, None))

    def _take(self) -> Task | None:
        while True:
            with self.books.changed:
                if self._over():
                    return None
                try:
                    task = self.algorithm.next()
                except CriticError as error:
                    self.books.stop("policy", str(error))
                    return None
                if task is not None:
                    self._running += 1
                    return task
                if self._running or self.claims.judging:
                    self.books.changed.wait(0.05)
                elif not self.claims.blame_another():
                    self.books.stop("budget" if self.books.refused else "exhausted")
                    return None
            self.claims.claim()

    def _over(self) -> bool:
        if self.books.stopped is None and self.should_stop():
            self.books.stop("interrupted")
        if self.books.stopped is None and not self.books.budget.allows_lean_call(self.books.spent()):
            self.books.stop("budget")
        return self.books.stopped is not None


def _parent(node: Node) -> int | None:
    return node.parents[0].node.number if node.parents else None

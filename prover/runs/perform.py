"""Performs a run: looks at every statement, then makes the attempts that the store does not have yet."""

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol, TypeVar

from lean_env import LeanPool, StatementError, UnknownImportError, WorkerLost
from prover.algorithms import Search
from prover.benchmarks.row import Row
from prover.policies.losses import with_losses
from prover.proving import prove
from prover.runs.attempt import Attempt
from prover.runs.settings import Settings
from prover.runs.store import Store
from search import SearchEvent, SearchResult, Spent
from search.graph.stored import to_json

# An attempt that cannot even start, although its statement was looked at, ends so.
UNSTARTED = "statement"

# What ended by no fault of the prover's: its Lean was lost, or its model or answers of it.
UNSCORED = ("lost", "policy")

T = TypeVar("T")


class Watcher(Protocol):
    """What is told while a run is performed. Called from any thread."""

    def looked_at(self, row: Row, problem: str) -> None: ...

    def started(self, theorem: int, number: int) -> None: ...

    def event(self, theorem: int, event: SearchEvent) -> None: ...

    def ended(self, attempt: Attempt) -> None: ...


@dataclass
class Performance:
    """One process's work at a run. Set `stop` to end it; what is in work then is dropped, and made again later.

    `stop_policies` has models give up the answers that are in work.
    """

    store: Store
    pool: LeanPool
    settings: Settings
    search: Search
    watcher: Watcher
    stop: threading.Event
    keep_trees: bool = True
    stop_policies: Callable[[], None] = lambda: None

    def look(self) -> None:
        """Elaborates every statement that nobody has looked at, and notes what is wrong with it."""
        known = self.store.problems()
        rows = self.store.rows()
        unknown = [(number, rows[number]) for number in by_header(rows) if number not in known]
        self._each(unknown, self.pool.size, self._look)

    def attempts(self) -> None:
        """Makes what is missing: the first attempt at every theorem, header by header, then the second, and so on."""
        rows, problems, done = self.store.rows(), self.store.problems(), self.store.finished()
        missing = [
            (theorem, number)
            for number in range(self.settings.attempts)
            for theorem in by_header(rows)
            if not problems.get(theorem) and (theorem, number) not in done
        ]
        if not missing:
            return
        session, began, before = self.store.begin_session(self.pool.size), time.monotonic(), self.pool.worked_seconds

        def perform(task: tuple[int, int]) -> None:
            attempt = self._attempt(rows[task[0]], *task)
            if attempt is not None:
                self.store.add(attempt)
                self.store.note_session(session, time.monotonic() - began, self.pool.worked_seconds - before)
                self.watcher.ended(attempt)

        self._each(missing, max(1, self.pool.size // self.settings.workers_per_theorem), perform)

    def _each(self, tasks: list[T], at_once: int, perform: Callable[[T], None]) -> None:
        """`perform` for every task, so many at once; an error ends all. Waits in naps, so that Ctrl-C is heard."""
        left, lock = deque(tasks), threading.Lock()

        def next_task() -> Iterator[T]:
            while not self.stop.is_set():
                with lock:
                    if not left:
                        return
                    task = left.popleft()
                yield task

        def work() -> None:
            for task in next_task():
                perform(task)

        with ThreadPoolExecutor(at_once, thread_name_prefix="attempt") as executor:
            running: set[Future[None]] = {executor.submit(work) for _ in range(min(at_once, len(tasks)))}
            try:
                while running:
                    done, running = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
                    for future in done:
                        future.result()
            except BaseException:
                self.stop.set()
                self.pool.close()  # what is in work is not waited for
                while running:
                    self.stop_policies()  # again and again: a thread may just have been about to ask
                    _, running = wait(running, timeout=0.2)
                raise

    def _look(self, task: tuple[int, Row]) -> None:
        number, row = task
        problem = ""
        try:
            self.pool.check_statement(row.theorem)
        except UnknownImportError as error:
            problem = error.message.split(" No directory", 1)[0]  # what follows are folders inside of Lean
            if self.pool.road.name == "wasm":
                problem += " (Mathlib and what needs it are there with `--lean native`)"
        except StatementError as error:
            where = "header, line" if error.in_header else "line"
            problem = f"{where} {error.line}: {' '.join(error.message.split())}"
        except WorkerLost:
            return  # of the statement nothing is known: it is attempted, and unscored if Lean is lost on it again
        self.store.add_problem(number, problem)
        self.watcher.looked_at(row, problem)

    def _attempt(self, row: Row, theorem: int, number: int) -> Attempt | None:
        """One attempt; None if it was interrupted."""
        seed = seed_of(self.settings.seed, row.name, number)
        policy = self.search.policy(seed)
        self.watcher.started(theorem, number)
        try:
            result = prove(
                row.theorem, self.pool, policy, self.settings.budget,
                lambda event: self.watcher.event(theorem, event), self.stop, self.search.algorithm,
                self.settings.workers_per_theorem, seed,
            )  # fmt: skip
        except StatementError as error:
            return Attempt(theorem, number, seed, 0, UNSTARTED, Spent(), message=error.message, finished=time.time())
        if result.stopped == "interrupted" or (self.stop.is_set() and result.proof is None):
            return None
        return attempt_of(with_losses(result, policy), theorem, number, seed, self.keep_trees)


def by_header(rows: Sequence[Row]) -> list[int]:
    """The numbers of the rows, those with one header together: a worker keeps the environments of the last few, and to
    load one takes longer than most proofs."""
    first: dict[str, int] = {}
    for number, row in enumerate(rows):
        first.setdefault(row.header, number)
    return sorted(range(len(rows)), key=lambda number: first[rows[number].header])


def attempt_of(result: SearchResult, theorem: int, number: int, seed: int, keep_tree: bool) -> Attempt:
    """What a search came to, as it is kept. A spent budget is a failure; a lost Lean or policy leaves it unscored."""
    verdict = result.verdict
    proved = result.proof is not None and verdict is not None and verdict.proved
    return Attempt(
        theorem,
        number,
        seed,
        1 if proved else None if result.stopped in UNSCORED else 0,
        result.stopped,
        result.spent,
        result.proof if proved else None,
        result.message,
        verdict.stage if verdict else "",
        verdict.axioms if verdict else (),
        verdict.messages if verdict else (),
        to_json(result.graph) if keep_tree and result.graph else None,
        time.time(),
    )


def seed_of(seed: int, name: str, number: int) -> int:
    """A seed of 31 bits for one attempt: it depends on nothing but these, so shards and resumed runs agree."""
    return int.from_bytes(hashlib.sha256(f"{seed} {number} {name}".encode()).digest()[:4]) >> 1

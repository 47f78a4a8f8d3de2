"""The Lean that rollouts run on: work for all its workers at once, and a wait, with an end, for one that is lost."""

import copy
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

from lean_env import Candidate, LeanEnvError, LeanPool, ProofSession, Theorem, Verdict, Verifier
from lean_env.pool import FIRST_WORK, START_SECONDS
from rl.rollouts.lost import JudgeLost
from rl.rollouts.options import RolloutOptions

# A session waits for the worker that has its states; with some more sessions at hand no other worker idles meanwhile.
THREADS = 4
NAP_SECONDS = 0.1
PROBE_SECONDS = 60.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0  # seconds

T = TypeVar("T")
log = logging.getLogger(__name__)


class CollectStopped(Exception):
    """The rollouts in work were given up, as `stop` asked."""


class Lean:
    """A pool, and the judge over it.

    A pool that has given up (its processes do not start) is closed and another one opened in its place, of the same
    size on the same road: `pool` is the present one. `close` ends what was opened here. `stop` is what `stop()` sets.
    """

    def __init__(self, pool: LeanPool, options: RolloutOptions, stop: threading.Event | None = None) -> None:
        self.options = options
        self._use(pool)
        self._threads = ThreadPoolExecutor(THREADS * pool.size, thread_name_prefix="rollout")
        self._replaced = self._came_up = False
        self._stopped = stop or threading.Event()

    def session(self, theorem: Theorem) -> ProofSession:
        return self.pool.session(theorem)

    def judge(self, theorem: Theorem, proof: str, ran: bool = False) -> Verdict:
        """The judge's verdict of the text after `:=`. `ran`: Lean has run each of its tactics, within their limits.

        The heartbeats of a proof are counted for all of its tactics together. One that has run is refused only if
        those of a whole episode are not enough: it is judged once more with them, as they cost the workers another copy
        of the header's environment, and hardly a proof wants them.
        """
        seconds = self.options.judge_seconds
        verdict = self._verifier.verify(theorem, Candidate(proof), wall_seconds=seconds)
        if ran and verdict.stage == "elaboration":
            verdict = self._patient.verify(theorem, Candidate(proof), wall_seconds=seconds)
        return verdict

    def each(self, jobs: Sequence[Callable[[], T]], since: float | None = None) -> list[T]:
        """Does the jobs in threads; what they return, in order. `since`: monotonic time that Lean has been lost for.

        Raises:
            CollectStopped: `stop` was called.
            JudgeLost: for the options' `patience` there was no worker, or for as long as a start may take if there
                never was one.
            Exception: what a job raises; those that have not begun are dropped.

        A pool without a worker is closed then.
        """
        self._check_stop()
        futures = [self._threads.submit(job) for job in jobs]
        running: set[Future[T]] = set(futures)
        seen = time.monotonic() if since is None else since
        try:
            while running:
                done, running = wait(running, timeout=NAP_SECONDS, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
                self._check_stop()
                seen = self._last_seen(seen)
                if running:
                    self._check_patience(seen)
        except BaseException:
            for future in running:
                future.cancel()
            self._release()
            raise
        return [future.result() for future in futures]

    @contextmanager
    def watched(self) -> Iterator[threading.Event]:
        """For work on the pool that has threads of its own: what it is given is set when it has to end.

        Raises:
            CollectStopped, JudgeLost: as `each`, once the work has ended.
        """
        ended, over = threading.Event(), threading.Event()

        def watch() -> None:
            seen = time.monotonic()
            try:
                while not over.wait(NAP_SECONDS):
                    self._check_stop()
                    seen = self._last_seen(seen)
                    self._check_patience(seen)
            except (CollectStopped, JudgeLost):
                ended.set()
                self._release()
                raise

        with ThreadPoolExecutor(1, thread_name_prefix="watch") as executor:
            watching = executor.submit(watch)
            try:
                yield ended
            finally:
                over.set()
            watching.result()

    def wait_for(self) -> bool:
        """Returns when Lean answers, which something was lost on; True if it does so at once.

        Raises:
            JudgeLost: it was asked again and again, and did not within the options' `patience`.
            CollectStopped: `stop` was called.
        """
        since, at_once, pause = time.monotonic(), True, FIRST_WAIT
        while True:
            (trouble,) = self.each([self._probe], since)
            if trouble is None:
                return at_once
            lost = time.monotonic() - since
            left = self.options.patience - lost
            if left <= 0:
                said = f"Lean is lost, and did not come back within {lost:.0f} s: {str(trouble).rstrip('.')}."
                raise JudgeLost(said) from trouble
            if at_once:
                log.warning("Lean is lost (%s); it is waited for, %.0f s at most", trouble, left)
            at_once = False
            self._stopped.wait(min(pause, left))
            self._check_stop()
            pause = min(2 * pause, LONGEST_WAIT)
            if not self.pool.processes:
                self._reopen()

    def stop(self) -> None:
        """Has what is in work given up; nothing more is done then. From any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Ends what was opened here; the pool that was given stays its owner's."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._verifier.close()
        if self._replaced:
            self.pool.close()

    def _check_stop(self) -> None:
        if self._stopped.is_set():
            raise CollectStopped("the rollouts were given up")

    def _last_seen(self, before: float) -> float:
        """When a worker was there last."""
        if not self.pool.processes:
            return before
        self._came_up = True
        return time.monotonic()

    def _check_patience(self, seen: float) -> None:
        lost = time.monotonic() - seen
        if lost > (self.options.patience if self._came_up else max(self.options.patience, START_SECONDS)):
            raise JudgeLost(f"Lean is lost: for {lost:.0f} s none of its processes has come up.")

    def _release(self) -> None:
        """Those who wait for a worker of a pool that has none are told so; they would wait for ever."""
        if not self.pool.processes:
            self.pool.close()

    def _probe(self) -> LeanEnvError | None:
        """Why Lean does not answer; None if it does."""
        try:
            self.pool.request(PROBE_SECONDS, **FIRST_WORK)
        except LeanEnvError as error:
            return error
        return None

    def _reopen(self) -> None:
        """Another pool for one that starts no processes any more, or is closed."""
        self._verifier.close()
        self.pool.close()
        self._use(LeanPool(self.pool.size, self.pool.road))
        self._replaced = True

    def _use(self, pool: LeanPool) -> None:
        self.pool = pool
        self._verifier = Verifier(pool, self.options.heartbeats, self.options.recheck)
        self._patient = copy.copy(self._verifier)  # the process that rechecks is the same
        self._patient.heartbeats = self.options.episode_heartbeats

"""How many theorems an algorithm proves with real Lean within a budget, and where the time goes."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lean_env.benchmark.figures import Figure
from lean_env.pool import LeanPool
from lean_env.session import ProofSession
from lean_env.theorem import Candidate, Theorem
from lean_env.verdict import Verdict
from lean_env.verifier import Verifier
from search.budget import Budget
from search.entry import Plan, prove
from search.policy import ProofPolicy, TacticPolicy

T = TypeVar("T")


@dataclass(frozen=True)
class Attempted:
    """One theorem. `busy` is the share of the workers' wall time in which Lean or the policy was at work."""

    name: str
    proof: str | None
    stopped: str
    seconds: float
    lean_calls: int
    samples: int
    nodes: int
    merged: int
    busy: float


def theorems(path: Path) -> list[Theorem]:
    """The theorems of a JSON lines file: `name`, `formal_statement` (without a closing `:= by sorry`), `header`."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        statement = row["formal_statement"].strip().removesuffix(":= by sorry").removesuffix(":= sorry").strip()
        found.append(Theorem(row["name"], statement, row.get("header") or ""))
    return found


class _Busy:
    """The seconds at work of all threads together. Lean's are those of its answers: waiting for a worker is none."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = threading.Lock()

    def book(self, seconds: float) -> None:
        with self._lock:
            self.seconds += seconds

    def timed(self, function: Callable[..., T], *arguments: object) -> T:
        began = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            self.book(time.perf_counter() - began)


def attempt(
    theorem: Theorem,
    pool: LeanPool,
    policy: TacticPolicy | ProofPolicy,
    algorithm: Plan,
    budget: Budget,
    workers: int,
    seed: int = 0,
    merge: bool = True,
) -> Attempted:
    """One theorem, judged."""
    verifier, busy = Verifier(pool), _Busy()

    def judge(theorem: Theorem, proof: str, seconds: float) -> Verdict:
        verdict = verifier.verify(theorem, Candidate(proof), wall_seconds=seconds)
        busy.book(verdict.seconds)
        return verdict

    class BookedSession(ProofSession):
        def __init__(self, pool: LeanPool, theorem: Theorem) -> None:
            super().__init__(pool, theorem)
            busy.book(self.lean_seconds)

        def run_tactic(self, *arguments: Any, **options: Any) -> Any:
            before = self.lean_seconds  # a state that another worker has found is rebuilt first
            try:
                return super().run_tactic(*arguments, **options)
            finally:
                busy.book(self.lean_seconds - before)

    class TimedPolicy:
        def __getattr__(self, name: str) -> Any:
            method = getattr(policy, name)
            return lambda *arguments: busy.timed(method, *arguments)

    began = time.perf_counter()
    result = prove(
        theorem,
        TimedPolicy(),
        lambda theorem: BookedSession(pool, theorem),
        algorithm,
        budget,
        judge=judge,
        workers=workers,
        seed=seed,
        merge=merge,
    )
    seconds = time.perf_counter() - began
    return Attempted(
        theorem.name,
        result.proof,
        result.stopped,
        seconds,
        result.spent.lean_calls,
        result.spent.samples,
        result.spent.nodes,
        result.graph.merged if result.graph else 0,
        busy.seconds / (seconds * workers),
    )


def attempt_all(
    found: Sequence[Theorem],
    pool: LeanPool,
    policy: TacticPolicy | ProofPolicy,
    algorithm: Plan,
    budget: Budget,
    workers: int,
    report: Callable[[Attempted], None] = lambda attempted: None,
    seed: int = 0,
    merge: bool = True,
) -> list[Attempted]:
    """All theorems, one after another, with all workers on each."""
    done = []
    for theorem in found:
        done.append(attempt(theorem, pool, policy, algorithm, budget, workers, seed, merge))
        report(done[-1])
    return done


def figures(name: str, done: Sequence[Attempted], goal: str = "") -> list[Figure]:
    """The share proved, and what it took."""
    proved = [a for a in done if a.proof is not None]
    seconds, busy = sum(a.seconds for a in done), sum(a.busy * a.seconds for a in done)
    calls, merged = sum(a.lean_calls for a in done), sum(a.merged for a in done)
    detail = f"{len(proved)} of {len(done)} in {seconds:.0f} s; {calls} Lean calls, {merged} states merged"
    return [
        Figure(f"{name}: theorems proved", 100 * len(proved) / len(done), "%", goal, detail),
        Figure(f"{name}: time in Lean and the policy", 100 * busy / seconds, "%", "90 %"),
    ]

"""How fast the Lean environment is: start, throughput, overhead, steps, recovery, memory."""

import os
import signal
import statistics
import time
from typing import Any

from lean_env.benchmark.figures import Figure
from lean_env.benchmark.workload import small
from lean_env.goal import TacticState
from lean_env.open_road import open_road
from lean_env.pool import LeanPool
from lean_env.road import Road
from lean_env.session import ProofSession
from lean_env.theorem import Candidate, Theorem
from lean_env.verifier import Verifier
from lean_env.worker import LeanWorker

START_SECONDS = 180.0
STEPS = (
    ("theorem s (p q : Prop) : p ∨ q → q ∨ p", "intro h", "cases h"),
    ("theorem s (p q : Prop) (hp : p) (hq : q) : p ∧ q", "constructor", "exact hp"),
)


def cold_start(road: Road, times: int = 3) -> Figure:
    """Process start to the first judged proof."""
    seconds = []
    theorem, candidate = small(1)[0]
    fields: dict[str, Any] = {"header": "", "name": theorem.name, "statement": theorem.statement}
    for _ in range(times):
        begun = time.monotonic()
        worker = LeanWorker(road)
        worker.request(START_SECONDS, method="judge", kind=candidate.kind, text=candidate.text, **fields)
        seconds.append(time.monotonic() - begun)
        worker.kill()
    return Figure(
        "cold start of a worker to its first verdict", statistics.median(seconds), "s", "5 s", f"median of {times}"
    )


def throughput(road: Road, workers: int, count: int) -> tuple[float, int]:
    """(proofs judged a second, how many of them passed)."""
    with LeanPool(workers, road, spare=False) as pool:
        verifier = Verifier(pool)
        wait_until_idle(pool, workers)
        verifier.verify_batch(small(16 * workers))
        begun = time.monotonic()
        verdicts = verifier.verify_batch(small(count))
        return count / (time.monotonic() - begun), sum(verdict.proved for verdict in verdicts)


def overhead(road: Road, count: int = 200) -> Figure:
    """Wall clock minus Lean's own time."""
    with LeanPool(1, road, spare=False) as pool:
        verifier = Verifier(pool)
        verifier.verify_batch(small(16))
        extra = []
        for theorem, candidate in small(count):
            begun = time.monotonic()
            verdict = verifier.verify(theorem, candidate)
            extra.append(time.monotonic() - begun - verdict.seconds)
    return Figure(
        "wall clock minus Lean's own time", 1e3 * statistics.median(extra), "ms", "1.5 ms", f"median of {count}"
    )


def steps(road: Road, times: int = 100) -> Figure:
    """Round trip of one tactic on a saved state."""
    seconds = []
    with LeanPool(1, road, spare=False) as pool:
        for statement, first, second in STEPS:
            with ProofSession(pool, Theorem("s", statement)) as session:
                for _ in range(times):
                    begun = time.monotonic()
                    state = session.run_tactic(session.start, first)
                    seconds.append(time.monotonic() - begun)
                    assert isinstance(state, TacticState), state
                    begun = time.monotonic()
                    session.run_tactic(state, second)
                    seconds.append(time.monotonic() - begun)
    detail = f"intro, cases, constructor, exact; median of {len(seconds)}"
    return Figure("one tactic step, round trip", 1e3 * statistics.median(seconds), "ms", "4 ms", detail)


def recovery(road: Road, times: int = 5) -> Figure:
    """A worker is killed; until the next verdict, with the spare."""
    seconds = []
    theorem, candidate = small(1)[0]
    with LeanPool(1, road) as pool:
        verifier = Verifier(pool)
        for _ in range(times):
            wait_until_idle(pool, 2)
            with pool.lease() as worker:
                os.kill(worker.process.pid, signal.SIGKILL)
                worker.process.wait()
            begun = time.monotonic()
            assert verifier.verify(theorem, candidate).proved
            seconds.append(time.monotonic() - begun)
    return Figure("verdict after a worker was killed", statistics.median(seconds), "s", "0.3 s", f"median of {times}")


def memory(road: Road, checks: int) -> list[Figure]:
    """Resident size of one worker after many checks, none of them alike."""
    with LeanPool(1, road, spare=False, retire_mib=1 << 20) as pool:
        verifier = Verifier(pool)
        theorem, candidate = small(1)[0]
        verifier.verify(theorem, candidate)
        sizes = []
        for done in range(0, checks, 500):
            count = min(500, checks - done)
            verifier.verify_batch(
                [(Theorem(t.name, t.statement), Candidate(c.text)) for t, c in small(done + count)[done:]]
            )
            sizes.append(pool.health()["memory_mib"])
    return [
        Figure(f"resident size of a worker after {checks} checks", sizes[-1], "MiB", "1536 MiB"),
        Figure("its growth since the first 500", sizes[-1] - sizes[0], "MiB", "flat", " ".join(map(str, sizes))),
    ]


def wait_until_idle(pool: LeanPool, count: int) -> None:
    while pool.health()["idle"] < count:
        time.sleep(0.05)


def measure(count: int, checks: int) -> list[Figure]:
    """All figures, one after the other."""
    road = open_road("wasm")
    figures = [cold_start(road), overhead(road), steps(road), recovery(road)]
    one, passed = throughput(road, 1, count)
    two, passed_by_two = throughput(road, 2, count)
    assert passed == passed_by_two == count, (passed, passed_by_two)
    figures += [
        Figure("small theorems judged fully, one worker", one, "a second", "25 a second", f"{count} theorems"),
        Figure("the same with two workers, over one", two / one, "times", "1.8 times", f"{two:.1f} a second"),
        *memory(road, checks),
    ]
    return figures

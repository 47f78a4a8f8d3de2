"""How right the judge is, and what it costs: false accepts and rejects, steadiness, faults, price."""

import os
import random
import signal
import statistics
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lean_env.benchmark.figures import Figure
from lean_env.benchmark.workload import Row, corpus, honest, small
from lean_env.code_scan import runs_code
from lean_env.open_road import open_road
from lean_env.pool import LeanPool
from lean_env.road import Road
from lean_env.theorem import Candidate, Theorem
from lean_env.verifier import Pair, Verifier
from lean_env.worker import LeanWorker

CORPUS = Path(__file__).resolve().parents[2] / "tests" / "data" / "judge"
HANG = "by\n  repeat (first | (have : 1 = 1 := rfl; clear this))"
FALSE = "theorem target : (1 : Nat) = 2"
UNLIMITED = "set_option maxHeartbeats 0 in\nset_option maxRecDepth 1000000 in\n"
WALL_SECONDS = 20.0


def false_verdicts(pool: LeanPool, rows: Sequence[Row], count: int) -> list[Figure]:
    """The corpus and the honest proofs."""
    verdicts = Verifier(pool).verify_batch([(row.theorem, row.candidate) for row in rows], WALL_SECONDS)
    accepted = [row.id for row, verdict in zip(rows, verdicts, strict=True) if verdict.proved and not row.accept]
    refused = [row.id for row, verdict in zip(rows, verdicts, strict=True) if not verdict.proved and row.accept]
    proofs = honest(count)
    failed = [t.name for (t, _), v in zip(proofs, Verifier(pool).verify_batch(proofs), strict=True) if not v.proved]
    of = f"of {sum(not row.accept for row in rows)} that must be rejected"
    honest_rows = sum(row.accept for row in rows)
    return [
        Figure("false accepts over the corpus", len(accepted), "", "0", " ".join([of, *accepted])),
        Figure(
            "false rejects over the corpus",
            len(refused),
            "",
            "0",
            " ".join([f"of {honest_rows} honest ones", *refused]),
        ),
        Figure("false rejects over honest proofs", len(failed), "", "0", " ".join([f"of {len(proofs)}", *failed])),
    ]


def steadiness(road: Road, rows: Sequence[Row], orders: int, count: int) -> Figure:
    """Verdicts that change under random orders and worker counts. Rows that meet the wall clock are left out."""
    chosen = random.Random(0).sample([row for row in rows if "bomb" not in row.kind_of_attack], min(count, len(rows)))
    seen: dict[str, set[tuple[int | None, str]]] = {row.id: set() for row in chosen}
    for order in range(orders):
        shuffled = random.Random(order).sample(chosen, len(chosen))
        with LeanPool(1 + order % 3, road) as pool:
            pairs: list[Pair] = [(row.theorem, row.candidate) for row in shuffled]
            for row, verdict in zip(shuffled, Verifier(pool).verify_batch(pairs), strict=True):
                seen[row.id].add((verdict.reward, verdict.stage))
    changed = [name for name, verdicts in seen.items() if len(verdicts) > 1]
    detail = " ".join([f"{len(chosen)} rows, {orders} orders, 1 to 3 workers", *changed])
    return Figure("verdicts that change", len(changed), "", "0", detail)


def under_fire(road: Road, count: int, every: float = 3.0) -> Figure:
    """Rows judged while a worker is killed every few seconds, against what they ought to be."""
    wrong = Candidate("by exact False.elim (by decide)")
    pairs: list[Pair] = [(t, c if i % 2 else wrong) for i, (t, c) in enumerate(honest(count))]
    done = threading.Event()
    kills = 0
    with LeanPool(2, road) as pool:

        def fire() -> None:
            nonlocal kills
            while not done.wait(every):
                victims = pool.processes
                if victims:
                    os.kill(random.choice(victims), signal.SIGKILL)
                    kills += 1

        thread = threading.Thread(target=fire)
        thread.start()
        try:
            verdicts = Verifier(pool).verify_batch(pairs)
        finally:
            done.set()
            thread.join()
    different = sum(verdict.reward != i % 2 for i, verdict in enumerate(verdicts))
    return Figure(
        "rows different or lost, a worker killed every 3 s", different, "", "0", f"{count} rows, {kills} kills"
    )


def price(road: Road, count: int) -> Figure:
    """Lean's time for full judging over its time for elaboration alone, on the same theorems in the same process."""
    worker = LeanWorker(road)
    ratios = []
    try:
        for theorem, candidate in small(count):
            text = f"{theorem.statement} := {candidate.text}"
            fields: dict[str, Any] = {"header": "", "name": theorem.name, "statement": theorem.statement}
            bare = worker.request(60, method="file", header="", text=text)["nanoseconds"]
            full = worker.request(60, method="judge", kind="proof", text=candidate.text, **fields)["nanoseconds"]
            ratios.append((full, bare))
    finally:
        worker.kill()
    ratios = ratios[len(ratios) // 10 :]  # the first ones meet cold code
    total = sum(full for full, _ in ratios) / sum(bare for _, bare in ratios)
    median = statistics.median(full / bare for full, bare in ratios)
    return Figure(
        "full judging over bare elaboration",
        total,
        "times",
        "1.25 times",
        f"{len(ratios)} theorems, median {median:.2f}",
    )


def given_up(road: Road, wall_seconds: float = 5.0) -> list[Figure]:
    """A candidate that never ends, among others: how long it is waited for, and whether the others wait too."""
    hang: Pair = (Theorem("target", FALSE), Candidate(f"{UNLIMITED}{FALSE} := {HANG}", "code"))
    with LeanPool(2, road) as pool:
        verifier = Verifier(pool)
        verifier.verify_batch(small(40))
        begun = time.monotonic()
        verdict = verifier.verify(*hang, wall_seconds)
        late = time.monotonic() - begun - wall_seconds
        assert verdict.reward is None, verdict
        others = small(100)
        begun = time.monotonic()
        assert all(verifier.verify(*pair).proved for pair in others)
        alone = time.monotonic() - begun
        begun = time.monotonic()
        beside = 0.0
        for index, verdict in verifier.stream([hang, *others], 3 * alone):
            if index:
                assert verdict.proved
                beside = time.monotonic() - begun
            else:
                assert verdict.reward is None
    detail = (
        f"{len(others)} rows by the one of two workers that is free: {beside:.1f} s, {alone:.1f} s without the hang"
    )
    return [
        Figure("time until a hang is given up, past its limit", late, "s", "1 s", f"limit {wall_seconds:g} s"),
        Figure("other rows beside a hang, over their time without it", beside / alone, "times", "not held up", detail),
    ]


def measure(count: int, fire: int, orders: int, sample: int | None) -> list[Figure]:
    """All figures of the judge. `sample`: how many rows of the corpus, all of them if None."""
    road = open_road("wasm")
    rows = corpus(CORPUS)
    if sample is not None:
        rows = random.Random(0).sample(rows, min(sample, len(rows)))
    figures = [price(road, min(count, 800)), *given_up(road)]
    with LeanPool(2, road) as pool:
        figures += false_verdicts(pool, rows, count)
    plain = [row for row in rows if not runs_code(row.candidate.text)]
    figures.append(steadiness(road, [*plain, *[row for row in rows if row not in plain][:3]], orders, 60))
    figures.append(under_fire(road, fire))
    return figures

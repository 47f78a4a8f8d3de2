"""What a policy proves of theorems that nobody trains on: a share with its interval, over the same sample each time."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lean_env import LeanPool
from prover.benchmarks.row import Benchmark
from prover.policies.plan import PolicyPlan
from prover.runs.run import Run
from prover.statistics import Estimate, summarise
from prover.statistics.intervals import share
from rl.search_run import Attempts, search_run


@dataclass(frozen=True)
class Evaluation:
    """`proved` of all `theorems`, as a share with its 95 % interval; `unscored` ones have no verdict, and no proof."""

    proved: int
    theorems: int
    unscored: int
    share: Estimate
    seconds: float
    lean_seconds: float

    def metrics(self) -> dict[str, float]:
        """The figures by name, for a run's metrics."""
        return {
            "proved": self.proved,
            "theorems": self.theorems,
            "unscored": self.unscored,
            "share": self.share.value,
            "low": self.share.low,
            "high": self.share.high,
            "seconds": self.seconds,
            "lean_seconds": self.lean_seconds,
        }

    def sentence(self) -> str:
        """The share in words."""
        low, high = 100 * self.share.low, 100 * self.share.high
        told = f"{self.proved} of {self.theorems} ({100 * self.share.value:.1f} %, {low:.1f} to {high:.1f})"
        return f"{told}, {self.unscored} unscored" if self.unscored else told


def evaluate(
    folder: Path,
    theorems: Benchmark,
    policy: PolicyPlan,
    attempts: Attempts,
    pool: LeanPool,
    *,
    home: Path | None = None,
    stop: threading.Event | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Evaluation:
    """Attempts the theorems and counts; durable and gone on with as `search_run` is, whose errors it raises."""
    run = search_run(folder, theorems, policy, attempts, pool, home=home, trees=False, stop=stop, say=say)
    return evaluation_of(run)


def evaluation_of(run: Run) -> Evaluation:
    """What a run of at least one theorem comes to. What could not be judged is not proved."""
    summary = summarise(run)
    counts = summary.counts
    found = share(counts.proved, counts.theorems)
    assert found is not None
    return Evaluation(
        counts.proved,
        counts.theorems,
        counts.unscored,
        found,
        summary.session_seconds,
        float(summary.totals["lean_seconds"]),
    )

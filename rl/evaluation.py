"""What a policy proves of theorems that nobody trains on: a share with its interval, over the same sample each time."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lean_env import LeanPool
from prover.benchmarks.row import Benchmark
from prover.commands.bench import drawn
from prover.policies.plan import PolicyPlan
from prover.runs.run import Run
from prover.statistics import Estimate, summarise
from rl.search_run import Attempts, search_run


@dataclass(frozen=True)
class Evaluation:
    """`proved` of `judged` theorems, as a share with its 95 % interval (None of none); `unscored` have no verdict."""

    proved: int
    judged: int
    unscored: int
    share: Estimate | None
    seconds: float
    lean_seconds: float

    def metrics(self) -> dict[str, float]:
        """The figures by name, for a run's metrics."""
        found: dict[str, float] = {
            "proved": self.proved,
            "judged": self.judged,
            "unscored": self.unscored,
            "seconds": self.seconds,
            "lean_seconds": self.lean_seconds,
        }
        if self.share is not None:
            found |= {"share": self.share.value, "low": self.share.low, "high": self.share.high}
        return found

    def sentence(self) -> str:
        """The share in words."""
        if self.share is None:
            return "no theorem was judged"
        low, high = 100 * self.share.low, 100 * self.share.high
        return f"{self.proved} of {self.judged} proved ({100 * self.share.value:.1f} %, {low:.1f} to {high:.1f})"


def sample_of(theorems: Benchmark, size: int, seed: int) -> Benchmark:
    """So many of the theorems, in their order; the same seed draws the same ones."""
    return drawn(theorems, size, seed)


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
    """What a run comes to."""
    summary = summarise(run)
    counts = summary.counts
    return Evaluation(
        counts.proved,
        counts.judged,
        counts.unscored,
        summary.solved_share,
        summary.session_seconds,
        float(summary.totals["lean_seconds"]),
    )

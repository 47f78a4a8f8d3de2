"""The share of the time in which Lean or the policy is at work: waiting for a worker is none of it."""

from collections.abc import Sequence

from lean_env import LeanPool, TacticState, Theorem
from search import BestFirst, Budget, Proposal
from search.benchmark.solved import attempt


class Slow:
    """Tactics that keep Lean at work and come to nothing."""

    def propose(self, state: TacticState, theorem: Theorem) -> Sequence[Proposal]:
        return [Proposal(f"iterate {400 + n} (have := trivial)\nfail", -3.0) for n in range(8)]


def test_two_threads_on_one_lean_are_busy_half_of_the_time_at_most():
    with LeanPool(workers=1, spare=False) as pool:
        done = attempt(Theorem("t", "theorem t : 1 = 2"), pool, Slow(), BestFirst(), Budget(lean_calls=8), workers=2)
    assert done.lean_calls == 8
    assert 0 < done.busy <= 0.5

"""What the search's own Python costs: a tree of 10,000 nodes grown from a script, without Lean and without a model.

Measured is the time from the end of one tactic's run to the beginning of the next, less what the policy took between
them: selection, booking, graph, events and driver, on one worker.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from random import Random
from statistics import median

from lean_env.benchmark.figures import Figure
from lean_env.goal import Goal, ProofFinished, TacticError, TacticState
from lean_env.theorem import Theorem
from lean_env.verdict import Verdict
from search.algorithms.beam import Beam
from search.algorithms.best_first import BestFirst
from search.algorithms.deepening import IterativeDeepening
from search.algorithms.step_mcts import StepMCTS
from search.budget import Budget
from search.driver import Attempt
from search.entry import Plan
from search.graph.proof_graph import ProofGraph
from search.policy import Proposal, Session

PLANS: dict[str, Callable[[], Plan]] = {
    "step MCTS, min": lambda: StepMCTS(conjunction="min"),
    "step MCTS, product": lambda: StepMCTS(conjunction="product"),
    "best-first": BestFirst,
    "beam of 256": lambda: Beam(width=256),
    "iterative deepening": IterativeDeepening,
}


def figures(nodes: int = 10_000, measured: int = 2_000) -> list[Figure]:
    """One figure an algorithm: the median overhead of `measured` simulations on a tree of at least `nodes` nodes."""
    found = []
    for name, plan in PLANS.items():
        gaps, size = overhead(plan(), nodes, measured)
        detail = f"{len(gaps)} simulations, up to {size} nodes"
        found.append(Figure(f"overhead of {name}", 1e6 * median(gaps), "us per simulation", "150", detail))
    return found


def overhead(plan: Plan, nodes: int, measured: int) -> tuple[list[float], int]:
    """Seconds of overhead of each of `measured` simulations after the tree had `nodes` nodes, and its size then."""
    script = ScriptedLean()
    theorem = Theorem("scripted", "theorem scripted : False")
    graph = ProofGraph(theorem, script.start, split=getattr(plan, "split", True))
    gaps: list[float] = []

    def enough() -> bool:
        if len(graph.nodes) < nodes:
            script.gaps.clear()
        gaps[:] = script.gaps[:measured]
        return len(script.gaps) >= measured

    attempt = Attempt(graph, plan.start(graph, Random(0)), script, _never, Budget(seconds=None), should_stop=enough)
    attempt.run([lambda: _opened(script)])
    return gaps, len(graph.nodes)


class ScriptedLean:
    """Session and policy in one: of eight tactics three fail, one leaves two goals, one a state that others lead to.

    No goal is ever closed. `gaps` are the seconds between two runs of tactics, less those in the policy.
    """

    def __init__(self) -> None:
        self.start = TacticState((_goal(0),))
        self.goals = 0
        self.gaps: list[float] = []
        self._idle_since: float | None = None
        self._in_policy = 0.0
        self._proposals = [Proposal(f"tactic_{i}", -0.7 * (i + 1)) for i in range(8)]

    def propose(self, state: TacticState, theorem: Theorem) -> Sequence[Proposal]:
        began = time.perf_counter()
        answer = list(self._proposals)
        self._in_policy += time.perf_counter() - began
        return answer

    def run_tactic(
        self, state: TacticState, text: str, *, heartbeats: int = 200_000, wall_seconds: float = 10.0
    ) -> TacticState | TacticError | ProofFinished:
        now = time.perf_counter()
        if self._idle_since is not None:
            self.gaps.append(now - self._idle_since - self._in_policy)
        result = self._result(state, int(text[-1]))
        self._in_policy = 0.0
        self._idle_since = time.perf_counter()
        return result

    def _result(self, state: TacticState, tactic: int) -> TacticState | TacticError:
        if tactic in (0, 2, 5):
            return TacticError("does not apply", "error", 0.0)
        first = self.goals + 1
        self.goals += 2 if tactic == 3 else 1
        goals = [_goal(number) for number in range(first, self.goals + 1)]
        if tactic == 6:
            goals = [_goal(first // 10 * 10)]
        return TacticState((*goals, *state.goals[1:]), (*state.path, f"tactic_{tactic}"))


def _goal(number: int) -> Goal:
    return Goal(f"P {number}", pretty=f"⊢ P {number}", key=str(number))


def _opened(session: Session) -> AbstractContextManager[Session]:
    return nullcontext(session)


def _never(theorem: Theorem, proof: str, seconds: float) -> Verdict:
    raise AssertionError("no goal is closed, so there is no proof to judge")

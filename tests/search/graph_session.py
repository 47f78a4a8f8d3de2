"""A hand-made proof graph in the place of a ProofSession, for tests of the algorithm alone: no Lean, no processes.

States are named by their goals; a table says what each tactic makes of the main goal of a state.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import log

from lean_env import Goal, ProofFinished, Step, TacticError, TacticState, Theorem, Verdict
from search import Edge, Node, ProofGraph, Proposal, Session

THEOREM = Theorem("t", "theorem t : True")


class GraphSession:
    """`table[goal][tactic]` are the goals that take the main goal's place; () closes it; what is missing is an error.

    `costs` are wall-clock seconds by tactic (default 1), which move `clock`; `heartbeats` is what a tactic needs.
    """

    def __init__(
        self,
        start: Sequence[str],
        table: Mapping[str, Mapping[str, Sequence[str]]],
        costs: Mapping[str, float] | None = None,
        heartbeats: Mapping[str, int] | None = None,
    ) -> None:
        self.start = self._state(tuple(start), ())
        self.table, self.costs, self.needed = table, costs or {}, heartbeats or {}
        self.now = 0.0
        self.calls: list[tuple[str, str, float]] = []  # main goal, tactic, wall seconds allowed

    def clock(self) -> float:
        return self.now

    def run_tactic(
        self, state: TacticState, text: str, *, heartbeats: int = 200_000, wall_seconds: float = 10.0
    ) -> TacticState | TacticError | ProofFinished:
        main, *others = [goal.target for goal in state.goals]
        self.calls.append((main, text, wall_seconds))
        cost = self.costs.get(text, 1.0)
        self.now += min(cost, wall_seconds)
        if cost > wall_seconds:
            return TacticError("too slow", "timeout", wall_seconds)
        if self.needed.get(text, 0) > heartbeats:
            return TacticError("heartbeats", "limit", cost)
        if text not in self.table.get(main, {}):
            return TacticError("does not apply", "error", cost)
        goals = (*self.table[main][text], *others)
        path = (*state.path, text)
        return self._state(goals, path, cost) if goals else ProofFinished(path, cost)

    @staticmethod
    def _state(goals: Sequence[str], path: tuple[Step, ...], seconds: float = 0.0) -> TacticState:
        return TacticState(tuple(Goal(goal, pretty=f"⊢ {goal}") for goal in goals), path, seconds=seconds)

    def open(self, theorem: Theorem) -> AbstractContextManager[Session]:
        """A session factory that hands out this one."""
        return nullcontext(self)


def new_edge(graph: ProofGraph, node: Node, tactic: str, log_probability: float = -1.0) -> Edge:
    """An untried edge of a tactic that the node does not have."""
    edge = graph.add_edge(node, Proposal(tactic, log_probability))
    assert edge is not None
    return edge


def accepting(theorem: Theorem, proof: str, seconds: float) -> Verdict:
    """A judge that takes everything."""
    return Verdict(1, "proved")


class TablePolicy:
    """Proposes what a table says for the main goal, with these probabilities."""

    def __init__(self, table: Mapping[str, Mapping[str, float]]) -> None:
        self.table = table
        self.asked: list[str] = []

    def propose(self, state: TacticState, theorem: Theorem) -> list[Proposal]:
        main = state.goals[0].target
        self.asked.append(main)
        return [Proposal(tactic, log(p)) for tactic, p in self.table.get(main, {}).items()]

"""The books of an attempt, which all of its workers keep under one lock: its graph, what is spent, why it stopped."""

import threading
from collections.abc import Callable

from lean_env.goal import ProofFinished, TacticError, TacticState
from search.budget import Budget, Spent
from search.events import EdgeTried, NodeAdded, SearchEvent
from search.graph.proof_graph import Edge, Node, ProofGraph
from search.policy import Proposal
from search.result import Stopped
from search.tasks import Tried


class Books:
    """What one attempt has come to so far. `changed` is the lock, and wakes those who wait for something to do.

    `refused`: something was left undone because it would have exceeded the budget. `message` goes with `stopped`.
    """

    def __init__(
        self,
        graph: ProofGraph,
        budget: Budget,
        on_event: Callable[[SearchEvent], None],
        clock: Callable[[], float],
        began: float,
    ) -> None:
        self.graph, self.budget, self.on_event, self.clock, self.began = graph, budget, on_event, clock, began
        self.samples = self.tokens = self.lean_calls = 0
        self.lean_seconds = 0.0
        self.refused = False
        self.stopped: Stopped | None = None
        self.message = ""
        self.changed = threading.Condition()

    def spent(self) -> Spent:
        seconds = self.clock() - self.began
        return Spent(self.samples, self.tokens, self.lean_calls, len(self.graph.nodes), seconds, self.lean_seconds)

    def stop(self, why: Stopped, message: str = "") -> None:
        """The attempt is over. What stopped it first counts."""
        with self.changed:
            if self.stopped is None:
                self.stopped, self.message = why, message
            self.changed.notify_all()

    def sample(self) -> int:
        """Books one sample of the policy; its number, counted from 1, or 0 if there is none left."""
        with self.changed:
            if self.stopped is None and self.budget.allows_sample(self.spent()):
                self.samples += 1
                return self.samples
            self.refused = True
            return 0

    def lean_call(self, seconds: float) -> float | None:
        """Books one call of Lean; how many of the `seconds` it may take, or None if there is none left."""
        with self.changed:
            spent = self.spent()
            if self.stopped is not None or not self.budget.allows_lean_call(spent):
                return None
            self.lean_calls += 1
            return min(seconds, self.budget.seconds_left(spent))

    def tried(self, edge: Edge, heartbeats: int, result: TacticState | TacticError | ProofFinished) -> Tried:
        """Books what Lean said of a tactic, and tells of it."""
        with self.changed:
            self.lean_seconds += result.seconds
            edge.heartbeats = heartbeats
            new: list[Node] = []
            if edge.status not in ("untried", "failed"):
                pass  # another worker ran the same, and was faster
            elif isinstance(result, TacticError):
                self.graph.fail(edge, result)
            else:
                new = self.graph.succeed(edge, result)
            spent = self.spent()
            self.on_event(EdgeTried(edge.node.number, Proposal(edge.tactic, edge.log_probability), result, spent))
            for node in new:
                self.on_event(NodeAdded(node.number, edge.node.number, node.state, spent))
            return Tried(edge, tuple(new), isinstance(result, TacticError) and result.kind == "limit")

"""Best-first search for a proof, plain: one queue of untried tactics, ordered by cumulative log-probability.

What waits in the queue is an edge (state, proposal), not a state, so an unlikely tactic of the root waits until the
likely ones of its children were tried. Of two things that cost the same the younger goes first. Left out on purpose:
several workers on one tree, AND/OR nodes, values, canonical keys of states.
"""

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from math import inf, isnan

from lean_env.errors import WorkerLost
from lean_env.goal import ProofFinished, TacticError, TacticState
from lean_env.theorem import Theorem
from search.budget import Budget, Spent
from search.events import EdgeTried, NodeAdded, ProofFound, SearchEvent
from search.policy import Proposal, Session, TacticPolicy
from search.result import SearchResult, Stopped, proof_text


@dataclass(frozen=True)
class Limits:
    """How far and how hard: `depth` in tactics, and Lean's heartbeats for one tactic.

    A tactic that fails slowly is far more common than one that succeeds slowly, so everything is tried with few
    heartbeats first; what ran out of them goes back into the queue, `retry_penalty` (in nats) further down, to be tried
    with `retry_factor` times as many, up to `most_heartbeats`. `wall_seconds` is the guard behind them.
    """

    depth: int = 40
    heartbeats: int = 12_000
    most_heartbeats: int = 192_000
    retry_factor: int = 4
    retry_penalty: float = 2.0
    wall_seconds: float = 6.0


@dataclass(frozen=True)
class _Node:
    number: int
    state: TacticState
    cost: float


@dataclass(frozen=True)
class _Edge:
    node: _Node
    proposal: Proposal
    cost: float
    heartbeats: int
    penalty: float


def best_first(
    session: Session,
    theorem: Theorem,
    policy: TacticPolicy,
    budget: Budget,
    accept: Callable[[str, float], bool],
    on_event: Callable[[SearchEvent], None] = lambda event: None,
    should_stop: Callable[[], bool] = lambda: False,
    limits: Limits = Limits(),
    clock: Callable[[], float] = time.monotonic,
) -> SearchResult:
    """Searches until `accept` takes a proof, the budget is spent, or nothing is left to try.

    `accept(text, seconds)` judges a claimed proof whole within `seconds` of wall clock, and counts as one Lean call;
    when it says no the search goes on. The clock starts here. A policy that raises is not caught.
    """
    return _Search(session, theorem, policy, budget, accept, on_event, should_stop, limits, clock).run()


class _Search:
    """The moving parts of one attempt."""

    def __init__(
        self,
        session: Session,
        theorem: Theorem,
        policy: TacticPolicy,
        budget: Budget,
        accept: Callable[[str, float], bool],
        on_event: Callable[[SearchEvent], None],
        should_stop: Callable[[], bool],
        limits: Limits,
        clock: Callable[[], float],
    ) -> None:
        self.session, self.theorem, self.policy, self.budget = session, theorem, policy, budget
        self.accept, self.on_event, self.should_stop, self.limits = accept, on_event, should_stop, limits
        self.clock, self.began = clock, clock()
        self.counts = Spent()
        self.queue: list[tuple[float, int, _Edge]] = []
        self.order = count(0, -1)  # the younger of two equals goes first
        self.seen: set[str] = set()
        self.settled: set[int] = set()  # nodes whose main goal was closed with nothing else changed
        self.out_of_samples = False

    def run(self) -> SearchResult:
        if self.budget.allows_lean_call(self.spent()):
            self.add(self.session.start, None, 0.0)
        while self.queue:
            if self.should_stop():
                return self.stopped("interrupted")
            if not self.budget.allows_lean_call(self.spent()):
                return self.stopped("budget")
            edge = heapq.heappop(self.queue)[2]
            if edge.node.number in self.settled:
                continue
            try:
                result = self.try_edge(edge)
            except WorkerLost:
                return self.stopped("lost")
            if isinstance(result, ProofFinished):
                text = proof_text(result.path)
                if self.judged(text):
                    return SearchResult(text, self.spent(), "proved")
            elif isinstance(result, TacticState):
                self.add_child(edge, result)
            elif result.kind == "limit" and edge.heartbeats < self.limits.most_heartbeats:
                self.push_again(edge)
        spent_up = self.out_of_samples or not self.budget.allows_lean_call(self.spent())
        return self.stopped("budget" if spent_up else "exhausted")

    def spent(self) -> Spent:
        return self.counts.at(self.clock() - self.began)

    def stopped(self, why: Stopped) -> SearchResult:
        return SearchResult(None, self.spent(), why)

    def try_edge(self, edge: _Edge) -> TacticState | TacticError | ProofFinished:
        wall = min(self.limits.wall_seconds, self.budget.seconds_left(self.spent()))
        result = self.session.run_tactic(
            edge.node.state, edge.proposal.text, heartbeats=edge.heartbeats, wall_seconds=wall
        )
        self.counts = self.counts.after_lean_call(result.seconds)
        self.on_event(EdgeTried(edge.node.number, edge.proposal, result, self.spent()))
        return result

    def judged(self, text: str) -> bool:
        """Whether the judge takes the proof; a claim that comes when the budget is spent is not one."""
        if not self.budget.allows_lean_call(self.spent()):
            return False
        accepted = self.accept(text, self.budget.seconds_left(self.spent()))
        self.counts = self.counts.after_lean_call(0.0)
        self.on_event(ProofFound(text, accepted, self.spent()))
        return accepted

    def add_child(self, edge: _Edge, child: TacticState) -> None:
        parent = edge.node.state
        if child.goals == parent.goals[1:]:
            # Another way to close the same goal could only lead to this same state, and having closed it was no detour.
            self.settled.add(edge.node.number)
            self.add(child, edge.node.number, edge.node.cost)
        else:
            self.add(child, edge.node.number, edge.cost)

    def add(self, state: TacticState, parent: int | None, cost: float) -> None:
        """Takes a state in, unless it was seen, and queues what the policy proposes for it."""
        key = state.pretty
        if key in self.seen or len(state.path) >= self.limits.depth:
            return
        self.seen.add(key)
        node = _Node(self.counts.nodes, state, cost)
        self.counts = self.counts.after_node()
        self.on_event(NodeAdded(node.number, parent, state, self.spent()))
        if not self.budget.allows_sample(self.spent()):
            self.out_of_samples = True
            return
        proposals = self.policy.propose(state, self.theorem)
        self.counts = self.counts.after_sample()
        for text, proposal in {p.text: p for p in reversed(proposals)}.items():
            if text.strip():
                self.push(node, proposal)

    def push(self, node: _Node, proposal: Proposal) -> None:
        log_probability = -inf if isnan(proposal.log_probability) else min(0.0, proposal.log_probability)
        cost = node.cost - log_probability
        edge = _Edge(node, proposal, cost, self.limits.heartbeats, 0.0)
        heapq.heappush(self.queue, (cost, next(self.order), edge))

    def push_again(self, edge: _Edge) -> None:
        """With more heartbeats, and so much later in the queue; what it leads to is as likely as it was."""
        more = min(edge.heartbeats * self.limits.retry_factor, self.limits.most_heartbeats)
        again = replace(edge, heartbeats=more, penalty=edge.penalty + self.limits.retry_penalty)
        heapq.heappush(self.queue, (again.cost + again.penalty, next(self.order), again))

"""Best-first search: one queue of untried tactics, ordered by the log-probability of the way to them.

What waits in the queue is an edge, not a node, so an unlikely tactic of the root waits until the likely ones of its
children were tried. Of several goals that have to be proved the first is worked on until it is proved: then nothing
is spent on its neighbours if it cannot be. Having closed a goal is no detour: the next one costs what the first did.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from random import Random

from search.algorithms.retry import more_heartbeats, tries_before
from search.critics import Scores
from search.graph.proof_graph import Edge, Node, ProofGraph, needed
from search.policy import Critic
from search.tasks import Ask, Asked, Outcome, Task, Tried, Try


@dataclass(frozen=True)
class BestFirst:
    """`length_exponent` a: the sum of log-probabilities is divided by (number of tactics)^a (BFS-Prover); 0 is the sum.

    A critic's score of the state takes the place of the sum. `depth` is in tactics. A tactic that fails slowly is far
    more common than one that succeeds slowly, so everything is tried with few heartbeats first; what ran out of them
    goes back into the queue, `retry_penalty` (in nats) further down, to be tried with `retry_factor` times as many, up
    to `most_heartbeats`.
    """

    depth: int = 40
    length_exponent: float = 0.0
    critic: Critic | None = None
    heartbeats: int = 12_000
    most_heartbeats: int = 192_000
    retry_factor: int = 4
    retry_penalty: float = 2.0

    def start(self, graph: ProofGraph, random: Random) -> "BestFirstSearch":
        return BestFirstSearch(graph, self)


class BestFirstSearch:
    """The queue of one search."""

    def __init__(self, graph: ProofGraph, options: BestFirst) -> None:
        self.graph, self.options = graph, options
        self.scores = None if options.critic is None else Scores(options.critic)
        self.order = count(0, -1)  # the younger of two equals goes first
        self.asking: set[int] = set()
        self.trying: set[int] = set()
        self._begin()

    def _begin(self) -> None:
        """Works out from the graph what is to be done: of one that was loaded, or mended after a proof was refused."""
        self.costs: dict[int, float] = {}  # node -> sum of -log p of the way there
        self.queue: list[tuple[float, int, int, Edge]] = []  # priority, order, heartbeats, edge
        self.asks: deque[Node] = deque()
        self.settled: set[int] = set()  # nodes whose first goal was closed with nothing else changed
        self._score(self.graph.nodes)
        self._open(self.graph.root, 0.0)

    def next(self) -> Task | None:
        if self.graph.root.proved:
            return None
        while self.asks:
            node = self.asks.popleft()
            if not node.proved:
                self.asking.add(node.number)
                return Ask(node)
        while self.queue:
            _, _, heartbeats, edge = heapq.heappop(self.queue)
            if edge.node.number in self.settled:
                continue
            if (edge.status == "untried" or heartbeats > edge.heartbeats) and needed(edge.node):
                self.trying.add(edge.number)
                return Try(edge, heartbeats)
        return None

    def hear(self, outcome: Outcome) -> None:
        match outcome:
            case Asked(node=node):
                self.asking.discard(node.number)
                for edge in reversed(outcome.edges):
                    self._push(edge, self.options.heartbeats, 0)
            case Tried(edge=edge) if edge.number not in self.trying:
                self._begin()
            case Tried(edge=edge):
                self.trying.discard(edge.number)
                if outcome.limit:
                    self._push_again(edge)
                elif edge.status == "done":
                    self._score(outcome.new)
                    self._follow(edge)

    def _follow(self, edge: Edge) -> None:
        if _closes_first(edge):
            # Another way to close the same goal could only lead to this same state.
            self.settled.add(edge.node.number)
        self._go_on(edge)

    def _go_on(self, edge: Edge) -> None:
        """Turns to the first goal that is left below the edge, or, if none is, to the neighbours of what it proved."""
        waiting = [edge]
        while waiting:
            done = waiting.pop()
            if done.unproved:
                self._open(done.unproved[0], self._cost(done))
            elif done.node.proof is done:
                waiting.extend(parent for parent in done.node.parents if parent.status == "done")

    def _open(self, node: Node, cost: float) -> None:
        if node.number in self.costs or node.depth >= self.options.depth:
            return
        self.costs[node.number] = cost
        for edge in reversed(node.edges):  # there are some if the graph was loaded
            if edge.number in self.trying:
                continue
            if edge.status == "untried":
                self._push(edge, self.options.heartbeats, 0)
            elif edge.error is not None and edge.error.kind == "limit":
                self._push_again(edge)
            elif edge.status == "done":
                self._follow(edge)
        if not node.asked and node.number not in self.asking:
            self.asks.append(node)

    def _cost(self, edge: Edge) -> float:
        """Of what the edge leads to: having closed one of several goals was no detour."""
        here = self.costs.get(edge.node.number, 0.0)
        return here if _closes_first(edge) else here - edge.log_probability

    def _score(self, nodes: Sequence[Node]) -> None:
        """Asks the critic, if there is one, about all of the nodes at once."""
        if self.scores is not None:
            self.scores.learn(nodes)

    def _push_again(self, edge: Edge) -> None:
        """Back into the queue, what ran out of heartbeats, to be tried with more."""
        more = more_heartbeats(edge, self.options.retry_factor, self.options.most_heartbeats)
        if more is not None:
            self._push(edge, more, tries_before(more, self.options.heartbeats, self.options.retry_factor))

    def _push(self, edge: Edge, heartbeats: int, tries: int) -> None:
        options = self.options
        if self.scores is not None:
            priority = -self.scores.of(edge.node) - edge.log_probability
        else:
            priority = self._cost(edge) / (edge.node.depth + 1) ** options.length_exponent
        heapq.heappush(self.queue, (priority + tries * options.retry_penalty, next(self.order), heartbeats, edge))


def _closes_first(edge: Edge) -> bool:
    return edge.result is not None and edge.result.goals == edge.node.state.goals[1:]

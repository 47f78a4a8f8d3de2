"""Beam search: level by level, all proposals on the best few states; of what they lead to, the best few go on.

A state is all that is left to prove: its goals are not split, so that every state of a level may end as a proof.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nsmallest
from random import Random
from typing import ClassVar

from search.algorithms.retry import more_heartbeats
from search.critics import Scores
from search.graph.proof_graph import Edge, Node, ProofGraph
from search.policy import Critic
from search.tasks import Ask, Asked, Outcome, Task, Tried, Try


@dataclass(frozen=True)
class Beam:
    """The `width` states of greatest summed log-probability go on, or, with a critic, of greatest score.

    `depth` is in tactics. What ran out of heartbeats waits until there is no state to go on with; then all of it is
    tried with `retry_factor` times as many, up to `most_heartbeats`, and what that leads to is the next level.

    Raises:
        ValueError: the width is less than 1.
    """

    width: int = 16
    critic: Critic | None = None
    depth: int = 40
    heartbeats: int = 12_000
    most_heartbeats: int = 192_000
    retry_factor: int = 4

    split: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"a beam is at least 1 state wide, not {self.width}")

    def start(self, graph: ProofGraph, random: Random) -> "BeamSearch":
        return BeamSearch(graph, self)


class BeamSearch:
    """What is left to do on this level, and the states that were met for the next."""

    def __init__(self, graph: ProofGraph, options: Beam) -> None:
        self.graph, self.options = graph, options
        self.scores = None if options.critic is None else Scores(options.critic)
        self.sums: dict[int, float] = {}  # node of a level -> sum of log p of the way there
        self.asks: deque[Node] = deque()
        self.tries: deque[tuple[Edge, int]] = deque()
        self.late: list[Edge] = []  # what ran out of heartbeats
        self.met: dict[Node, float] = {}  # the next level's, with the best sum of a way there
        self.asking: set[int] = set()
        self.trying: set[int] = set()
        self._enter(graph.root, 0.0)

    def next(self) -> Task | None:
        while not self.graph.root.proved:
            if self.asks:
                node = self.asks.popleft()
                self.asking.add(node.number)
                return Ask(node)
            if self.tries:
                edge, heartbeats = self.tries.popleft()
                self.trying.add(edge.number)
                return Try(edge, heartbeats)
            if self.asking or self.trying or not self._advance():
                break
        return None

    def hear(self, outcome: Outcome) -> None:
        match outcome:
            case Asked(node=node):
                self.asking.discard(node.number)
                self._take_up(outcome.edges)
            case Tried(edge=edge) if edge.number not in self.trying:
                # The judge refused a proof: what was proved, and so not met, may be open.
                for edge in self.graph.edges:
                    self._meet(edge)
            case Tried(edge=edge):
                self.trying.discard(edge.number)
                self._take_up([edge])

    def _advance(self) -> bool:
        """Turns to the next level, or to what ran out of heartbeats; False if there is neither."""
        if self.met:
            for node, total in self._best():
                self._enter(node, total)
            self.met = {}
            return True
        late, self.late = self.late, []
        for edge in late:
            more = more_heartbeats(edge, self.options.retry_factor, self.options.most_heartbeats)
            if more is not None:
                self.tries.append((edge, more))
        return bool(self.tries)

    def _best(self) -> list[tuple[Node, float]]:
        scores = self.scores
        if scores is None:
            return nsmallest(self.options.width, self.met.items(), key=lambda item: -item[1])
        scores.learn(self.met)
        return nsmallest(self.options.width, self.met.items(), key=lambda item: -scores.of(item[0]))

    def _enter(self, node: Node, total: float) -> None:
        self.sums[node.number] = total
        if not node.asked:
            self.asks.append(node)
        self._take_up(node.edges)  # there are some if the graph was loaded

    def _take_up(self, edges: Iterable[Edge]) -> None:
        """Sees to it that the edges of a state of this level are tried, and that what they lead to is met."""
        for edge in edges:
            if edge.status == "untried":
                self.tries.append((edge, self.options.heartbeats))
            elif edge.status == "done":
                self._meet(edge)
            elif edge.error is not None and edge.error.kind == "limit":
                self.late.append(edge)

    def _meet(self, edge: Edge) -> None:
        before = self.sums.get(edge.node.number)
        if before is None or edge.status != "done":
            return
        total = before + edge.log_probability
        for child in edge.unproved:
            if child.number not in self.sums and child.depth < self.options.depth:
                self.met[child] = max(total, self.met.get(child, total))

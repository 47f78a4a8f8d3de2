"""Iterative deepening: depth-first, likeliest tactic first, to a depth that grows when nothing is left above it.

What a deeper limit repeats is only the walk: an edge that was run is not run again, so the search takes up again where
the last limit cut it off. Of several goals the next is worked on when those before it are proved.
"""

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from search.algorithms.retry import more_heartbeats
from search.graph.proof_graph import Edge, Node, ProofGraph, needed
from search.tasks import Ask, Asked, Outcome, Task, Tried, Try


@dataclass(frozen=True)
class IterativeDeepening:
    """The first limit is `first` tactics, and each is `step` deeper than the last, up to `depth`.

    What ran out of heartbeats is tried again under the next limit with `retry_factor` times as many, up to
    `most_heartbeats`.

    Raises:
        ValueError: `first` or `step` is less than 1.
    """

    first: int = 2
    step: int = 2
    depth: int = 40
    heartbeats: int = 12_000
    most_heartbeats: int = 192_000
    retry_factor: int = 4

    split: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("first", "step"):
            if getattr(self, name) < 1:
                raise ValueError(f"iterative deepening wants a {name} of at least 1, not {getattr(self, name)}")

    def start(self, graph: ProofGraph, random: Random) -> "DeepeningSearch":
        return DeepeningSearch(graph, self)


class DeepeningSearch:
    """A stack, and what is left for the next limit, both in the order of a depth-first walk."""

    def __init__(self, graph: ProofGraph, options: IterativeDeepening) -> None:
        self.graph, self.options = graph, options
        self.limit = min(options.first, options.depth)
        self.asking: set[int] = set()
        self.trying: set[int] = set()
        self._begin()

    def _begin(self) -> None:
        """Walks from the root, under the limit that is reached: at first, and after a proof was refused."""
        self.depths: dict[int, int] = {}  # node -> tactics on the shortest way there that was walked
        self.stack: list[Node | Edge] = []
        self.left: list[Node | Edge] = []
        self.waiting: set[int] = set()  # edges in `left`
        self._enter(self.graph.root, 0)

    def next(self) -> Task | None:
        while not self.graph.root.proved:
            while self.stack:
                item = self.stack.pop()
                task = self._open(item) if isinstance(item, Node) else self._walk(item)
                if task is not None:
                    return task
            if self.asking or self.trying or not self._deepen():
                break
        return None

    def hear(self, outcome: Outcome) -> None:
        match outcome:
            case Asked(node=node):
                self.asking.discard(node.number)
                self.stack.extend(reversed(outcome.edges))
            case Tried(edge=edge) if edge.number not in self.trying:
                self._begin()
            case Tried(edge=edge):
                self.trying.discard(edge.number)
                if edge.status == "done":
                    self._go_on(edge)
                else:
                    self._put_off(edge)

    def _open(self, node: Node) -> Task | None:
        if not needed(node):
            return None
        for edge in reversed(node.edges):  # tried under another limit, or of a graph that was loaded
            if edge.status in ("untried", "done"):
                self.stack.append(edge)
            else:
                self._put_off(edge)
        if node.asked or node.number in self.asking:
            return None
        self.asking.add(node.number)
        return Ask(node)

    def _walk(self, edge: Edge) -> Task | None:
        if edge.status == "done":
            self._go_on(edge)
            return None
        if edge.status == "untried":
            heartbeats: int | None = self.options.heartbeats
        else:
            heartbeats = more_heartbeats(edge, self.options.retry_factor, self.options.most_heartbeats)
        if heartbeats is None or edge.number in self.trying or not needed(edge.node):
            return None
        self.trying.add(edge.number)
        return Try(edge, heartbeats)

    def _go_on(self, edge: Edge) -> None:
        """Turns to the first goal that is left below the edge, or, if none is, to the neighbours of what it proved."""
        waiting = [edge]
        while waiting:
            done = waiting.pop()
            unproved = done.unproved
            if unproved:
                self._enter(unproved[0], self.depths.get(done.node.number, done.node.depth) + 1)
            elif done.node.proof is done:
                waiting.extend(parent for parent in done.node.parents if parent.status == "done")

    def _enter(self, node: Node, depth: int) -> None:
        if depth < self.depths.get(node.number, depth + 1):
            self.depths[node.number] = depth
            (self.stack if depth < self.limit else self.left).append(node)

    def _put_off(self, edge: Edge) -> None:
        """Leaves what ran out of heartbeats for the next limit."""
        more = more_heartbeats(edge, self.options.retry_factor, self.options.most_heartbeats)
        if more is not None and edge.number not in self.waiting:
            self.waiting.add(edge.number)
            self.left.append(edge)

    def _deepen(self) -> bool:
        """Takes up what the last limit left; False if that is nothing."""
        self.limit = min(self.limit + self.options.step, self.options.depth)
        left, self.left = self.left, []
        self.waiting.clear()
        self.stack = [
            item for item in reversed(left) if isinstance(item, Edge) or self.depths[item.number] < self.limit
        ]
        return bool(self.stack)

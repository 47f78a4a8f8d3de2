"""RMaxTS (DeepSeek-Prover-V1.5, arXiv 2408.08152, section 3): tree search over a policy that writes whole proofs.

A node is a whole tactic state. A simulation goes from the root down the edges that work, to a node where the bound
prefers the virtual child "expand here" to all edges. There the policy completes the proof, and what stands of it up
to the first error enters the graph. The reward is 1 if that added a state that is new to the whole graph, else 0: a
state that is another one up to names, order or repetition of facts earns nothing. It goes to the edges that were
selected and to the virtual child, and not to the edges that the completion took after that. W is kept in `value` and N
in `visits`: an edge's own on the edge, those of a node's virtual child on the node.

Choices are by discounted upper confidence bounds (bandit.py). What was never visited has the highest bound; of equals
"expand here" goes first, then the older edge. Edges that lead to the same state are one choice, of which the first
carries the statistics.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from search.bandit import Arm, after, choose
from search.graph.proof_graph import Edge, Node, ProofGraph
from search.tasks import Complete, Completed, Outcome, Task, Tried


@dataclass(frozen=True)
class RMaxTS:
    """`gamma` is the discount of the statistics, in (0, 1]; `intrinsic` off makes every reward 0 (an ablation).

    `trees`: so many take turns with the simulations (root parallelism). They share the graph, so that no tactic is
    run twice on a state, and what is new is new to all of them; each has statistics of its own, so that one that was
    led astray leads no other. The graph carries their sums; trees that go on with a loaded graph take equal parts.

    Nodes deeper than `depth` edges are not selected. `heartbeats` of Lean, in its thousands, are for one tactic. The
    search ends after `patience` simulations in a row that ran no tactic that had not been run on its state: the policy
    returned nothing, or what it had returned before.
    """

    gamma: float = 0.99
    trees: int = 1
    intrinsic: bool = True
    depth: int = 60
    heartbeats: int = 200_000
    patience: int = 100

    whole_proofs: ClassVar[bool] = True
    split: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0 < self.gamma <= 1:
            raise ValueError(f"gamma cannot be {self.gamma}: it is above 0 and at most 1")
        if self.trees < 1:
            raise ValueError(f"there cannot be {self.trees} trees")

    def start(self, graph: ProofGraph, random: Random) -> "RMaxTSSearch":
        return RMaxTSSearch(graph, self)


@dataclass(slots=True)
class Statistics:
    """Those of one place in one of several trees."""

    value: float
    visits: float
    running: int = 0


Place = Edge | Node
Tree = dict[Place, Statistics]


class RMaxTSSearch:
    """One search. `choices` are, for each node, an edge for each state that edges lead to."""

    def __init__(self, graph: ProofGraph, options: RMaxTS) -> None:
        self.graph, self.options = graph, options
        self.choices: dict[int, dict[tuple[int, ...], Edge]] = {}
        self.trees: list[Tree] = [{} for _ in range(options.trees)]
        self.dealt = 0
        self.under_way: dict[int, tuple[Complete, Tree]] = {}  # by the task's id: two tasks may be equal
        self.repeated = 0
        self.ended = False
        self.edges = len(graph.edges)
        for edge in graph.edges:
            edge.running = 0
        for node in graph.nodes:
            node.running = 0
            self._survey(node)

    def next(self) -> Task | None:
        if self.graph.root.proved or self.ended or self.repeated >= self.options.patience:
            return None
        tree = self.trees[self.dealt % len(self.trees)]
        self.dealt += 1
        path = self._select(tree)
        node = _below(path[-1]) if path else self.graph.root
        task = Complete(node, path, heartbeats=self.options.heartbeats)
        self.under_way[id(task)] = task, tree
        for arm in self._arms(tree, task):
            arm.running += 1
        return task

    def hear(self, outcome: Outcome) -> None:
        match outcome:
            case Completed():
                self._backup(outcome)
                for edge in outcome.edges:
                    self._add(edge)
            case Tried():  # the judge refused what rests on the edge
                self._survey(outcome.edge.node)

    def _select(self, tree: Tree) -> tuple[Edge, ...]:
        """The edges from the root to the node where the virtual child is chosen."""
        path: list[Edge] = []
        node = self.graph.root
        while True:
            edges = [edge for edge in self.choices.get(node.number, {}).values() if _leads_on(edge)]
            chosen = choose([self._arm(tree, node), *(self._arm(tree, edge) for edge in edges)], self.options.gamma)
            if chosen == 0:
                return tuple(path)
            path.append(edges[chosen - 1])
            node = _below(path[-1])

    def _backup(self, outcome: Completed) -> None:
        task, tree = self.under_way.pop(id(outcome.task))
        for arm in self._arms(tree, task):
            arm.running -= 1
        grown, self.edges = len(self.graph.edges) > self.edges, len(self.graph.edges)
        if outcome.broke_off:
            self.ended = True
            if not outcome.new:
                return  # it might still have found something
        self.repeated = 0 if grown else self.repeated + 1
        reward = 1.0 if outcome.new and self.options.intrinsic else 0.0
        for place in _places(task):
            arm = self._arm(tree, place)
            arm.value, arm.visits = after(arm.value, arm.visits, reward, self.options.gamma)
            if arm is not place:
                every = [self._arm(each, place) for each in self.trees]
                place.value, place.visits = sum(a.value for a in every), sum(a.visits for a in every)

    def _arms(self, tree: Tree, task: Complete) -> Iterator[Arm]:
        """What counts the simulation while it runs: in its tree, and in the graph."""
        for place in _places(task):
            yield place
            if (arm := self._arm(tree, place)) is not place:
                yield arm

    def _arm(self, tree: Tree, place: Place) -> Arm:
        """The tree's statistics of the place; those of an only tree are the graph's."""
        if len(self.trees) == 1:
            return place
        if place not in tree:
            # All at once: later the graph's are the sums of theirs.
            for each in self.trees:
                each[place] = Statistics(place.value / len(self.trees), place.visits / len(self.trees))
        return tree[place]

    def _survey(self, node: Node) -> None:
        self.choices.pop(node.number, None)
        for edge in node.edges:
            self._add(edge)

    def _add(self, edge: Edge) -> None:
        if edge.status == "done" and edge.children and edge.children[0].depth <= self.options.depth:
            leads_to = tuple(child.number for child in edge.children)
            self.choices.setdefault(edge.node.number, {}).setdefault(leads_to, edge)


def _places(task: Complete) -> list[Place]:
    """What the simulation is booked on: the edges to its node, and the virtual child there."""
    return [*task.path, task.node]


def _leads_on(edge: Edge) -> bool:
    return edge.status == "done" and not edge.proved


def _below(edge: Edge) -> Node:
    """Where a simulation goes on: of several goals, the first that is left."""
    return edge.unproved[0]

"""Step MCTS: PUCT over tactics, on a graph whose nodes are goals and whose edges may leave several goals (AND).

A simulation goes from the root down the edges that work, by the score, to an edge that was not tried, and tries it.
It is one visit of every node and edge on its way: visits(node) = 1 + the sum of visits(edge) over its edges, the 1 for
the simulation that found it. What it finds is worth 1 if the goal was closed, else what the new states are: a critic's
probability, or 1; and 0.99 for every tactic on the way up. Backup never looks at an edge that failed: such a
simulation is worth what its node was worth, so that it is a visit there and moves no value.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from random import Random
from typing import ClassVar

from search.algorithms.step_frontier import Frontier, Place
from search.critics import Scores
from search.graph.proof_graph import Edge, Node, ProofGraph
from search.policy import Critic
from search.puct import DISCOUNT, Conjunction, asks_again, conjunction, exploration, leaf_value, unvisited_value
from search.tasks import Ask, Asked, Outcome, Task, Tried, Try


@dataclass(frozen=True)
class StepMCTS:
    """`conjunction`: how the values of several goals make one, `min` (AlphaProof) or `product` (HTPS).

    Of several goals `min` works on the one of least value, `product` on the one with the fewest visits, because HTPS
    expands all of them at once. `c_base` and `c_init` are PUCT's: AlphaProof's `c_init` of 0.001 leaves the choice to
    learned values and, without them, goes ever deeper; AlphaZero's 1.25 heeds the priors. An untried edge has the value
    of its node, `unvisited` tactics further from a proof. `novelty`, 0 to 1, is the share of the intrinsic reward in
    what a simulation is worth: 1 if it added a node that is new to the whole graph, else 0. A node is asked again when
    it was asked at most `again_factor` N^`again_exponent` times, or when nothing is left to try there, unless the
    policy turns out to repeat itself. `depth` is in tactics. What ran out of heartbeats is tried again with
    `retry_factor` times as many, its prior times e^-`retry_penalty`.
    """

    conjunction: Conjunction = "min"
    critic: Critic | None = None
    novelty: float = 0.0
    c_base: float = 3200.0
    c_init: float = 1.25
    unvisited: float = 32.0
    again_factor: float = 0.01
    again_exponent: float = 0.6
    depth: int = 40
    heartbeats: int = 12_000
    most_heartbeats: int = 192_000
    retry_factor: int = 4
    retry_penalty: float = 2.0

    split: ClassVar[bool] = True

    def start(self, graph: ProofGraph, random: Random) -> "StepMCTSSearch":
        return StepMCTSSearch(graph, self)


class StepMCTSSearch:
    """One search. The statistics are in the graph; what may still be done is in the frontier."""

    def __init__(self, graph: ProofGraph, options: StepMCTS) -> None:
        self.graph, self.options = graph, options
        self.scores = None if options.critic is None else Scores(options.critic)
        self.unvisited = unvisited_value(1.0, options.unvisited)
        self.trying: dict[int, list[Edge]] = {}  # edge -> the way there, itself at the end
        self.asking: dict[int, list[Edge]] = {}  # node -> the way there
        self.frontier = Frontier(
            graph,
            options.depth,
            options.heartbeats,
            options.most_heartbeats,
            options.retry_factor,
            options.retry_penalty,
        )
        for node in graph.nodes:
            node.running = 0
        for edge in graph.edges:
            edge.running = 0
        self._survey()

    def next(self) -> Task | None:
        root = self.graph.root
        busy: set[int] = set()  # nodes below which everything is under way
        while root.proof is None and root.number not in busy and not self.frontier.places[root.number].dead:
            task = self._descend(root, busy)
            if task is not None:
                return task
        return None

    def hear(self, outcome: Outcome) -> None:
        match outcome:
            case Tried(edge=edge) if edge.number in self.trying:
                self._tried(edge, outcome.new)
            case Tried():  # the judge refused a proof, and the graph was mended
                self._survey()
            case Asked(node=node):
                self._count(self.asking.pop(node.number), -1)
                node.running -= 1
                self.frontier.asked(node, outcome.edges)

    def _descend(self, node: Node, busy: set[int]) -> Task | None:
        """One selection. None where it ended at a node with nothing to do now, which was buried or is in `busy`."""
        options, frontier = self.options, self.frontier
        path: list[Edge] = []
        while True:
            place = frontier.places[node.number]
            visits = node.visits + node.running
            if self._is_due(node, place, visits):
                return self._ask(node, place, path)
            explore = exploration(visits, options.c_base, options.c_init) / place.total
            priors = place.priors
            best: Edge | None = None
            most = -inf
            for number, edge in place.working.items():
                if busy and all(child.proof is not None or child.number in busy for child in edge.children):
                    continue
                n = edge.visits + edge.running  # virtual loss: one under way is a visit of value 0
                score = edge.value / n + explore * priors[number] / (n + 1)
                if score > most:
                    best, most = edge, score
            if place.untried and node.value / visits * self.unvisited - explore * place.untried[0][0] > most:
                return self._try(place, path)
            if best is None:
                if place.working or place.flying or place.asking:
                    busy.add(node.number)
                    return None
                if frontier.is_spent(node):
                    frontier.bury(node)
                    return None
                return self._ask(node, place, path)
            path.append(best)
            node = best.children[0] if len(best.children) == 1 else self._choose(best.children, busy)

    def _is_due(self, node: Node, place: Place, visits: float) -> bool:
        """Whether the policy is to be asked before anything else is done here."""
        if place.closed or place.asking:
            return False
        if not node.asked:
            return True
        options = self.options
        return (
            asks_again(node.asked, visits, options.again_factor, options.again_exponent) and self.frontier.may_repeat()
        )

    def _choose(self, children: Sequence[Node], busy: set[int]) -> Node:
        """The goal to work on. One under way is a visit of value 1: where the least is taken, that is the loss."""
        left = [child for child in children if child.proof is None and child.number not in busy]
        if self.options.conjunction == "min":
            return min(left, key=lambda node: (node.value + node.running) / (node.visits + node.running))
        return min(left, key=lambda node: node.visits + node.running)

    def _ask(self, node: Node, place: Place, path: list[Edge]) -> Ask:
        place.asking = True
        self.asking[node.number] = path
        self._count(path, 1)
        node.running += 1
        return Ask(node)

    def _try(self, place: Place, path: list[Edge]) -> Try:
        edge, heartbeats = self.frontier.take(place)
        path.append(edge)
        self.trying[edge.number] = path
        self._count(path, 1)
        return Try(edge, heartbeats)

    @staticmethod
    def _count(path: Iterable[Edge], change: int) -> None:
        for edge in path:
            edge.running += change
            edge.node.running += change

    def _tried(self, edge: Edge, new: tuple[Node, ...]) -> None:
        path = self.trying.pop(edge.number)
        self._count(path, -1)
        self._value(new)
        node, novelty = edge.node, self.options.novelty
        edge.visits += 1
        if edge.status == "done":
            found = self._worth(edge)
            if novelty:
                found = (1 - novelty) * found + novelty * bool(new)
            edge.value = found * edge.visits  # earlier tries that ran out of heartbeats say nothing else
            self._back_up(path, found * DISCOUNT)
        else:
            self._back_up(path, (1 - novelty) * node.value / node.visits)
        self.frontier.tried(edge, new)

    def _back_up(self, path: list[Edge], value: float) -> None:
        """Books a simulation that is worth `value` to the node of its last edge."""
        last = path[-1].node
        last.visits += 1
        last.value += value
        for edge in path[-2::-1]:
            # One goal passes on what the simulation is worth, several what is known of all of them by now.
            if len(edge.children) > 1 or edge.children[0].proof is not None:
                value = self._worth(edge)
            edge.visits += 1
            edge.value += value
            value *= DISCOUNT
            edge.node.visits += 1
            edge.node.value += value

    def _worth(self, edge: Edge) -> float:
        """Of what the edge leads to, by the mean values of the goals that are left."""
        left = [child.value / child.visits for child in edge.children if child.proof is None]
        return conjunction(left, self.options.conjunction)

    def _value(self, nodes: Sequence[Node]) -> None:
        """Gives new nodes their first visit, worth what the critic sees in them."""
        if self.scores is not None:
            self.scores.learn(nodes)
        for node in nodes:
            if not node.visits:
                node.visits = 1
                node.value = 1.0 if self.scores is None else leaf_value(self.scores.of(node))

    def _survey(self) -> None:
        """Of a graph that was loaded, or mended: what is left to do, and a visit for each edge that has none."""
        self._value(self.graph.nodes)
        for edge in self.graph.edges:
            if edge.status == "done" and not edge.visits:
                edge.visits, edge.value = 1, self._worth(edge)
                edge.node.visits += 1
                edge.node.value += edge.value * DISCOUNT
        self.frontier.survey(self.trying, self.asking)

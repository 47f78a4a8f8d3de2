"""What step MCTS may still do at each node: edges to try, edges to go down by, and where nothing is left."""

from collections.abc import Iterable
from heapq import heappop, heappush
from math import exp

from search.algorithms.retry import more_heartbeats, tries_before
from search.graph.proof_graph import Edge, Node, ProofGraph


class Place:
    """One node's. `untried` is a heap of (-prior / (visits + 1), edge number, heartbeats).

    `priors` are those of all edges but the failed ones, by edge number, and `total` is their sum, or 1 if that is 0.
    `working` are the edges to go down by. `flying` are tries under way. `closed`: the policy has nothing more to say
    here. `dead`: nothing is left to do here or below.
    """

    __slots__ = ("asking", "closed", "dead", "flying", "priors", "total", "untried", "working")

    def __init__(self, closed: bool, dead: bool) -> None:
        self.untried: list[tuple[float, int, int]] = []
        self.priors: dict[int, float] = {}
        self.total = 1.0
        self.working: dict[int, Edge] = {}
        self.flying = 0
        self.asking = False
        self.closed = closed
        self.dead = dead


class Frontier:
    """The places of a graph, by the number of the node; kept true by telling it of every ask and try."""

    def __init__(
        self,
        graph: ProofGraph,
        depth: int,
        heartbeats: int,
        most_heartbeats: int,
        retry_factor: int,
        retry_penalty: float,
    ) -> None:
        self.graph, self.depth = graph, depth
        self.first, self.most, self.factor, self.penalty = heartbeats, most_heartbeats, retry_factor, retry_penalty
        self.places: list[Place] = []
        self.repeats = self.fruitless = 0  # how often a node was asked again, and how often that gave nothing

    def may_repeat(self) -> bool:
        """Whether the policy might say something new of a state: not if it never did in three times."""
        return self.fruitless < 3 or self.fruitless < self.repeats

    def is_spent(self, node: Node) -> bool:
        """Whether nothing is to be tried or asked here, nothing is under way, and no edge leads on."""
        place = self.places[node.number]
        if place.untried or place.working or place.flying or place.asking:
            return False
        return place.closed or (node.asked > 0 and not self.may_repeat())

    def take(self, place: Place) -> tuple[Edge, int]:
        """The untried edge of the highest prior, and with how many heartbeats: now it is under way."""
        _, number, heartbeats = heappop(place.untried)
        place.flying += 1
        return self.graph.edges[number], heartbeats

    def asked(self, node: Node, edges: tuple[Edge, ...]) -> None:
        """The policy answered with these."""
        place = self.places[node.number]
        place.asking = False
        place.closed = not edges
        if node.asked > 1:
            self.repeats += 1
            self.fruitless += not edges
        for edge in edges:
            self._offer(place, edge, self.first)
        place.total = sum(place.priors.values()) or 1.0
        if self.is_spent(node):
            self.bury(node)

    def tried(self, edge: Edge, new: Iterable[Node]) -> None:
        """A try of the edge came to its end, and these nodes are new."""
        self.enter(new)
        place = self.places[edge.node.number]
        place.flying -= 1
        if edge.status == "done":
            if self._leads_on(edge):
                place.working[edge.number] = edge
        else:
            more = more_heartbeats(edge, self.factor, self.most)
            if more is not None:
                self._offer(place, edge, more)
            else:
                del place.priors[edge.number]
            place.total = sum(place.priors.values()) or 1.0
        if self.is_spent(edge.node):
            self.bury(edge.node)

    def enter(self, nodes: Iterable[Node]) -> None:
        """Gives new nodes their places."""
        for node in nodes:
            closed = node.depth >= self.depth
            self.places.append(Place(closed, closed and not node.edges))

    def bury(self, node: Node) -> None:
        """Nothing is left to do here: the edges that need it lead nowhere, and so do nodes that have only those."""
        waiting = [node]
        while waiting:
            here = waiting.pop()
            place = self.places[here.number]
            if here.proof is not None or place.dead:
                continue
            place.dead = True
            for parent in here.parents:
                above = self.places[parent.node.number]
                if above.working.pop(parent.number, None) is not None and self.is_spent(parent.node):
                    waiting.append(parent.node)

    def survey(self, trying: Iterable[int], asking: Iterable[int]) -> None:
        """Works everything out from the graph: of one that was loaded, or mended after the judge refused a proof.

        `trying` and `asking` are the numbers of the edges and nodes that are under way.
        """
        closed = {number for number, place in enumerate(self.places) if place.closed}
        under_way = set(trying)
        self.places = []
        self.enter(self.graph.nodes)
        for number in closed:
            self.places[number].closed = True
        for number in asking:
            self.places[number].asking = True
        for edge in self.graph.edges:
            place = self.places[edge.node.number]
            if edge.number in under_way:
                place.flying += 1
                place.priors[edge.number] = exp(edge.log_probability)
            elif edge.status == "untried":
                self._offer(place, edge, self.first)
            elif edge.status == "done":
                place.priors[edge.number] = exp(edge.log_probability)
                if self._leads_on(edge):
                    place.working[edge.number] = edge
            elif edge.status == "failed" and (more := more_heartbeats(edge, self.factor, self.most)) is not None:
                self._offer(place, edge, more)
        for place in self.places:
            place.total = sum(place.priors.values()) or 1.0
        for node in self.graph.nodes:
            if self.is_spent(node):
                self.bury(node)

    def _leads_on(self, edge: Edge) -> bool:
        """Whether something is left to do at each goal that it leaves."""
        return all(child.proof is not None or not self.places[child.number].dead for child in edge.children)

    def _offer(self, place: Place, edge: Edge, heartbeats: int) -> None:
        retries = tries_before(heartbeats, self.first, self.factor)
        prior = exp(edge.log_probability - retries * self.penalty)
        place.priors[edge.number] = prior
        heappush(place.untried, (-prior / (edge.visits + 1), edge.number, heartbeats))

"""The proof graph: tactic states, the tactics run on them, and what is proved.

An OR node is one tactic state: it is proved when one of its edges is. An edge is a tactic; what it leads to are the
groups of goals that share no metavariable, each a node of its own: several of them are an AND node, and the edge is
proved when all are. States that Lean finds equal up to names, order and repetition of facts are one node.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from lean_env.goal import Goal, ProofFinished, TacticError, TacticState, focused, independent
from lean_env.theorem import Theorem
from search.policy import Proposal

if TYPE_CHECKING:
    from networkx import MultiDiGraph

Status = Literal[
    "untried",
    "failed",  # Lean says no; `error` says why
    "cycle",  # it works and leads back to where the search comes from: never followed
    "refuted",  # it works, and a proof through it was refused by the judge: never followed
    "done",  # it works: `children` are what is left to prove, none if the goal was closed
]


@dataclass(eq=False, slots=True)
class Edge:
    """A tactic on a node. `visits` and `value` (a sum) are the algorithm's; `running` simulations are in it now."""

    number: int
    node: "Node"
    tactic: str
    log_probability: float
    status: Status = "untried"
    children: tuple["Node", ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()
    result: TacticState | None = None
    error: TacticError | None = None
    heartbeats: int = 0
    seconds: float = 0.0
    visits: float = 0
    value: float = 0.0
    running: int = 0

    @property
    def proved(self) -> bool:
        return self.status == "done" and all(child.proved for child in self.children)

    @property
    def unproved(self) -> list["Node"]:
        """What is left to prove below it."""
        return [child for child in self.children if not child.proved]

    @property
    def settles(self) -> bool:
        """Whether it closed the goal at once."""
        return self.status == "done" and not self.children


@dataclass(eq=False, slots=True)
class Node:
    """A tactic state. `proof` is the first edge that was found to prove it; `asked` counts the policy's answers."""

    number: int
    key: str
    state: TacticState
    depth: int
    edges: list[Edge] = field(default_factory=list)
    parents: list[Edge] = field(default_factory=list)
    proof: Edge | None = None
    asked: int = 0
    visits: float = 0
    value: float = 0.0
    running: int = 0
    tactics: dict[str, Edge] = field(default_factory=dict)

    @property
    def proved(self) -> bool:
        return self.proof is not None


class ProofGraph:
    """Grows by `add_edge`, `succeed` and `fail` alone, which keep what is proved true; a refused proof mends it.

    `split`: goals that share no metavariable become nodes of their own. `merge`: equal states are one node.
    """

    def __init__(self, theorem: Theorem, start: TacticState, split: bool = True, merge: bool = True) -> None:
        self.theorem, self.split, self.merge = theorem, split, merge
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.merged = 0
        self._by_key: dict[str, Node] = {}
        self.root = self.add_node(start, 0)

    def add_node(self, state: TacticState, depth: int) -> Node:
        """A node of its own for the state; of several with one key the first is the one that others are merged into."""
        node = Node(len(self.nodes), state_key(state.goals), state, depth)
        self.nodes.append(node)
        self._by_key.setdefault(node.key, node)
        return node

    def add_edge(self, node: Node, proposal: Proposal) -> Edge | None:
        """An untried edge for the proposal; None if the node has that tactic."""
        if proposal.text in node.tactics:
            return None
        edge = Edge(len(self.edges), node, proposal.text, proposal.log_probability)
        self.edges.append(edge)
        node.edges.append(edge)
        node.tactics[proposal.text] = edge
        return edge

    def fail(self, edge: Edge, error: TacticError) -> None:
        """The tactic does not apply, or did not come to an end."""
        edge.status, edge.error = "failed", error
        edge.seconds += error.seconds

    def succeed(self, edge: Edge, result: TacticState | ProofFinished) -> list[Node]:
        """Takes in what the tactic led to, and gives the nodes that are new."""
        edge.seconds += result.seconds
        edge.error = None
        if isinstance(result, ProofFinished):
            edge.status = "done"
            self._propagate(edge)
            return []
        edge.result = result
        edge.groups = self._groups(result)
        states = [result] if len(edge.groups) == 1 else [focused(result, group) for group in edge.groups]
        new: list[Node] = []
        children: list[Node] = []
        for state in states:
            key = state_key(state.goals)
            known = self._by_key.get(key) if self.merge else None
            if known is None:
                known = self.add_node(state, edge.node.depth + 1)
                new.append(known)
            else:
                self.merged += 1
            children.append(known)
        edge.children = tuple(children)
        if any(child not in new and self._leads_to(child, edge.node) for child in children):
            edge.status = "cycle"
            return new
        edge.status = "done"
        for child in children:
            child.parents.append(edge)
        self._propagate(edge)
        return new

    def part(self, edge: Edge) -> list[Node]:
        """Gives the edge's children that stand for other states too their own nodes; the nodes that are new.

        For an edge whose proof does not hold with the names of its own state.
        """
        if edge.result is None:
            return []
        new: list[Node] = []
        children = []
        for child, group in zip(edge.children, edge.groups, strict=True):
            state = edge.result if len(edge.groups) == 1 else focused(edge.result, group)
            if child.state.goals == state.goals:  # nothing to part, whichever of them it is
                children.append(child)
                continue
            child.parents.remove(edge)
            own = self.add_node(state, edge.node.depth + 1)
            own.parents.append(edge)
            new.append(own)
            children.append(own)
        edge.children = tuple(children)
        self.reconsider()
        return new

    def refute(self, edge: Edge) -> None:
        """The judge refuses what rests on this edge: it is no longer followed, and proves nothing."""
        edge.status = "refuted"
        self.reconsider()

    def restore(self, edge: Edge) -> None:
        """A refuted edge is followed again: another one was to blame. By now it may lead back."""
        edge.status = "cycle" if any(self._leads_to(child, edge.node) for child in edge.children) else "done"
        self.reconsider()

    def reconsider(self) -> None:
        """Works out again, from the edges alone, which nodes are proved."""
        for node in self.nodes:
            node.proof = None
        for edge in self.edges:
            self._propagate(edge)

    def to_networkx(self) -> "MultiDiGraph":
        """The graph as networkx has it: see drawn.py."""
        from search.graph.drawn import to_networkx

        return to_networkx(self)

    def subtree(self, node: Node) -> Iterator[Edge]:
        """The edges of the proof of a proved node, each once, from the top."""
        seen: set[int] = set()
        waiting = [node]
        while waiting:
            edge = waiting.pop().proof
            if edge is not None and edge.number not in seen:
                seen.add(edge.number)
                yield edge
                waiting.extend(reversed(edge.children))

    def _groups(self, state: TacticState) -> tuple[tuple[int, ...], ...]:
        if not self.split or len(state.goals) == 1:
            return (tuple(range(len(state.goals))),)
        groups = independent(state.goals)
        # Goals that hang together are proved in line, and a proof has one line: all of those are one group.
        together = tuple(sorted(place for group in groups if len(group) > 1 for place in group))
        return tuple(sorted([group for group in groups if len(group) == 1] + ([together] if together else [])))

    def _leads_to(self, start: Node, goal: Node) -> bool:
        """Whether `goal` is `start` or below it.

        Looked for from both ends by turns: either there is little below the one, or there are few ways to the other.
        """
        if start is goal:
            return True
        below, above = {start.number}, {goal.number}
        down, up = [start], [goal]
        while down and up:
            for edge in down.pop().edges:
                if edge.status == "done":
                    for child in edge.children:
                        if child is goal:
                            return True
                        if child.number not in below:
                            below.add(child.number)
                            down.append(child)
            for parent in up.pop().parents:
                node = parent.node
                if parent.status != "done":
                    continue
                if node is start:
                    return True
                if node.number not in above:
                    above.add(node.number)
                    up.append(node)
        return False

    def _propagate(self, edge: Edge) -> None:
        """Proved is what has a proved edge; the first proof of a node stays."""
        waiting = [edge]
        while waiting:
            proved = waiting.pop()
            if proved.node.proof is None and proved.proved:
                proved.node.proof = proved
                # The first way there is the one whose names the state has.
                waiting.extend(reversed(proved.node.parents))


def state_key(goals: Sequence[Goal]) -> str:
    """The name that equal states share: Lean's fingerprints of the goals, or their text where Lean gave none.

    A fingerprint numbers the metavariables of its own goal alone. Where goals share some, each is followed by the
    numbers that all of them have in the state: first the goal's own, then those mentioned in it.
    """
    if len(goals) == 1:
        return goals[0].key or goals[0].pretty
    numbers: dict[str, int] = {}
    marks = []
    for goal in goals:
        # Where the order is not known any order is right that is the same each time.
        names = goal.open or sorted(goal.metavariables)
        marks.append(",".join(str(numbers.setdefault(name, len(numbers))) for name in names))
    if len(numbers) == sum(len(goal.metavariables) for goal in goals):
        return " ".join(goal.key or goal.pretty for goal in goals)
    return " ".join(f"{goal.key or goal.pretty}[{mark}]" for goal, mark in zip(goals, marks, strict=True))


def needed(node: Node) -> bool:
    """Whether a proof of the node would help: it is open, and so is everything on some way from the root to it."""
    here = node
    while here.proof is None:  # most nodes have one way to them, or are needed by their first
        if here.number == 0:
            return True
        if not here.parents or here.parents[0].status != "done":
            break
        here = here.parents[0].node
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if here.proof is not None or here.number in seen:
            continue
        if here.number == 0:
            return True
        seen.add(here.number)
        waiting.extend(parent.node for parent in here.parents if parent.status == "done")
    return False

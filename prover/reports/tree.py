"""A stored proof graph made small enough for a page: what is proved first, then what works, then what failed."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.graph.stored import VERSION

GOAL_LENGTH, TACTIC_LENGTH, ERROR_LENGTH = 600, 300, 160
FEW = 24  # bytes of brackets, commas and numbers around the texts of an edge
LEAST = 80  # hardly an edge is smaller: with less room left, no more are looked at

Json = Mapping[str, Any]


@dataclass(frozen=True)
class SmallTree:
    """`data` is for JSON: `goals` (texts), `nodes` (places of their goals), `edges` ([node, tactic, status, children,
    error]; children name nodes), `proved` (the nodes that are), `more` (by node: how many of its tactics were left
    out), `size` (nodes and edges of the whole graph). `cut` says that something was left out or shortened."""

    data: dict[str, Any]
    cut: bool


def small_tree(text: str, room: int) -> SmallTree | None:
    """The graph of `search.graph.stored.to_json` in about `room` bytes; None if the text is none of this version."""
    try:
        graph = json.loads(text)
        return _small(graph, room) if graph["version"] == VERSION else None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return None


def _small(graph: Json, room: int) -> SmallTree:
    nodes, edges = graph["nodes"], graph["edges"]
    proofs = proving_edges(len(nodes), edges)
    shown = _Shown(graph, room)
    shown.node(0)
    for number in _in_order(edges, proofs):
        if shown.room < LEAST:
            shown.cut = True
            break
        shown.edge(edges[number])
    return SmallTree(shown.data(proofs), shown.cut)


def proving_edges(nodes: int, edges: Sequence[Json]) -> dict[int, int]:
    """By proved node, the number of the edge that proves it: one that is done, whose children are all proved.

    Each is found before the nodes that need it, so that following them comes to an end although states are merged.
    """
    waits, above = [len(set(edge["children"])) for edge in edges], defaultdict(list)
    for number, edge in enumerate(edges):
        for child in set(edge["children"]):
            above[child].append(number)
    ready = [n for n, edge in enumerate(edges) if edge["status"] == "done" and not edge["children"]]
    proofs: dict[int, int] = {}
    while ready:
        number = ready.pop()
        node = edges[number]["node"]
        if node in proofs or not 0 <= node < nodes:
            continue
        proofs[node] = number
        for parent in above[node]:
            waits[parent] -= 1
            if not waits[parent] and edges[parent]["status"] == "done":
                ready.append(parent)
    return proofs


def _in_order(edges: Sequence[Json], proofs: Mapping[int, int]) -> list[int]:
    """All edges: those of the proof, from the root on, then the ones that work, then the rest, each by number."""
    first: dict[int, None] = {}
    left = [0]
    while left:
        number = proofs.get(left.pop())
        if number is not None and number not in first:
            first[number] = None
            left.extend(reversed(edges[number]["children"]))
    rest = [number for number in range(len(edges)) if number not in first]
    return [*first, *sorted(rest, key=lambda number: edges[number]["status"] != "done")]


class _Shown:
    """What is shown so far. A node is shown with an edge that leads to it, an edge only below a node that is shown."""

    def __init__(self, graph: Json, room: int) -> None:
        self.graph, self.room, self.cut = graph, room, False
        self.places: dict[int, int] = {}
        self.goals: dict[int, int] = {}
        self.texts: list[str] = []
        self.nodes: list[list[int]] = []
        self.edges: list[list[Any]] = []

    def node(self, number: int) -> int:
        """Its place among the nodes shown; it is shown from now on."""
        if number not in self.places:
            self.places[number] = len(self.nodes)
            self.nodes.append([self._goal(goal) for goal in self.graph["nodes"][number]["goals"]])
        return self.places[number]

    def edge(self, edge: Json) -> None:
        """Shows it, if there is room."""
        children, error = edge["children"], edge["error"]
        said = self._short(error["message"], ERROR_LENGTH) if error else ""
        tactic = self._short(edge["tactic"], TACTIC_LENGTH)
        fresh = {goal for child in children if child not in self.places for goal in self._goals_of(child)}
        goals = sum(len(self._text(goal).encode()) for goal in fresh if goal not in self.goals)
        cost = FEW * (1 + len(children)) + len(tactic.encode()) + len(said.encode()) + goals
        if edge["node"] not in self.places or cost > self.room:
            self.cut = True
            return
        self.room -= cost
        places = [self.node(child) for child in children]
        self.edges.append([self.places[edge["node"]], tactic, edge["status"], places, *([said] if said else [])])

    def data(self, proofs: Mapping[int, int]) -> dict[str, Any]:
        all_edges: dict[int, int] = defaultdict(int)
        for edge in self.graph["edges"]:
            all_edges[edge["node"]] += 1
        shown: dict[int, int] = defaultdict(int)
        for row in self.edges:
            shown[row[0]] += 1
        more = {place: all_edges[n] - shown[place] for n, place in self.places.items() if all_edges[n] > shown[place]}
        return {
            "goals": self.texts,
            "nodes": self.nodes,
            "edges": self.edges,
            "proved": [place for number, place in self.places.items() if number in proofs],
            "more": more,
            "size": [len(self.graph["nodes"]), len(self.graph["edges"])],
        }

    def _goals_of(self, node: int) -> list[int]:
        return list(self.graph["nodes"][node]["goals"])

    def _goal(self, number: int) -> int:
        if number not in self.goals:
            self.goals[number] = len(self.texts)
            self.texts.append(self._short(self._text(number), GOAL_LENGTH))
        return self.goals[number]

    def _text(self, goal: int) -> str:
        data = self.graph["goals"][goal]
        return str(data["pretty"] or data["target"])[: GOAL_LENGTH + 1]

    def _short(self, text: str, length: int) -> str:
        if len(text) <= length:
            return text
        self.cut = True
        return text[: length - 1] + "…"

"""A proof graph as JSON and back: a search can be stopped, saved, loaded and gone on with.

Handles are left out: Lean rebuilds a state from its path. What is proved is worked out again from the edges.
"""

import json
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from math import inf, isfinite
from typing import Any, TypeVar, get_args

from lean_env.goal import Focus, Goal, Hypothesis, Step, TacticError, TacticState
from lean_env.theorem import Theorem
from search.graph.proof_graph import Edge, ProofGraph, Status
from search.policy import Proposal

VERSION = 1

Json = Mapping[str, Any]
T = TypeVar("T")


def to_json(graph: ProofGraph) -> str:
    """One JSON object: `version`, `theorem`, `split`, `merge`, `merged`, `goals`, `nodes`, `edges`.

    Nodes and edges are in the order of their numbers; each names its goals by their places in `goals`, where equal ones
    stand once. A log-probability of minus infinity is null.
    """
    goals: dict[str, int] = {}

    def places(state: TacticState) -> list[int]:
        return [goals.setdefault(json.dumps(_goal(goal), ensure_ascii=False), len(goals)) for goal in state.goals]

    nodes = [
        {
            "path": [list(step.goals) if isinstance(step, Focus) else step for step in node.state.path],
            "goals": places(node.state),
            "depth": node.depth,
            "asked": node.asked,
            "visits": node.visits,
            "value": node.value,
        }
        for node in graph.nodes
    ]
    edges = [
        {
            "node": edge.node.number,
            "tactic": edge.tactic,
            "log_probability": edge.log_probability if isfinite(edge.log_probability) else None,
            "status": edge.status,
            "children": [child.number for child in edge.children],
            "groups": [list(group) for group in edge.groups],
            "result": None if edge.result is None else places(edge.result),
            "error": edge.error
            and {"kind": edge.error.kind, "message": edge.error.message, "seconds": edge.error.seconds},
            "heartbeats": edge.heartbeats,
            "seconds": edge.seconds,
            "visits": edge.visits,
            "value": edge.value,
        }
        for edge in graph.edges
    ]
    theorem = {"name": graph.theorem.name, "statement": graph.theorem.statement, "header": graph.theorem.header}
    return json.dumps(
        {
            "version": VERSION,
            "theorem": theorem,
            "split": graph.split,
            "merge": graph.merge,
            "merged": graph.merged,
            "goals": [json.loads(goal) for goal in goals],
            "nodes": nodes,
            "edges": edges,
        },
        ensure_ascii=False,
        allow_nan=False,
    )


def from_json(text: str) -> ProofGraph:
    """The graph of `to_json`.

    Raises:
        ValueError: the text is none, or one of another version; the message is one sentence.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"This is no proof graph: not JSON ({error}).") from None
    if not isinstance(data, dict) or "version" not in data:
        raise ValueError("This is no proof graph: it does not say its `version`.")
    if data["version"] != VERSION:
        raise ValueError(f"This is a proof graph of version {data['version']!r}; version {VERSION} can be read.")
    try:
        return _graph(data)
    except (_Bad, CycleError) as error:
        said = "its edges go round in a circle" if isinstance(error, CycleError) else error
        raise ValueError(f"This proof graph is damaged: {said}.") from None


class _Bad(Exception):
    """What is wrong with it."""


def _graph(data: Json) -> ProofGraph:
    stated = _get(data, "theorem", dict, "the graph")
    theorem = Theorem(*(_get(stated, key, str, "the theorem") for key in ("name", "statement", "header")))
    goals = [_read_goal(goal) for goal in _get(data, "goals", list, "the graph")]
    rows, edges = _get(data, "nodes", list, "the graph"), _get(data, "edges", list, "the graph")
    states = [_read_state(row, f"node {i}", goals) for i, row in enumerate(rows)]
    if not states or states[0].path:
        raise _Bad("its first node is not the start of the theorem")
    graph = ProofGraph(
        theorem, states[0], _get(data, "split", bool, "the graph"), _get(data, "merge", bool, "the graph")
    )
    graph.merged = _get(data, "merged", int, "the graph")
    for i, (row, state) in enumerate(zip(rows, states, strict=True)):
        _read_node(graph, i, row, state)
    for i, row in enumerate(edges):
        _read_edge(graph, i, row, goals)
    above = {n.number: [e.node.number for e in n.parents if e.status == "done"] for n in graph.nodes}
    tuple(TopologicalSorter(above).static_order())
    graph.reconsider()
    return graph


def _read_node(graph: ProofGraph, number: int, row: Json, state: TacticState) -> None:
    where = f"node {number}"
    depth = _get(row, "depth", int, where)
    node = graph.add_node(state, depth) if number else graph.root
    node.asked, node.visits, node.value = (_get(row, "asked", int, where), *_statistics(row, where))


def _read_edge(graph: ProofGraph, number: int, row: Json, goals: Sequence[Goal]) -> None:
    where = f"edge {number}"
    log_probability = -inf if row.get("log_probability") is None else _number(row, "log_probability", where)
    node = _at(graph.nodes, _get(row, "node", int, where), where)
    edge = graph.add_edge(node, Proposal(_get(row, "tactic", str, where), log_probability))
    if edge is None:
        raise _Bad(f"{where} is another one's double")
    edge.status = _one_of(row, "status", get_args(Status), where)
    edge.heartbeats, edge.seconds = _get(row, "heartbeats", int, where), _number(row, "seconds", where)
    edge.visits, edge.value = _statistics(row, where)
    edge.children = tuple(_at(graph.nodes, child, where) for child in _places(row, "children", where))
    edge.groups = tuple(tuple(_ints(group, where)) for group in _get(row, "groups", list, where))
    if row.get("result") is not None:
        state = tuple(_at(goals, place, where) for place in _places(row, "result", where))
        edge.result = TacticState(state, (*node.state.path, edge.tactic))
    if row.get("error") is not None:
        error = _get(row, "error", dict, where)
        kind = _one_of(error, "kind", ("parse", "error", "limit", "timeout", "lost"), where)
        edge.error = TacticError(_get(error, "message", str, where), kind, _number(error, "seconds", where))
    _check(edge, where)
    if edge.status in ("done", "refuted"):
        for child in edge.children:
            child.parents.append(edge)


def _check(edge: Edge, where: str) -> None:
    """That what the edge says of itself fits together."""
    left = sorted(place for group in edge.groups for place in group)
    there = len(edge.result.goals) if edge.result else 0
    if len(edge.groups) != len(edge.children) or left != list(range(there)):
        raise _Bad(f"{where} leads to {len(edge.children)} nodes and says of {there} goals that they are those")
    if (edge.error is not None) != (edge.status == "failed") or (edge.status == "cycle" and not edge.children):
        raise _Bad(f"{where} is {edge.status}, which does not fit with what it led to")
    if edge.status in ("untried", "failed") and edge.children:
        raise _Bad(f"{where} is {edge.status} and leads to something")


def _goal(goal: Goal) -> dict[str, Any]:
    return {
        "target": goal.target,
        "hypotheses": [[list(h.names), h.type, h.value] for h in goal.hypotheses],
        "case": goal.case,
        "pretty": goal.pretty,
        "key": goal.key,
        "metavariables": sorted(goal.metavariables),
        "open": list(goal.open),
    }


def _read_goal(row: Any) -> Goal:
    where = "a goal"
    names, opened = (
        tuple(_text(name, where) for name in _get(row, each, list, where)) for each in ("metavariables", "open")
    )
    case = None if row.get("case") is None else _get(row, "case", str, where)
    hypotheses = tuple(_read_hypothesis(each) for each in _get(row, "hypotheses", list, where))
    target, pretty, key = (_get(row, name, str, where) for name in ("target", "pretty", "key"))
    return Goal(target, hypotheses, case, pretty, key, frozenset(names), opened)


def _read_hypothesis(row: Any) -> Hypothesis:
    where = "a hypothesis"
    if not isinstance(row, list) or len(row) != 3 or not isinstance(row[0], list):
        raise _Bad(f"{where} is not [names, type, value]")
    value = None if row[2] is None else _text(row[2], where)
    return Hypothesis(tuple(_text(name, where) for name in row[0]), _text(row[1], where), value)


def _read_state(row: Any, where: str, goals: Sequence[Goal]) -> TacticState:
    path: list[Step] = [
        step if isinstance(step, str) else Focus(tuple(_ints(step, where))) for step in _get(row, "path", list, where)
    ]
    state = tuple(_at(goals, place, where) for place in _places(row, "goals", where))
    if not state:
        raise _Bad(f"{where} has no goal")
    return TacticState(state, tuple(path))


def _get(row: Any, key: str, kind: type, where: str) -> Any:
    value = row.get(key) if isinstance(row, dict) else None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _Bad(f"`{key}` of {where} is missing or not of its kind")
    return value


def _number(row: Json, key: str, where: str) -> float:
    value = row.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        raise _Bad(f"`{key}` of {where} is no number")
    return value


def _statistics(row: Json, where: str) -> tuple[float, float]:
    return _number(row, "visits", where), _number(row, "value", where)


def _one_of(row: Json, key: str, known: Sequence[str], where: str) -> Any:
    value = _get(row, key, str, where)
    if value not in known:
        raise _Bad(f"`{key}` of {where} is {value!r}")
    return value


def _places(row: Json, key: str, where: str) -> list[int]:
    return _ints(_get(row, key, list, where), where)


def _ints(values: Any, where: str) -> list[int]:
    if not isinstance(values, list) or not all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        raise _Bad(f"{where} has something in the place of a list of whole numbers")
    return values


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _Bad(f"{where} has something in the place of a text")
    return value


def _at(things: Sequence[T], place: int, where: str) -> T:
    if not 0 <= place < len(things):
        raise _Bad(f"{where} names something that is not there")
    return things[place]

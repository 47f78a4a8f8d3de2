"""A proof graph as networkx, GraphML and DOT have it: OR nodes, AND nodes, and where a goal was closed."""

import re
from math import isfinite
from typing import Any

import networkx

from search.graph.proof_graph import Edge, Node, ProofGraph

# XML has no place for these, and nothing would be seen of them.
_CONTROL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LABEL = 60


def to_networkx(graph: ProofGraph) -> "networkx.MultiDiGraph":
    """The graph with three kinds of nodes, told by `kind`, and one arc for every tactic.

    `or`: a tactic state, named `n` and its number. `and`: several states that have to be proved, named `a` and the
    number of the tactic's edge; a plain arc leads to each. `closed`: a tactic left nothing to prove, named `c` and
    that number. A tactic that leads nowhere ends in a node of kind `failed` or `untried`, named `f` or `u` likewise.
    Attributes are texts, numbers and truth values; one that is not known (an error, a log-probability of minus
    infinity) is left out.
    """
    drawing = networkx.MultiDiGraph(theorem=_clean(graph.theorem.statement))
    for node in graph.nodes:
        drawing.add_node(f"n{node.number}", **_of_node(node))
    for edge in graph.edges:
        target = _target(edge)
        if target[0] != "n":
            kinds = {"a": "and", "c": "closed", "f": "failed", "u": "untried"}
            drawing.add_node(target, kind=kinds[target[0]], proved=edge.proved)
        drawing.add_edge(f"n{edge.node.number}", target, key=f"e{edge.number}", **_of_edge(edge))
        if target[0] == "a":
            for place, child in enumerate(edge.children):
                drawing.add_edge(target, f"n{child.number}", key=f"e{edge.number}.{place}")
    return drawing


def to_graphml(graph: ProofGraph) -> str:
    """GraphML, with everything that `to_networkx` has."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + "\n".join(networkx.generate_graphml(to_networkx(graph))) + "\n"


def to_dot(graph: ProofGraph) -> str:
    """DOT for Graphviz: what works, the found proof in bold; of tactics that failed or were not tried the number."""
    proof = {edge.number for edge in graph.subtree(graph.root)}
    lines = [
        f"digraph {_quoted(graph.theorem.name)} {{",
        '  node [shape=box, style=rounded, fontname="monospace", fontsize=10];',
        '  edge [fontname="monospace", fontsize=9];',
    ]
    for node in graph.nodes:
        style = ', color=darkgreen, style="rounded,bold"' if node.proved else ""
        lines.append(f"  n{node.number} [label={_left(_state_label(node))}{style}];")
    for edge in graph.edges:
        target = _target(edge)
        if target[0] in "fu":
            continue
        bold = ", color=darkgreen, penwidth=2" if edge.number in proof else ""
        dashed = ", style=dashed" if edge.status in ("cycle", "refuted") else ""
        lines.append(f"  n{edge.node.number} -> {target} [label={_left(_short(edge.tactic, _LABEL))}{bold}{dashed}];")
        if target[0] == "c":
            lines.append(f'  {target} [label="", shape=circle, width=0.15, style=filled, fillcolor=darkgreen];')
        if target[0] == "a":
            lines.append(f'  {target} [label="and", shape=ellipse];')
            lines += [f"  {target} -> n{child.number} [arrowhead=none{bold}{dashed}];" for child in edge.children]
    return "\n".join([*lines, "}"]) + "\n"


def _target(edge: Edge) -> str:
    if edge.status in ("failed", "untried"):
        return f"{edge.status[0]}{edge.number}"
    if len(edge.children) == 1:
        return f"n{edge.children[0].number}"
    return f"{'a' if edge.children else 'c'}{edge.number}"


def _of_node(node: Node) -> dict[str, Any]:
    return {
        "kind": "or",
        "state": _clean(node.state.pretty),
        "goals": len(node.state.goals),
        "depth": node.depth,
        "proved": node.proved,
        "asked": node.asked,
        "visits": node.visits,
        "value": node.value,
    }


def _of_edge(edge: Edge) -> dict[str, Any]:
    known: dict[str, Any] = {
        "tactic": _clean(edge.tactic),
        "status": edge.status,
        "proved": edge.proved,
        "seconds": edge.seconds,
        "heartbeats": edge.heartbeats,
        "visits": edge.visits,
        "value": edge.value,
    }
    if isfinite(edge.log_probability):
        known["log_probability"] = edge.log_probability
    if edge.error is not None:
        known |= {"error": _clean(edge.error.message), "error_kind": edge.error.kind}
    return known


def _state_label(node: Node) -> str:
    failed = sum(edge.status == "failed" for edge in node.edges)
    untried = sum(edge.status == "untried" for edge in node.edges)
    rows = [_short(row, _LABEL) for row in node.state.pretty.split("\n")]
    if len(rows) > 12:
        rows = [*rows[:6], "…", *rows[-5:]]
    counts = [f"{number} {word}" for number, word in ((failed, "failed"), (untried, "untried")) if number]
    return "\n".join([*rows, *([f"({', '.join(counts)})"] if counts else [])])


def _short(text: str, length: int) -> str:
    text = " ".join(text.split("\n"))
    return text if len(text) <= length else text[: length - 1] + "…"


def _clean(text: str) -> str:
    return _CONTROL.sub("?", text)


def _quoted(text: str) -> str:
    return '"' + _clean(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _left(text: str) -> str:
    """A label whose lines begin at its left edge."""
    return _quoted(text)[:-1].replace("\n", "\\l") + '\\l"'

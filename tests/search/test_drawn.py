"""Proof graphs as networkx, GraphML and DOT: every kind of node, every attribute, and texts that want quoting."""

import io
import shutil
import subprocess

import networkx
import pytest

from search.graph.drawn import to_dot, to_graphml, to_networkx
from tests.search.test_stored import grown


def test_or_and_and_closed_nodes():
    graph = grown()
    drawing = graph.to_networkx()
    assert isinstance(drawing, networkx.MultiDiGraph)
    # Nodes 0 to 2 are states, edge 0 splits, 1 closes, 2 leads back to the root, 3 to B, 4 failed, 5 was not tried.
    assert {name: data["kind"] for name, data in drawing.nodes(data=True)} == {
        "n0": "or",
        "n1": "or",
        "n2": "or",
        "a0": "and",
        "c1": "closed",
        "f4": "failed",
        "u5": "untried",
    }
    assert sorted(drawing.edges(keys=True)) == [
        ("a0", "n1", "e0.0"),
        ("a0", "n2", "e0.1"),
        ("n0", "a0", "e0"),
        ("n0", "n2", "e3"),
        ("n1", "c1", "e1"),
        ("n2", "f4", "e4"),
        ("n2", "n0", "e2"),
        ("n2", "u5", "e5"),
    ]
    assert drawing.nodes["n1"]["proved"]
    assert not drawing.nodes["n0"]["proved"]
    assert drawing.nodes["n0"]["visits"] == 5
    assert drawing.edges["n2", "f4", "e4"] == {
        "tactic": "simp",
        "status": "failed",
        "proved": False,
        "seconds": 2.0,
        "heartbeats": 12_000,
        "visits": 0,
        "value": 0.0,
        "log_probability": -0.1,
        "error": "heartbeats",
        "error_kind": "limit",
    }
    assert "log_probability" not in drawing.edges["n0", "n2", "e3"]


def test_graphml_can_be_read_again():
    graph = grown()
    graph.edges[4].tactic = 'simp [← "a" & <b>]\x00'
    back = networkx.read_graphml(io.BytesIO(to_graphml(graph).encode()), force_multigraph=True)
    drawing = to_networkx(graph)
    assert dict(back.nodes(data=True)) == dict(drawing.nodes(data=True))
    assert back.edges["n2", "f4", "e4"]["tactic"] == 'simp [← "a" & <b>]?'
    assert sorted(back.edges(keys=True)) == sorted(drawing.edges(keys=True))


def test_dot_shows_what_works_and_counts_the_rest():
    graph = grown()
    graph.edges[3].tactic = 'exact "\\x"\nskip'
    assert to_dot(graph) == (
        'digraph "t" {\n'
        '  node [shape=box, style=rounded, fontname="monospace", fontsize=10];\n'
        '  edge [fontname="monospace", fontsize=9];\n'
        '  n0 [label="case h ⊢\\l"];\n'
        '  n1 [label="\\l", color=darkgreen, style="rounded,bold"];\n'
        '  n2 [label="\\l(1 failed, 1 untried)\\l"];\n'
        '  n0 -> a0 [label="constructor\\l"];\n'
        '  a0 [label="and", shape=ellipse];\n'
        "  a0 -> n1 [arrowhead=none];\n"
        "  a0 -> n2 [arrowhead=none];\n"
        '  n1 -> c1 [label="rfl\\l"];\n'
        '  c1 [label="", shape=circle, width=0.15, style=filled, fillcolor=darkgreen];\n'
        '  n2 -> n0 [label="exact back\\l", style=dashed];\n'
        '  n0 -> n2 [label="exact \\"\\\\x\\" skip\\l"];\n'
        "}\n"
    )


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_it():
    drawn = subprocess.run(["dot", "-Tplain"], input=to_dot(grown()), capture_output=True, text=True, check=True)
    assert drawn.stderr == ""
    assert sum(line.startswith("node ") for line in drawn.stdout.splitlines()) == 5

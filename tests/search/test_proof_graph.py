"""What the proof graph keeps true, on random graphs with cycles, against networkx."""

import networkx
from hypothesis import given, settings
from hypothesis import strategies as st

from lean_env import Goal, TacticState
from search import Proposal
from search.graph.proof_graph import ProofGraph, needed
from tests.search.graph_session import THEOREM

STEPS = st.lists(st.tuples(st.integers(0, 30), st.lists(st.integers(0, 7), max_size=2)), max_size=40)


def state(*goals):
    return TacticState(tuple(Goal(str(goal), pretty=str(goal)) for goal in goals))


def grow(steps):
    """A graph in which each step runs one more tactic on one of the nodes, and the edges with what they should be."""
    graph = ProofGraph(THEOREM, state(0))
    plain = networkx.DiGraph()
    plain.add_node(0)
    for count, (place, goals) in enumerate(steps):
        node = graph.nodes[place % len(graph.nodes)]
        edge = graph.add_edge(node, Proposal(f"t{count}", -1.0))
        assert edge is not None
        if not goals:
            continue  # nothing is closed: what is proved is another test's
        graph.succeed(edge, state(*goals))
        children = [child.number for child in edge.children]
        plain.add_nodes_from(children)
        cycle = any(networkx.has_path(plain, child, node.number) for child in children)
        assert edge.status == ("cycle" if cycle else "done")
        if not cycle:
            plain.add_edges_from((node.number, child) for child in children)
    return graph, plain


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_what_leads_back_is_a_cycle_and_nothing_else_is(steps):
    graph, plain = grow(steps)
    assert networkx.is_directed_acyclic_graph(plain)
    assert len({node.key for node in graph.nodes}) == len(graph.nodes)


@settings(max_examples=200, deadline=None)
@given(STEPS, st.sets(st.integers(0, 7)))
def test_needed_is_what_an_open_way_from_the_root_leads_to(steps, closed):
    graph, plain = grow(steps)
    for node in graph.nodes:
        if int(node.key) in closed:
            edge = graph.add_edge(node, Proposal("close", -1.0))
            assert edge is not None
            edge.status = "done"
            graph.reconsider()
    still_open = plain.subgraph(node.number for node in graph.nodes if not node.proved)
    for node in graph.nodes:
        way = 0 in still_open and node.number in still_open and networkx.has_path(still_open, 0, node.number)
        assert needed(node) == way

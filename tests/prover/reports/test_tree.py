"""Trees for a page: what is proved, what is shown first, what is cut."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lean_env.goal import ProofFinished, TacticError, TacticState
from lean_env.theorem import Theorem
from prover.reports.tree import ERROR_LENGTH, proving_edges, small_tree
from search import ProofGraph
from search.graph.stored import to_json
from tests.prover.reports.made_runs import HARM, edge, goal, or_tree


def test_a_whole_tree_has_every_goal_tactic_and_error():
    tree = small_tree(or_tree(failures=2), 10_000)
    assert tree is not None
    assert not tree.cut
    # Four states, the root's goal and three others; six tactics in the order proof first, then working, then failed.
    assert tree.data["goals"] == ["h : p ∨ q\n⊢ q ∨ p", "a : p\n⊢ q ∨ p", "b : q\n⊢ q ∨ p", f"x : p {HARM}\n⊢ q"]
    assert tree.data["edges"] == [
        [0, "cases h", "done", [1, 2]],
        [1, "exact Or.inr a", "done", []],
        [2, "exact Or.inl b", "done", []],
        [0, "intro x", "done", [3]],
        [0, "fail_0", "failed", [], "no progress " + HARM],
        [0, "fail_1", "failed", [], "no progress " + HARM],
    ]
    assert sorted(tree.data["proved"]) == [0, 1, 2]
    assert tree.data["size"] == [4, 6]
    assert tree.data["more"] == {}


def test_with_little_room_the_proof_stays_and_failures_go():
    tree = small_tree(or_tree(failures=40), 330)
    assert tree is not None
    assert tree.cut
    assert [row[1] for row in tree.data["edges"]][:3] == ["cases h", "exact Or.inr a", "exact Or.inl b"]
    # 42 tactics on the root, of which so many are shown.
    shown = sum(row[0] == 0 for row in tree.data["edges"])
    assert tree.data["more"] == {0: 42 - shown}
    assert tree.data["size"] == [4, 44]


@pytest.mark.parametrize("room", [0, 100, 1_000, 5_000])
def test_a_tree_keeps_to_its_room_but_for_the_root(room):
    tree = small_tree(or_tree(failures=400), room)
    assert tree is not None
    rest = {key: tree.data[key] for key in ("goals", "edges")}
    root = len("h : p ∨ q\n⊢ q ∨ p".encode()) + 40
    assert len(json.dumps(rest, ensure_ascii=False, separators=(",", ":")).encode()) <= room + root


def test_long_texts_are_cut_and_said_to_be():
    graph = ProofGraph(Theorem("t", "theorem t : True"), TacticState((goal("⊢ " + "x" * 5_000),)))
    graph.fail(edge(graph, 0, "simp"), TacticError("e" * 5_000, "error", 0.0))
    tree = small_tree(to_json(graph), 10_000)
    assert tree is not None
    assert tree.cut
    assert tree.data["edges"][0][4] == "e" * (ERROR_LENGTH - 1) + "…"


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", '{"version": 99}', '{"version": 1, "nodes": [], "edges": [], "goals": []}', "7"]
)
def test_what_is_no_tree_is_none(text):
    assert small_tree(text, 1_000) is None


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5), st.lists(st.integers(0, 5), max_size=3), st.sampled_from(["done", "failed", "cycle"])
        )
    )
)
def test_proving_edges_are_the_least_fixed_point(rows):
    """Against the plain definition: go over all edges again and again until nothing new is proved."""
    edges = [{"node": node, "children": children, "status": status} for node, children, status in rows]
    proved: set[int] = set()
    for _ in range(7):
        proved |= {e["node"] for e in edges if e["status"] == "done" and proved.issuperset(e["children"])}
    found = proving_edges(6, edges)
    assert set(found) == proved
    below = {node: edges[number]["children"] for node, number in found.items()}
    order = list(found)
    assert all(order.index(child) < order.index(node) for node, children in below.items() for child in children)


def test_the_proof_is_the_graphs_own():
    """What `ProofGraph` says is proved is what the page says."""
    graph = ProofGraph(Theorem("t", "theorem t : True"), TacticState((goal("⊢ A"),)))
    for number in range(5):
        graph.succeed(edge(graph, number, f"step {number}"), TacticState((goal(f"⊢ {number}"),), (f"step {number}",)))
    graph.succeed(edge(graph, 3, "done"), ProofFinished(("step 0", "step 1", "step 2", "done")))
    tree = small_tree(to_json(graph), 10_000)
    assert tree is not None
    assert sorted(tree.data["proved"]) == [node.number for node in graph.nodes if node.proved] == [0, 1, 2, 3]


def test_replaced_pretty_text_falls_back_on_the_target():
    bare = replace(goal("⊢ A"), pretty="")
    tree = small_tree(to_json(ProofGraph(Theorem("t", "theorem t : A"), TacticState((bare,)))), 100)
    assert tree is not None
    assert tree.data["goals"] == ["A"]

"""Of several proofs that a graph has, the one that was accepted is found again, step by step."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from lean_env.goal import Goal, Hypothesis, ProofFinished, TacticState
from lean_env.theorem import Theorem
from rl.data.path import accepted_path
from search.graph.proof_graph import Edge, Node, ProofGraph
from search.graph.script import lines, script
from search.graph.stored import from_json, to_json
from search.policy import Proposal
from search.result import proof_text

THEOREM = Theorem("t", "theorem t : a")


def goal(target: str, name: str = "") -> Goal:
    """A goal with a key, and a fact by that name."""
    facts = (Hypothesis((name,), "p"),) if name else ()
    pretty = f"{name} : p\n⊢ {target}" if name else f"⊢ {target}"
    return Goal(target, facts, None, pretty, target, frozenset([f"?{target}"]), (f"?{target}",))


def begun(merge: bool = True) -> ProofGraph:
    return ProofGraph(THEOREM, TacticState((goal("a"),)), merge=merge)


def tried(graph: ProofGraph, node: Node, tactic: str, *left: Goal) -> Edge:
    edge = graph.add_edge(node, Proposal(tactic, -1.0))
    assert edge is not None
    path = (*node.state.path, tactic)
    graph.succeed(edge, TacticState(left, path) if left else ProofFinished(path))
    return edge


def said(graph: ProofGraph) -> str:
    return proof_text(lines(script(graph.root)))


def told(graph: ProofGraph, proof: str) -> list[tuple[str, str]]:
    return [(edge.node.state.pretty, edge.tactic) for edge in accepted_path(graph, proof) or ()]


def test_the_accepted_one_of_two_that_close_a_goal() -> None:
    """The second edge was the first to come back; read from its file the graph takes the edge that comes first."""
    graph = begun()
    first = graph.add_edge(graph.root, Proposal("grind", -1.0))
    tried(graph, graph.root, "omega")
    accepted = said(graph)
    assert accepted == "by\n  omega"
    assert first is not None
    graph.succeed(first, ProofFinished(("grind",)))
    loaded = from_json(to_json(graph))
    assert said(loaded) == "by\n  grind"
    assert told(loaded, accepted) == [("⊢ a", "omega")]
    assert said(loaded) == "by\n  grind"  # left as it was
    assert told(graph, accepted) == [("⊢ a", "omega")]


def test_goals_apart_below_bullets() -> None:
    graph = begun()
    split = tried(graph, graph.root, "constructor", goal("b"), goal("c"), goal("d"))
    b, c, d = split.children
    tried(graph, c, "simp")
    tried(graph, c, "cases h\nomega")
    tried(graph, b, "rfl")
    tried(graph, tried(graph, d, "intro x", goal("e")).children[0], "simp")
    tried(graph, d, "omega")
    accepted = "by\n  constructor\n  · rfl\n  · cases h\n    omega\n  omega"
    wanted = [("⊢ a", "constructor"), ("⊢ b", "rfl"), ("⊢ c", "cases h\nomega"), ("⊢ d", "omega")]
    assert said(graph) == "by\n  constructor\n  · rfl\n  · simp\n  intro x\n  simp"
    for each in (graph, from_json(to_json(graph))):
        assert told(each, accepted) == wanted


def test_names_that_are_given_between_two_states_are_no_step() -> None:
    """The second way to the state has another name for its fact; its proof is run on the state as it was first."""
    graph = begun()
    state = tried(graph, graph.root, "intro h", goal("b", "h")).children[0]
    assert tried(graph, graph.root, "intro g", goal("b", "g")).children == (state,)
    tried(graph, state, "exact h")
    assert said(graph) == "by\n  intro h\n  exact h"
    accepted = "by\n  intro g\n  have h := g\n  exact h"
    assert told(graph, accepted) == [("⊢ a", "intro g"), ("h : p\n⊢ b", "exact h")]


def test_a_proof_that_the_graph_does_not_have() -> None:
    graph = begun()
    assert accepted_path(graph, "by\n  omega") is None
    tried(graph, graph.root, "simp")
    assert accepted_path(graph, "by\n  simp\n  omega") is None
    assert accepted_path(graph, "simp") is None
    assert told(graph, "by\n  simp") == [("⊢ a", "simp")]


@settings(deadline=None, max_examples=60)
@given(st.randoms(use_true_random=False))
def test_any_proof_of_any_graph_is_found(random: Random) -> None:
    graph = begun()
    grow(graph, graph.root, 3, random)
    for node in graph.nodes:
        proofs = [edge for edge in node.edges if edge.proved]
        node.proof = random.choice(proofs) if proofs else None
    accepted = said(graph)
    chosen = [(edge.node.number, edge.tactic) for edge in graph.subtree(graph.root)]
    for each in (from_json(to_json(graph)), graph):
        found = accepted_path(each, accepted)
        assert found is not None
        assert [(edge.node.number, edge.tactic) for edge in found] == chosen


def grow(graph: ProofGraph, node: Node, depth: int, random: Random) -> None:
    """One to three ways on from every state, some of them to states that are there already, every leaf closed."""
    for tactic in random.sample(["simp", "omega", "intro x", "cases h"], random.randint(1, 3 if depth else 1)):
        if tactic in node.tactics:
            continue
        left = random.randint(1, 3) if depth and random.random() < 0.6 else 0
        there = [each.state.goals[0] for each in graph.nodes]
        names = [f"g{len(graph.nodes)}_{i}" for i in range(left)]
        goals = [random.choice(there) if random.random() < 0.1 else goal(name) for name in names]
        goals = list({each.target: each for each in goals}.values())
        before = len(graph.nodes)
        tried(graph, node, tactic, *goals)
        for new in graph.nodes[before:]:
            grow(graph, new, depth - 1, random)
    if not node.proved:
        tried(graph, node, "decide\n\n  at h")

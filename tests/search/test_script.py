"""The text of a proof that was found in parts: bullets, goals brought to the front, and real Lean's word on it."""

import pytest

from lean_env import Candidate, ProofFinished, TacticState, Theorem
from search import ProofGraph, proof_text
from search.graph.script import Step, lines, script
from tests.search.graph_session import new_edge


def test_a_proof_is_needed():
    graph = ProofGraph(Theorem("t", "theorem t : True"), TacticState(()))
    with pytest.raises(ValueError, match="node 0 is not proved"):
        script(graph.root)


def test_bullets_are_indented_and_goals_brought_to_the_front():
    inner = (Step("cases h with\n| inl a => exact a\n\n| inr b => exact b"),)
    steps = (Step("constructor", ((0, inner), (2, (Step("skip"), Step("rfl"))))), Step("simp"))
    assert "\n".join(lines(steps)) == (
        "constructor\n"
        "· cases h with\n  | inl a => exact a\n\n  | inr b => exact b\n"
        "rotate_left 2\n· skip\n  rfl\nrotate_right 2\n"
        "simp"
    )


# (statement, the tactic for the main goal of the first open node, in turn, and the proof that comes of it)
SPLIT = [
    (
        "(h : p ∧ q) : q ∧ p",
        [("⊢ q ∧ p", "constructor"), ("⊢ q", "cases h with\n| intro a b => exact b"), ("⊢ p", "exact h.1")],
        "by\n  constructor\n  · cases h with\n    | intro a b => exact b\n  exact h.1",
    ),
    (
        # Three goals: the first and the last share a metavariable and are proved in line, the one between is not.
        "(h : p) : ∃ n : Nat, p ∧ n > 3",
        [("⊢ ∃ n", "refine ⟨?_, ?_, ?_⟩"), ("⊢ p", "exact h"), ("⊢ Nat", "exact 4"), ("⊢ 4 > 3", "decide")],
        "by\n  refine ⟨?_, ?_, ?_⟩\n  rotate_left 1\n  · exact h\n  rotate_right 1\n  exact 4\n  decide",
    ),
    (
        "(h : p) : (p ∧ ∃ n : Nat, p ∧ (q → q) ∧ n > 3) ∧ p",
        [
            ("⊢ (p ∧", "refine ⟨⟨?_, ?_, ?_, ?_, ?_⟩, ?_⟩"),
            ("⊢ q → q", "intro a"),
            ("⊢ q", "exact a"),
            ("⊢ p", "exact h"),
            ("⊢ Nat", "exact 4"),
            ("⊢ 4 > 3", "decide"),
        ],
        "by\n  refine ⟨⟨?_, ?_, ?_, ?_, ?_⟩, ?_⟩\n  · exact h\n  rotate_left 1\n  · exact h\n  rotate_right 1\n"
        "  rotate_left 1\n  · intro a\n    exact a\n  rotate_right 1\n  rotate_left 2\n  · exact h\n  rotate_right 2\n"
        "  exact 4\n  decide",
    ),
]


@pytest.mark.parametrize(("statement", "tactics", "text"), SPLIT)
def test_a_proof_in_parts_is_one_to_the_judge(pool, verifier, statement, tactics, text):
    theorem = Theorem("t", f"theorem t (p q : Prop) {statement}")
    with pool.session(theorem) as session:
        graph = ProofGraph(theorem, session.start)
        for goal, tactic in tactics:
            node = next(n for n in graph.nodes if not n.edges and goal in n.state.pretty.split("\n\n")[0])
            edge = new_edge(graph, node, tactic)
            result = session.run_tactic(node.state, tactic)
            assert isinstance(result, TacticState | ProofFinished), result
            graph.succeed(edge, result)
    assert graph.root.proved
    assert proof_text(lines(script(graph.root))) == text
    verdict = verifier.verify(theorem, Candidate(text))
    assert verdict.proved, verdict.message

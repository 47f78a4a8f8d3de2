"""The project's own two formats: what is trained on is the prompt, the answer and the end, and reads back."""

from hypothesis import given
from hypothesis import strategies as st

from lean_env.goal import Goal, TacticState
from lean_env.theorem import Theorem
from prover.prompts.own import (
    END,
    MARKERS,
    OwnProof,
    OwnTactic,
    proof_prompt,
    proof_text,
    tactic_prompt,
    tactic_text,
)
from prover.sampling.sampler import Prompt, Sample
from search.policy import ProofPrompt

THEOREM = Theorem("t", "theorem t (n : Nat) : n + 0 = n", "import Init")
STATE = TacticState((Goal("", pretty="n : Nat\n⊢ n + 0 = n"), Goal("", pretty="⊢ p")))


def test_the_texts():
    assert tactic_text(STATE.pretty, "simp [h]\n") == (
        "<|state|>\nn : Nat\n⊢ n + 0 = n\n\n⊢ p\n<|tactic|>\nsimp [h]<|end|>"
    )
    assert proof_text(THEOREM.statement, "induction n\n· rfl") == (
        "<|theorem|>\ntheorem t (n : Nat) : n + 0 = n\n<|proof|>\ninduction n\n· rfl<|end|>"
    )
    assert proof_prompt(THEOREM.statement, "intro h\n") == (
        "<|theorem|>\ntheorem t (n : Nat) : n + 0 = n\n<|proof|>\nintro h\n"
    )


def test_the_families():
    tactic, proof = OwnTactic(), OwnProof()
    assert tactic.stop == proof.stop == ("<|end|>",)
    assert tactic.prompt(STATE, THEOREM) == Prompt(tactic_prompt(STATE.pretty))
    assert tactic.tactic(Sample("simp\n  at h<|end|>junk")) == "simp\n  at h"
    assert tactic.tactic(Sample("simp<|state|>\nx<|end|>")) == "simp"
    assert tactic.tactic(Sample("simp [", finish="length")) == ""
    asked = ProofPrompt(THEOREM, STATE, "intro h")
    assert proof.prompt(asked) == Prompt(proof_prompt(THEOREM.statement, "intro h"))
    assert proof.proof(Sample("have : p := by\n  simp\nexact this<|end|>"), asked) == (
        "have : p := by\n  simp\nexact this"
    )
    assert proof.proof(Sample("simp\nome", finish="length"), asked) == "simp"


@given(*[st.lists(st.sampled_from([*MARKERS, "<|", "|>", "end", "a", "\n"]), max_size=9).map("".join)] * 2)
def test_markers_in_a_text_begin_and_end_nothing(state, tactic):
    text = tactic_text(state, tactic)
    assert text.startswith(tactic_prompt(state))
    assert sum(text.count(marker) for marker in MARKERS) == 3
    assert text.endswith(END)

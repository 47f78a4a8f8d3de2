"""The project's own two formats: what is trained on is the prompt, the answer and the end, and reads back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lean_env.goal import Goal, TacticState
from lean_env.theorem import Theorem
from prover.prompts.own import (
    END,
    MARKERS,
    STATE,
    OwnProof,
    OwnTactic,
    proof_prompt,
    proof_text,
    tactic_prompt,
    tactic_text,
)
from prover.sampling.sampler import Prompt, Request, Sample, Settings
from search.policy import ProofPrompt

THEOREM = Theorem("t", "theorem t (n : Nat) : n + 0 = n", "import Init")
STATES = TacticState((Goal("", pretty="n : Nat\n⊢ n + 0 = n"), Goal("", pretty="⊢ p")))
TACTIC_PROMPT, PROOF_PROMPT = tactic_prompt(STATES.pretty), proof_prompt(THEOREM.statement)


def test_the_texts():
    assert tactic_text(STATES.pretty, "simp [h]\n") == (
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
    assert tactic.stop == proof.stop == MARKERS
    assert tactic.prompt(STATES, THEOREM) == Prompt(tactic_prompt(STATES.pretty))
    assert tactic.tactic(Sample("simp\n  at h\n")) == "simp\n  at h"
    assert tactic.tactic(Sample("simp [", finish="length")) == ""
    asked = ProofPrompt(THEOREM, STATES, "intro h")
    assert proof.prompt(asked) == Prompt(proof_prompt(THEOREM.statement, "intro h"))
    assert proof.proof(Sample("have : p := by\n  simp\nexact this"), asked) == ("have : p := by\n  simp\nexact this")
    assert proof.proof(Sample("simp\nome", finish="length"), asked) == "simp"


@given(*[st.lists(st.sampled_from([*MARKERS, "<|", "|>", "end", "a", "\n"]), max_size=9).map("".join)] * 2)
def test_markers_in_a_text_begin_and_end_nothing(state, tactic):
    text = tactic_text(state, tactic)
    assert text.startswith(tactic_prompt(state))
    assert sum(text.count(marker) for marker in MARKERS) == 3
    assert text.endswith(END)


@pytest.mark.parametrize(
    ("family", "prompt"), [(OwnTactic(), TACTIC_PROMPT), (OwnProof(), PROOF_PROMPT)], ids=["tactic", "proof"]
)
def test_any_marker_ends_an_answer_of_a_real_model(family, prompt, tmp_path):
    """A model that knows one text by heart: an answer, a marker that is not the end, and what comes after it."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    from prover.model.config import ModelConfig
    from prover.model.create import create
    from prover.sampling.transformers_sampler import transformers_sampler

    create(tmp_path, [prompt, "simp omega"], ModelConfig(320, 32, 1, 2, 1, 48, 128))
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    ids = torch.tensor([tokenizer(f"{prompt}simp{STATE}\nomega{END}")["input_ids"]])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(300):
        loss = model(input_ids=ids, labels=ids).loss
        if loss.item() < 0.01:
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    sampler = transformers_sampler(model, tokenizer)

    def read(stop):
        (sample,) = sampler.sample([Request(Prompt(prompt), Settings(64, 0.0, stop=stop))])
        if isinstance(family, OwnTactic):
            return family.tactic(sample)
        return family.proof(sample, ProofPrompt(THEOREM, STATES))

    assert read((END,)) == "simp\nomega"  # samplers leave markers out of the text
    assert read(family.stop) == "simp"

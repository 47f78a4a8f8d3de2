"""The two formats of the project's own small model: one tactic for a tactic state, and a whole proof for a statement.

Text of one tactic step, as trained on:

    <|state|>
    n : Nat
    ⊢ n + 0 = n
    <|tactic|>
    simp<|end|>

and of a whole proof, whose statement stands without `:=`, and whose tactics stand at column 0 without `by`:

    <|theorem|>
    theorem t (n : Nat) : n + 0 = n
    <|proof|>
    simp<|end|>

The prompt is the same text up to what the model is to write: after the marker's line end, and after the lines of a
prefix where a proof is gone on with. The markers are single tokens of the tokenizer and occur nowhere else.
"""

from dataclasses import dataclass

from lean_env.goal import TacticState
from lean_env.theorem import Theorem
from prover.prompts.extraction import continuation_of, one_tactic
from prover.sampling.sampler import Prompt, Sample
from search.policy import ProofPrompt

STATE = "<|state|>"
TACTIC = "<|tactic|>"
THEOREM = "<|theorem|>"
PROOF = "<|proof|>"
END = "<|end|>"
MARKERS = (STATE, TACTIC, THEOREM, PROOF, END)


def tactic_prompt(state: str) -> str:
    """What the model is given for a tactic; `state` is the goals as Lean prints them, a blank line between two."""
    return f"{STATE}\n{_plain(state)}\n{TACTIC}\n"


def tactic_text(state: str, tactic: str) -> str:
    """A tactic step to train on: the prompt, the tactic at column 0, and the end."""
    return f"{tactic_prompt(state)}{_plain(tactic)}{END}"


def proof_prompt(statement: str, prefix: str = "") -> str:
    """What the model is given for a proof of `statement` (without `:=`) that begins with the lines of `prefix`."""
    begun = _plain(prefix)
    return f"{THEOREM}\n{_plain(statement)}\n{PROOF}\n" + (f"{begun}\n" if begun else "")


def proof_text(statement: str, proof: str) -> str:
    """A whole proof to train on: the prompt, the tactics at column 0, and the end."""
    return f"{proof_prompt(statement)}{_plain(proof)}{END}"


@dataclass
class OwnTactic:
    """The family of the first format."""

    name: str = "own-tactic"
    stop: tuple[str, ...] = MARKERS  # a young model may end with another one than `END`

    def prompt(self, state: TacticState, theorem: Theorem) -> Prompt:
        return Prompt(tactic_prompt(state.pretty))

    def tactic(self, sample: Sample) -> str:
        return one_tactic(sample.text, truncated=sample.finish == "length")


@dataclass
class OwnProof:
    """The family of the second format."""

    name: str = "own-proof"
    stop: tuple[str, ...] = MARKERS

    def prompt(self, asked: ProofPrompt) -> Prompt:
        return Prompt(proof_prompt(asked.theorem.statement, asked.prefix))

    def proof(self, sample: Sample, asked: ProofPrompt) -> str:
        return continuation_of(sample.text, truncated=sample.finish == "length")


def _plain(text: str) -> str:
    """The text with its markers broken, which would begin or end something, and without blank lines at its ends."""
    for marker in MARKERS:
        text = text.replace(marker, f"{marker[:2]} {marker[2:]}")
    return text.strip("\n").rstrip()

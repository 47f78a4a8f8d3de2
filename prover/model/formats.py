"""What the small model learns from: tactic steps and whole proofs as token ids, and which of them it is to predict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prover.prompts.own import proof_prompt, proof_text, tactic_prompt, tactic_text

Encode = Callable[[str], Sequence[int]]


@dataclass(frozen=True)
class Example:
    """Token ids (n,) of a prompt and its answer. `learned` (n,) is true for the tokens that the loss is taken of: the
    answer's, the end included."""

    token_ids: tuple[int, ...]
    learned: tuple[bool, ...]


def tactic_example(state: str, tactic: str, encode: Encode) -> Example:
    """A step: `state` is the goals as Lean prints them, `tactic` stands at column 0."""
    return _example(tactic_prompt(state), tactic_text(state, tactic), encode)


def proof_example(statement: str, proof: str, encode: Encode) -> Example:
    """A whole proof: `statement` without `:=`, the tactics of `proof` at column 0 without `by`."""
    return _example(proof_prompt(statement), proof_text(statement, proof), encode)


def _example(prompt: str, text: str, encode: Encode) -> Example:
    """Prompt and answer encoded apart, as they are when the model is asked: no token lies across the border."""
    given, answer = encode(prompt), encode(text.removeprefix(prompt))
    return Example((*given, *answer), (False,) * len(given) + (True,) * len(answer))

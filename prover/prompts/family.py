"""What a prompt family is: prompts out of theorems and tactic states, proofs and tactics out of answers."""

from typing import Protocol

from lean_env.goal import TacticState
from lean_env.theorem import Theorem
from prover.sampling.sampler import Prompt, Sample
from search.policy import FailedProof, ProofPrompt


class ProofFamily(Protocol):
    """Asks for whole proofs."""

    name: str
    stop: tuple[str, ...]

    def prompt(self, asked: ProofPrompt) -> Prompt:
        """The prompt, exact to the token with the family's published use."""
        ...

    def proof(self, sample: Sample, asked: ProofPrompt) -> str:
        """The tactics at column 0 that follow `asked.prefix`; empty if the answer has none."""
        ...


class TacticFamily(Protocol):
    """Asks for one tactic."""

    name: str
    stop: tuple[str, ...]

    def prompt(self, state: TacticState, theorem: Theorem) -> Prompt: ...

    def tactic(self, sample: Sample) -> str:
        """The tactic at column 0; empty if the answer has none."""
        ...


class CorrectionFamily(Protocol):
    """Asks for a proof again, after Lean's messages about one that failed."""

    name: str

    def correction(self, theorem: Theorem, failed: FailedProof) -> Prompt:
        """`failed` is the last attempt; it knows those before it."""
        ...

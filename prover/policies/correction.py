"""A language model that also corrects proofs, for the search `correct` (search/algorithms/correct.py).

The search asks the judge and keeps the budget; here a failed proof and Lean's messages become a prompt.
"""

from collections.abc import Sequence

from prover.policies.proof_policy import SEEDS, ModelProofPolicy, completion
from prover.prompts.family import CorrectionFamily
from prover.sampling.sampler import Request
from search.policy import Completion, FailedProof, ProofPrompt


class ModelCorrectionPolicy:
    """A `search.CorrectingPolicy`: first proofs are those of `proofs`, whose family also takes corrections apart."""

    def __init__(self, proofs: ModelProofPolicy, family: CorrectionFamily) -> None:
        self.proofs, self.family = proofs, family

    def lost(self) -> str:
        """How many answers did not come, in words; empty if all did."""
        return self.proofs.lost()

    def complete(self, prompts: Sequence[ProofPrompt]) -> list[Completion]:
        """First proofs."""
        return self.proofs.complete(prompts)

    def correct(self, prompt: ProofPrompt, failed: FailedProof) -> Completion:
        """One corrected proof, drawn by the prompt's seed.

        Raises:
            NoAnswersError: none of the search's first answers came.
        """
        asked = self.family.correction(prompt.theorem, failed)
        (sample,) = self.proofs.answers.draw([Request(asked, self.proofs.settings, prompt.seed % SEEDS)])
        return completion(sample, self.proofs.family, prompt)

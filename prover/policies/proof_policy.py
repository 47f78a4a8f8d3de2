"""A language model that completes whole proofs, as a search wants it."""

from collections.abc import Sequence
from dataclasses import replace

from prover.policies.answers import Answers
from prover.prompts.family import ProofFamily
from prover.sampling.sampler import Request, Sample, Settings
from search.policy import Completion, ProofPrompt

SEEDS = 2**31  # servers take seeds of 31 bits


class ModelProofPolicy:
    """A `search.ProofPolicy`: one sample for each prompt, drawn by the prompt's seed. Thread safe.

    An answer that does not come is an empty completion, counted in `answers.losses`.
    """

    def __init__(self, answers: Answers, family: ProofFamily, settings: Settings) -> None:
        self.answers, self.family = answers, family
        self.settings = replace(settings, stop=(*family.stop, *settings.stop))

    def lost(self) -> str:
        """How many answers did not come, in words; empty if all did."""
        return self.answers.lost.sentence()

    def complete(self, prompts: Sequence[ProofPrompt]) -> list[Completion]:
        """One completion for each prompt.

        Raises:
            NoAnswersError: none of the search's first answers came.
        """
        requests = [Request(self.family.prompt(asked), self.settings, asked.seed % SEEDS) for asked in prompts]
        samples = self.answers.draw(requests)
        return [completion(sample, self.family, asked) for sample, asked in zip(samples, prompts, strict=True)]


def completion(sample: Sample, family: ProofFamily, asked: ProofPrompt) -> Completion:
    """What a search is told of a sample. The log-probability is that of all its tokens, prose included."""
    if sample.finish == "error":
        return Completion("", tokens=sample.tokens)
    return Completion(
        family.proof(sample, asked),
        sum(sample.token_log_probabilities),
        sample.tokens,
        sample.finish,
        sample.token_ids,
        sample.token_log_probabilities,
    )

"""Asks the sampler for all open rollouts at once, and keeps of its answers what the learner needs: token ids."""

from collections.abc import Callable, Sequence
from functools import cache

from prover.policies.tactic_policy import seed_of
from prover.sampling.sampler import Prompt, Request, Sample, Settings
from prover.sources import UserInputError
from rl.rollouts.rollout import Turn
from rl.rollouts.weights import PolicySampler

NO_REASON = "the sampler gave no reason"


def turn_seed(seed: int, step: int, theorem: str, number: int, turn: int) -> int:
    """The seed of one answer: the run's seed, the step, the theorem's name, the rollout's number in its group, and how
    many answers it had before. It hangs on nothing else, so a step that is made again samples the same."""
    return seed_of("rollout", seed, step, theorem, number, turn)


def ask(
    sampler: PolicySampler, prompts: Sequence[Prompt], seeds: Sequence[int], settings: Settings
) -> list[tuple[Turn, Sample] | str]:
    """For each prompt the turn and the sample that it is of, or why no answer came; one call of the sampler.

    The turn of a prompt that is too long for the model is `length` and has no token.

    Raises:
        UserInputError: the sampler tells no log-probabilities.
        ValueError: it gives another number of answers, or of log-probabilities, than of prompts or tokens.
    """
    requests = [Request(prompt, settings, seed) for prompt, seed in zip(prompts, seeds, strict=True)]
    samples = list(sampler.sample(requests)) if requests else []
    if len(samples) != len(requests):
        raise ValueError(f"{sampler.name} gave {len(samples)} answers to {len(requests)} requests")

    @cache  # the prompts of a group are the same at first
    def encode(prompt: Prompt) -> tuple[int, ...]:
        return tuple(sampler.encode(prompt))

    return [_answer(sampler.name, prompt, sample, encode) for prompt, sample in zip(prompts, samples, strict=True)]


def _answer(
    name: str, prompt: Prompt, sample: Sample, encode: Callable[[Prompt], tuple[int, ...]]
) -> tuple[Turn, Sample] | str:
    if sample.finish == "error":
        return sample.error or NO_REASON
    ids, found = tuple(sample.token_ids), tuple(sample.token_log_probabilities)
    if not found and (ids or sample.text):
        raise UserInputError(
            f"{name} tells no log-probabilities of its answers, which learning needs: take hf: or vllm:."
        )
    if len(found) != len(ids):
        raise ValueError(f"{name} gave {len(found)} log-probabilities for {len(ids)} tokens")
    return Turn(encode(prompt), ids, found, sample.finish, sample.text), sample

"""A language model that proposes tactics for a tactic state, as a search wants it."""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import exp, inf, isnan, log

from lean_env.goal import TacticState
from lean_env.theorem import Theorem
from prover.policies.answers import Answers
from prover.prompts.family import TacticFamily
from prover.sampling.sampler import Request, Sample, Settings
from search.policy import Proposal


class ModelTacticPolicy:
    """A `search.TacticPolicy`: `samples` answers for a state, of which equal tactics are one. Thread safe.

    The answers hang on `seed`, the theorem, the state, and how often the state was asked about before, so that a state
    asked about again gets new ones: nothing is cached. One answer is drawn where the temperature is 0.
    """

    def __init__(
        self, answers: Answers, family: TacticFamily, settings: Settings, samples: int = 8, seed: int = 0
    ) -> None:
        self.answers, self.family, self.seed = answers, family, seed
        self.samples = samples if settings.temperature > 0 else 1
        self.settings = replace(settings, stop=(*family.stop, *settings.stop))
        self._times: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def propose(self, state: TacticState, theorem: Theorem) -> Sequence[Proposal]:
        """The tactics, most likely first.

        Raises:
            NoAnswersError: none of the search's first answers came.
        """
        if not state.goals:
            return []
        place = (theorem.statement, state.pretty)
        with self._lock:
            time = self._times[place]
            self._times[place] += 1
        prompt = self.family.prompt(state, theorem)
        seeds = [seed_of(self.seed, *place, time, number) for number in range(self.samples)]
        samples = self.answers.draw([Request(prompt, self.settings, seed) for seed in seeds])
        texts = ["" if sample.finish == "error" else self.family.tactic(sample) for sample in samples]
        return merged(samples, texts)


def merged(samples: Sequence[Sample], texts: Sequence[str]) -> list[Proposal]:
    """A proposal for each different tactic, most likely first; a blank one carries the cost of answers without any.

    A tactic's probability is the sum of those of the different token sequences that say it, each once however often it
    was drawn: they exclude each other, so all sum to at most 1. A search orders by it, and the shares of a few samples
    would make most tactics equal; they are what is left where a server tells no log-probabilities.
    """
    came = [sample for sample in samples if sample.finish != "error"]
    told = all(sample.token_log_probabilities for sample in came)
    logs: dict[str, dict[tuple[object, ...], float]] = {}
    tokens: Counter[str] = Counter()
    for number, (sample, text) in enumerate(zip(samples, texts, strict=True)):
        tactic = text.rstrip()
        tokens[tactic] += sample.tokens
        said = logs.setdefault(tactic, {})
        if sample.finish == "error":
            continue
        if told:
            said[sample.token_ids or (sample.text,)] = sum(sample.token_log_probabilities)
        else:
            said[number,] = -log(len(came))
    found = [Proposal(tactic, log_of_sum(said.values()), tokens[tactic]) for tactic, said in logs.items()]
    return sorted(
        (proposal for proposal in found if proposal.text or proposal.tokens),
        key=lambda proposal: -proposal.log_probability,
    )


def log_of_sum(logs: Iterable[float]) -> float:
    """The logarithm of the sum of probabilities given by their logarithms, at most 0; what is no number is none."""
    good = [-inf if isnan(each) else each for each in logs]
    greatest = max(good, default=-inf)
    if greatest == -inf:
        return -inf
    return min(0.0, greatest + log(sum(exp(each - greatest) for each in good)))


def seed_of(*parts: object) -> int:
    """A seed of 31 bits that hangs on nothing but the parts."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=4).digest(), "little") >> 1

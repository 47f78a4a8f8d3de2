"""A language model that proposes tactics for a tactic state, as a search wants it."""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import exp, inf, isfinite, isnan, log

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

    Where answers say what another does, or nothing, as many are drawn again, in `redraws` rounds at most, until there
    are `samples` tactics: with enough of them these are so many draws without replacement. (A round of few answers
    takes a model as long as one of many.) Once an answer did not come, or cannot, no more are asked for.
    """

    def __init__(
        self,
        answers: Answers,
        family: TacticFamily,
        settings: Settings,
        samples: int = 8,
        seed: int = 0,
        redraws: int = 0,
    ) -> None:
        self.answers, self.family, self.seed = answers, family, seed
        self.redraws = redraws if settings.temperature > 0 else 0
        self.samples = samples if settings.temperature > 0 else 1
        self.settings = replace(settings, stop=(*family.stop, *settings.stop))
        self._times: Counter[tuple[str, str]] = Counter()
        self._scale = Scale()
        self._lock = threading.Lock()

    def lost(self) -> str:
        """How many answers did not come, in words; empty if all did."""
        return self.answers.lost.sentence()

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
        samples: list[Sample] = []
        texts: list[str] = []
        different: set[str] = set()
        for _ in range(1 + self.redraws):
            numbers = range(len(samples), len(samples) + self.samples)
            seeds = [seed_of(self.seed, *place, time, number) for number in numbers]
            drawn = self.answers.draw([Request(prompt, self.settings, seed) for seed in seeds])
            samples += drawn
            for sample in drawn:
                text = "" if sample.finish == "error" else self.family.tactic(sample)
                if text.strip() and len(different) < self.samples:
                    different.add(text.rstrip())
                texts.append(text if text.rstrip() in different else "")  # one too many has its cost alone
            # Lost, or a prompt that is too long: again would be no better.
            final = any(sample.finish == "error" or sample.error for sample in drawn)
            if final or len(different) == self.samples:
                break
        with self._lock:
            scale = self._scale = self._scale.after(samples)
        return merged(samples, texts, scale)


@dataclass(frozen=True)
class Scale:
    """What the priors of one search are: probabilities that the model tells, or shares of a state's answers.

    A search compares the priors of all its states, so its first answers decide for all: `told` says whether the model
    told the log-probabilities of any of them, None before them. `least` is the logarithm of the smallest probability
    told so far.
    """

    told: bool | None = None
    least: float = 0.0

    def after(self, samples: Sequence[Sample]) -> "Scale":
        """The scale after more answers. An empty one has no log-probabilities at any model, and decides nothing."""
        spoken = [sample for sample in samples if sample.finish != "error" and (sample.tokens or sample.text)]
        sums = [sum(sample.token_log_probabilities) for sample in spoken if _tells(sample)]
        told = bool(sums) if self.told is None and spoken else self.told
        return Scale(told, min([self.least, *filter(isfinite, sums)]))


def merged(samples: Sequence[Sample], texts: Sequence[str], scale: Scale) -> list[Proposal]:
    """A proposal for each different tactic, most likely first; a blank one carries the cost of answers without any.

    A tactic's probability is the sum of those of the different token sequences that say it, each once however often it
    was drawn: they exclude each other, so all sum to at most 1. A search orders by it, and the shares of a few samples
    would make most tactics equal; they are what is left where a server tells no log-probabilities. Of a model that
    tells them, an answer without has the smallest probability that the search was told, or less: those of one state
    share what the others leave.
    """
    came = [sample for sample in samples if sample.finish != "error"]
    told = {(each.token_ids, each.text): sum(each.token_log_probabilities) for each in came if _tells(each)}
    untold = {sample.text for sample in came} - {text for _, text in told}
    left = 1 - exp(log_of_sum(told.values()))
    least = min(scale.least, log(left / len(untold))) if untold and left > 0 else -inf
    logs: dict[str, dict[tuple[object, ...], float]] = {}
    tokens: Counter[str] = Counter()
    for number, (sample, text) in enumerate(zip(samples, texts, strict=True)):
        tactic = text.rstrip()
        tokens[tactic] += sample.tokens
        said = logs.setdefault(tactic, {})
        if sample.finish == "error":
            continue
        if not scale.told:
            said[number,] = -log(len(came))
        elif _tells(sample):
            said[sample.token_ids or (sample.text,)] = sum(sample.token_log_probabilities)
        elif sample.text in untold:
            said[sample.text,] = least
    found = [Proposal(tactic, log_of_sum(said.values()), tokens[tactic]) for tactic, said in logs.items()]
    return sorted(
        (proposal for proposal in found if proposal.text or proposal.tokens),
        key=lambda proposal: -proposal.log_probability,
    )


def _tells(sample: Sample) -> bool:
    return bool(sample.token_log_probabilities)


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

"""Draws a policy's answers, and counts and logs those that did not come."""

import logging
import threading
from collections import Counter
from collections.abc import Sequence

from prover.sampling.sampler import Request, Sample, Sampler

LOGGED = 10  # losses of one model that are logged one by one
FIRST = 8  # answers of one search; if none of them comes, none will

log = logging.getLogger(__name__)


class NoAnswersError(Exception):
    """None of a search's first answers came; the message says why in one sentence."""


class Losses:
    """How many answers of one model were asked for, and why some did not come. Thread safe.

    `reasons` counts the failed answers by what the sampler said of them.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked = 0
        self.reasons: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def failed(self) -> int:
        return self.reasons.total()

    def count(self, samples: Sequence[Sample]) -> None:
        """Books answers, and logs the first few that failed."""
        with self._lock:
            self.asked += len(samples)
            for sample in samples:
                if sample.finish == "error":
                    self.reasons[sample.error or "no reason given"] += 1
                    if self.failed <= LOGGED:
                        more = " (further ones are only counted)" if self.failed == LOGGED else ""
                        log.warning("%s: an answer was lost: %s%s", self.name, sample.error, more)

    def sentence(self) -> str:
        """How many answers were lost, and the commonest reason; empty if none was."""
        with self._lock:
            if not self.reasons:
                return ""
            ((reason, _),) = self.reasons.most_common(1)
            return f"{self.name}: {self.failed} of {self.asked} answers were lost, most often so: {reason}"


class Answers:
    """The answers that one search has of a sampler. Thread safe."""

    def __init__(self, sampler: Sampler, losses: Losses | None = None) -> None:
        self.sampler = sampler
        self.losses = losses or Losses(sampler.name)
        self._asked = self._came = 0
        self._lock = threading.Lock()

    def draw(self, requests: Sequence[Request]) -> list[Sample]:
        """One sample for each request, in order.

        Raises:
            NoAnswersError: the first `FIRST` answers, or more, were asked for, and none has come.
        """
        samples = list(self.sampler.sample(requests))
        if len(samples) != len(requests):
            raise ValueError(f"{self.sampler.name} gave {len(samples)} answers to {len(requests)} requests")
        self.losses.count(samples)
        came = sum(sample.finish != "error" for sample in samples)
        with self._lock:
            self._asked += len(samples)
            self._came += came
            none_came = self._asked >= FIRST and not self._came
        if none_came:
            raise NoAnswersError(
                f"none of the first {self._asked} answers of {self.sampler.name} came: {samples[-1].error}"
            )
        return samples

"""Draws a policy's answers, and gives a search up that gets none."""

import threading
from collections.abc import Sequence

from prover.policies.losses import Losses
from prover.sampling.sampler import Request, Sample, Sampler

FIRST = 8  # answers of one search; if none of them comes, none will


class NoAnswersError(Exception):
    """None of a search's first answers came; the message says why in one sentence."""


class Answers:
    """The answers that one search has of a sampler. Thread safe.

    `losses` are those of all searches together, `lost` those of this one.
    """

    def __init__(self, sampler: Sampler, losses: Losses | None = None) -> None:
        self.sampler = sampler
        self.losses = losses or Losses(sampler.name)
        self.lost = Losses(sampler.name, logged=0)
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
        with self._lock:
            self.lost.count(samples)
            none_came = self.lost.failed == self.lost.asked >= FIRST
        if none_came:
            raise NoAnswersError(f"none of the first answers came; {self.lost.sentence()}")
        return samples

"""Counts the answers of a model that did not come, and says what they make of a search's result."""

import logging
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from prover.sampling.sampler import Sample
from search import SearchResult

LOGGED = 10  # losses of one model that are logged one by one

log = logging.getLogger(__name__)


class Losses:
    """How many answers of one model were asked for, and why some did not come. Thread safe.

    `reasons` counts the failed answers by what the sampler said of them; the first `logged` of them are logged. A
    prompt that is `too_long` for the model is no loss: its answer is known to be none, and the attempt has failed.
    """

    def __init__(self, name: str, logged: int = LOGGED) -> None:
        self.name, self.logged = name, logged
        self.asked = 0
        self.reasons: Counter[str] = Counter()
        self.too_long = 0
        self._ended = False
        self._lock = threading.Lock()

    @property
    def failed(self) -> int:
        return self.reasons.total()

    def count(self, samples: Sequence[Sample]) -> None:
        """Books answers, and logs the first few that failed."""
        with self._lock:
            if self._ended:
                return
            self.asked += len(samples)
            for sample in samples:
                self.too_long += sample.finish == "length" and bool(sample.error)
                if sample.finish == "error":
                    self.reasons[sample.error or "no reason given"] += 1
                    if self.failed <= self.logged:
                        more = " (further ones are only counted)" if self.failed == self.logged else ""
                        log.warning("%s: an answer was lost: %s%s", self.name, sample.error, more)

    def end(self) -> None:
        """From now on nothing is booked: answers that are broken off because nobody wants them are no losses."""
        with self._lock:
            self._ended = True

    def sentence(self) -> str:
        """How many answers were lost, and the commonest reason; empty if none was."""
        with self._lock:
            if not self.reasons:
                return ""
            ((reason, _),) = self.reasons.most_common(1)
            return f"{self.name}: {self.failed} of {self.asked} answers were lost, most often so: {reason}"

    def sentences(self) -> list[str]:
        """What somebody is to know who looks at the results."""
        lost, long = self.sentence(), self.too_long
        why = f"{self.name}: {long} of {self.asked} answers are empty, as the prompt is longer than the model's context"
        return [sentence for sentence in (lost, why if long else "") if sentence]


def lost_by(policy: object) -> str:
    """What did not come of what a search asked its policy for, in words; empty if all came."""
    lost = getattr(policy, "lost", None)  # the portfolio loses nothing
    return "" if lost is None else str(lost())


def with_losses(result: SearchResult, policy: object) -> SearchResult:
    """The result of a search, with what its policy lost in `message`.

    A proof that was found counts, whatever was lost. Without one nothing is known of the theorem, as one of the answers
    that did not come might have been its proof: it was the policy that stopped the search then, not the budget.
    """
    lost = lost_by(policy)
    if not lost:
        return result
    message = result.message
    if lost not in message:
        message = f"{message}; {lost}" if message else lost
    failed = result.proof is None and result.stopped in ("budget", "exhausted")
    return replace(result, message=message, stopped="policy" if failed else result.stopped)

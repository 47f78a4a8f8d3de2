"""A language model in this process, sampled by the project's own loop."""

from collections.abc import Callable, Sequence

from prover.sampling.decoding import Decoder, Vocabulary, sample_all
from prover.sampling.sampler import Request, Sample
from prover.sampling.together import Together


class LocalSampler:
    """`sampler.Sampler` over a `Decoder`. Calls of several threads that wait for one another are drawn as one batch."""

    def __init__(self, name: str, vocabulary: Vocabulary, decoder: Decoder) -> None:
        self.name, self.vocabulary, self.decoder = name, vocabulary, decoder
        self._together = Together(self._draw)

    def __repr__(self) -> str:
        return f"LocalSampler({self.name!r})"

    def sample(self, requests: Sequence[Request]) -> list[Sample]:
        """One sample for each request, in order."""
        return self._together.sample(requests)

    def stop(self) -> None:
        """As `Sampler` says, with the token that is being drawn."""
        self._together.stop()

    def _draw(self, requests: Sequence[Request], stopped: Callable[[], bool]) -> list[Sample]:
        return sample_all(requests, self.vocabulary, self.decoder, stopped)

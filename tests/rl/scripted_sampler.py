"""A sampler of the tests' own, in the place of a language model: it says what it is told to, answer by answer."""

from collections.abc import Mapping, Sequence

from prover.sampling.sampler import Prompt, Request, Sample
from rl.rollouts.asking import turn_seed

CUT = "…"  # at the end of an answer that a limit of tokens has cut off
TOO_LONG = "<the prompt is too long>"  # in the place of an answer


class Scripted:
    """For the n-th rollout of a theorem its answers, turn by turn; None is an answer that does not come.

    A token is a character; the end is one more. `calls` are the texts of the prompts, call by call.
    """

    name = "hf:script"

    def __init__(self, script: Mapping[tuple[str, int], Sequence[str | None]], seed: int = 0, step: int = 0) -> None:
        self.answers = {
            turn_seed(seed, step, theorem, number, turn): text
            for (theorem, number), texts in script.items()
            for turn, text in enumerate(texts)
        }
        self.calls: list[list[str]] = []
        self.stopped = 0

    def encode(self, prompt: Prompt) -> list[int]:
        return list(map(ord, prompt.text))

    def sample(self, requests: Sequence[Request]) -> list[Sample]:
        self.calls.append([request.prompt.text for request in requests])
        return [self._one(self.answers[request.seed]) for request in requests]

    def take_weights(self, model: object) -> None:
        pass

    def stop(self) -> None:
        self.stopped += 1

    def _one(self, text: str | None) -> Sample:
        if text is None:
            return Sample("", finish="error", error="the server is away")
        if text == TOO_LONG:
            return Sample("", finish="length", error="the prompt has 9 tokens, the model's context 8")
        said = text.removesuffix(CUT)
        ids = (*map(ord, said), *([] if text.endswith(CUT) else [0]))
        return Sample(said, ids, (-0.5,) * len(ids), "length" if text.endswith(CUT) else "stop", len(ids))

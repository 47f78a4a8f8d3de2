"""A sampler of the tests' own, in the place of a language model: a table of texts with probabilities. No weights."""

from collections.abc import Mapping, Sequence
from math import exp, log
from random import Random

from lean_env.goal import Goal, TacticState
from lean_env.theorem import Theorem
from prover.sampling.sampler import Prompt, Request, Sample

THEOREM = Theorem("t", "theorem t (n : Nat) : n + 0 = n")


def state(text: str = "n : Nat\n⊢ n + 0 = n") -> TacticState:
    return TacticState((Goal(text.split("⊢ ")[-1], pretty=text),))


class TableSampler:
    """For a prompt's text the answers and their probabilities, which sum to 1; drawn by the seed. Each word is a token.

    The first `failing` requests fail, and all those whose prompt is not in the table. `told`: log-probabilities come.
    """

    def __init__(
        self, table: Mapping[str, Mapping[str, float]], failing: int = 0, told: bool = True, name: str = "table"
    ) -> None:
        self.table, self.failing, self.told, self.name = table, failing, told, name
        self.requests: list[Request] = []

    def sample(self, requests: Sequence[Request]) -> list[Sample]:
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Sample:
        self.requests.append(request)
        text = request.prompt.text or "|".join(message.text for message in request.prompt.messages)
        if len(self.requests) <= self.failing:
            return Sample("", finish="error", error="the server is away")
        if text not in self.table:
            return Sample("", finish="error", error=f"no such prompt: {text}", tokens=1)
        answers = self.table[text]
        (answer,) = Random(f"{request.seed}").choices(list(answers), list(answers.values()))
        words = answer.split()
        # The first token says all: the others are certain.
        logs = (log(answers[answer]), *[0.0] * (len(words) - 1)) if words else (log(answers[answer]),)
        ids = tuple(sum(word.encode()) for word in words) or (0,)
        return Sample(answer, ids, logs if self.told else (), "stop", len(ids))


class Plain:
    """The plainest family: what is asked about, as it is; what is answered, as it is. For tactics and for proofs."""

    name = "plain"
    stop: tuple[str, ...] = ("STOP",)

    def prompt(self, asked, theorem=None) -> Prompt:
        state = asked if theorem is not None else asked.state
        return Prompt(state.goals[0].target)

    def tactic(self, sample: Sample) -> str:
        return "" if sample.text.startswith("no") else sample.text

    def proof(self, sample: Sample, asked) -> str:
        return sample.text

    def correction(self, theorem, failed) -> Prompt:
        return Prompt(f"{failed.text}: {failed.messages[0]['message']}")


def probabilities(proposals) -> dict[str, float]:
    """What is proposed, with probabilities."""
    return {proposal.text: round(exp(proposal.log_probability), 9) for proposal in proposals}

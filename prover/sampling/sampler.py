"""What every language model is to this project: something that continues prompts, a batch at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Role
    text: str


@dataclass(frozen=True)
class Prompt:
    """What a model is given: `text` as it stands, or `messages` for the model's own chat template; one of the two.

    A last message of the assistant's is the beginning of the answer, which the sample goes on with.
    """

    text: str = ""
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Settings:
    """How to sample. `temperature` 0 is greedy. `max_tokens` bounds the answer; `stop` texts end it and are cut off.

    The log-probabilities that come back are those of the distribution sampled from: after temperature and top-p.
    """

    max_tokens: int = 1024
    temperature: float = 1.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    """One answer. `token_ids` (n,) and `token_log_probabilities` (n,), natural, are of what was generated, the end too.

    The log-probabilities are those that `Settings` promises, or there are none: a server may tell none, or only those
    before temperature and top-p (`openai_sampler.open_openai`), which are left out unless they are the same. At
    temperature 0 they are those at temperature 1. `tokens` is n, the cost. `error` says why there is no answer: it was
    lost (`finish` is "error"), or the prompt is too long for the model to answer at all ("length").
    """

    text: str
    token_ids: tuple[int, ...] = ()
    token_log_probabilities: tuple[float, ...] = ()
    finish: Literal["stop", "length", "error"] = "stop"
    tokens: int = 0
    error: str = ""


INTERRUPTED = Sample("", finish="error", error="interrupted")  # what `stop` makes of an answer; see `Sampler`


@dataclass(frozen=True)
class Request:
    """One sample to draw: the same request, seed included, gives the same sample where the model can promise that."""

    prompt: Prompt
    settings: Settings = field(default_factory=Settings)
    seed: int = 0


class Sampler(Protocol):
    """A language model. Thread safe.

    Those of this package have a method `stop()` too, which a sampler need not have. Called from any thread, it ends the
    calls of `sample` that are in work or wait: they return at once, within a token or a step of the model, with the
    samples that are finished and `INTERRUPTED` in place of the others (its `tokens` are those drawn, where that is
    known). Calls that begin afterwards are answered, so it may be said again by who waits for threads to end.
    """

    @property
    def name(self) -> str:
        """As `--policy` names it: `hf:PATH`, say."""
        ...

    def sample(self, requests: Sequence[Request]) -> Sequence[Sample]:
        """One sample for each request, in order. A request that fails in the middle of a run gives a sample of `finish`
        "error", which is counted and logged, and raises nothing."""
        ...


class SamplerError(Exception):
    """A model that cannot be used at all, found when it is opened; the message is one sentence that says what to do."""

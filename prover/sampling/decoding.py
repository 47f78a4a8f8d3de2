"""The loop that samples: requests in batches, a token of every row at a time, the finished rows dropped.

It knows neither torch nor onnxruntime: a `Decoder` runs the model, a `Vocabulary` is its tokenizer.

What is promised of seeds: a request draws with numbers of its own (`drawing.numbers`), so its sample does not hang on
what is sampled beside it, but for rounding: in a batch of another size a model's logits may differ in their last bits,
and a token changes where its number lies that close to a border between two tokens (in float32 some once in a million
tokens, in bfloat16 often).
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import isfinite
from typing import Literal, Protocol

import numpy as np

from prover.sampling.batches import batches, without
from prover.sampling.continuation import Decode, StopWatch, continued, first_stop
from prover.sampling.drawing import Floats, Ints, numbers
from prover.sampling.sampler import INTERRUPTED, Prompt, Request, Sample, Settings

LOG = logging.getLogger(__name__)


class DecoderFault(Exception):
    """The model failed on a batch for another reason than memory; the message says how."""


class Decoder(Protocol):
    """A causal model with its KV cache, one batch at a time. b is the number of rows that it holds.

    Every method may raise MemoryError, after which the batch is given up, or DecoderFault.
    """

    rows: int  # most rows of a batch
    spread: float  # see `batches`

    def start(self, prompts: Sequence[tuple[int, ...]], rows: Sequence[int], room: int) -> None:
        """A new batch: row i goes on with `prompts[rows[i]]`, by at most `room` tokens. No prompt is empty."""
        ...

    def draw(self, temperatures: Floats, top_ps: Floats, chosen: Floats) -> tuple[Ints, Floats]:
        """The next token of every row and its log-probability, as `drawing.draw`; all (b,)."""
        ...

    def advance(self, kept: Sequence[int], tokens: Ints) -> None:
        """Goes on with the rows `kept` of the batch, in that order (see `without`), each by its own of `tokens`."""
        ...

    def stop(self) -> None:
        """Ends the batch and frees what it held."""
        ...


@dataclass(frozen=True)
class Vocabulary:
    """A model's tokenizer and limits.

    `encode` raises ValueError, with a sentence, for a prompt that cannot be encoded. `ends` are the tokens that end an
    answer, `special` the tokens that `decode` leaves out, by their text. `context` is the most tokens of prompt and
    answer together, None if there is no limit; `size` is the number of tokens that the model knows.
    """

    encode: Callable[[Prompt], Sequence[int]]
    decode: Decode
    ends: frozenset[int]
    special: Mapping[str, int]
    context: int | None
    size: int


@dataclass(frozen=True)
class Job:
    """A request made ready: `most` is the tokens that its answer may have, `ends` the tokens that end it."""

    prompt: tuple[int, ...]
    most: int
    settings: Settings
    ends: frozenset[int]
    seed: int


def sample_all(
    requests: Sequence[Request],
    vocabulary: Vocabulary,
    decoder: Decoder,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Sample]:
    """One sample for each request, in order.

    A sample's token ids are all that were generated: the end token, or those that completed a stop text, included, so
    that they are what the log-probabilities are of; its text ends before either. A batch that memory does not suffice
    for is halved, and so are those after it in this call. `stopped` is asked before every token; once it says so, what
    is not finished is interrupted.
    """
    encode = cache(vocabulary.encode)  # the samples of one prompt come side by side
    samples: list[Sample | None] = []
    jobs: dict[int, Job] = {}
    for place, request in enumerate(requests):
        made = _job(request, vocabulary, encode)
        samples.append(made if isinstance(made, Sample) else None)
        if isinstance(made, Job):
            jobs[place] = made
    places = list(jobs)
    rows = decoder.rows
    planned = batches([job.prompt for job in jobs.values()], rows, decoder.spread)
    left = deque([places[i] for i in batch] for batch in planned)
    while left:
        batch = left.popleft()
        if len(batch) > rows:
            left.extendleft([batch[rows:], batch[:rows]])
            continue
        try:
            answers = _sample_batch([jobs[place] for place in batch], vocabulary, decoder, stopped)
        except MemoryError:
            if len(batch) == 1:
                answers = [_failed("not enough memory for one sample of this prompt")]
            else:
                rows = len(batch) // 2
                LOG.warning("out of memory with %d samples in a batch: going on with %d", len(batch), rows)
                left.appendleft(batch)
                continue
        except DecoderFault as fault:
            answers = [_failed(f"the model failed: {fault}") for _ in batch]
        for place, answer in zip(batch, answers, strict=True):
            samples[place] = answer
    return [sample for sample in samples if sample is not None]


def _job(request: Request, vocabulary: Vocabulary, encode: Callable[[Prompt], Sequence[int]]) -> Job | Sample:
    settings = request.settings
    try:
        prompt = tuple(encode(request.prompt))
    except ValueError as error:
        return _failed(str(error))
    if not prompt:
        return _failed("the prompt is empty")
    if max(prompt) >= vocabulary.size:
        return _failed("the prompt has tokens that the model does not know: its tokenizer is not the model's own")
    most = settings.max_tokens
    if vocabulary.context is not None:
        if len(prompt) >= vocabulary.context:
            too_long = f"the prompt has {len(prompt):,} tokens, the model's context {vocabulary.context:,}"
            return Sample("", finish="length", error=too_long)
        most = min(most, vocabulary.context - len(prompt))
    if most < 1:
        return Sample("", finish="length")
    ends = vocabulary.ends | {vocabulary.special[stop] for stop in settings.stop if stop in vocabulary.special}
    return Job(prompt, most, settings, ends, request.seed)


def _failed(why: str) -> Sample:
    return Sample("", finish="error", error=why)


class _Row:
    """A sample in the making."""

    def __init__(self, job: Job, vocabulary: Vocabulary) -> None:
        self._job, self._decode = job, vocabulary.decode
        stops = job.settings.stop
        self._watch = StopWatch(job.prompt, stops, vocabulary.decode) if stops else None
        self._ids: list[int] = []
        self._log_probabilities: list[float] = []
        self.sample: Sample | None = None

    def add(self, token: int, log_probability: float) -> bool:
        """Whether the sample is finished with this token."""
        if not isfinite(log_probability):
            self.sample = _failed("the model's output is not a number")
            return True
        self._ids.append(token)
        self._log_probabilities.append(log_probability)
        ended = token in self._job.ends
        stopped = not ended and self._watch is not None and self._watch.add(token)
        if ended or stopped or len(self._ids) == self._job.most:
            self.sample = self._finished(ended)
            return True
        return False

    def interrupted(self) -> Sample:
        return replace(INTERRUPTED, tokens=len(self._ids))

    def _finished(self, ended: bool) -> Sample:
        text = continued(self._job.prompt, self._ids[:-1] if ended else self._ids, self._decode)
        cut = first_stop(text, self._job.settings.stop)
        finish: Literal["stop", "length"] = "stop" if ended or cut is not None else "length"
        return Sample(text[:cut], tuple(self._ids), tuple(self._log_probabilities), finish, len(self._ids))


def _sample_batch(
    jobs: Sequence[Job], vocabulary: Vocabulary, decoder: Decoder, stopped: Callable[[], bool]
) -> list[Sample]:
    if stopped():
        return [INTERRUPTED for _ in jobs]
    rows = [_Row(job, vocabulary) for job in jobs]
    temperatures = np.array([job.settings.temperature for job in jobs], dtype=np.float64)
    top_ps = np.array([job.settings.top_p for job in jobs], dtype=np.float64)
    room = max(job.most for job in jobs)
    chosen = np.zeros((len(jobs), room))
    for row, job in enumerate(jobs):
        if job.settings.temperature > 0:
            chosen[row, : job.most] = numbers(job.prompt, job.seed, job.most)
    prompts = list(dict.fromkeys(job.prompt for job in jobs))
    place = {prompt: i for i, prompt in enumerate(prompts)}
    held = np.arange(len(jobs))  # which job each row of the decoder's batch is
    try:
        decoder.start(prompts, [place[job.prompt] for job in jobs], room)
        for step in range(room):
            if stopped():
                break
            tokens, found = decoder.draw(temperatures[held], top_ps[held], chosen[held, step])
            drawn = zip(held.tolist(), tokens.tolist(), found.tolist(), strict=True)
            finished = [i for i, (job, token, value) in enumerate(drawn) if rows[job].add(token, value)]
            if len(finished) == len(held):
                break
            kept = without(len(held), finished) if finished else list(range(len(held)))
            held = held[kept]
            decoder.advance(kept, tokens[kept])
    finally:
        decoder.stop()
    return [row.sample or row.interrupted() for row in rows]

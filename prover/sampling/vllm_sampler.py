"""`vllm:NAME`: vLLM in this process, on a GPU.

Written for vLLM 0.33. This file is all that knows its API; vLLM is imported when a model is opened.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prover.sampling.sampler import Prompt, Request, Sample, SamplerError

WRITTEN_FOR = "0.33"

log = logging.getLogger(__name__)


@dataclass
class _Call:
    """One call of `sample`, and what became of it."""

    requests: Sequence[Request]
    samples: list[Sample] = field(default_factory=list)
    error: BaseException | None = None
    done: bool = False


class VLLMSampler:
    """`sampler.Sampler` over a `vllm.LLM`.

    vLLM shares the key-value cache of whatever prompts begin alike. Calls of several threads that wait for one another
    are answered in one batch. `sampling_params` is `vllm.SamplingParams`.
    """

    def __init__(self, name: str, llm: Any, sampling_params: Any) -> None:
        self.name = name
        self._llm, self._sampling_params = llm, sampling_params
        self._tokenizer = llm.get_tokenizer()
        self._context = int(llm.model_config.max_model_len)
        self._engine, self._gate = threading.Lock(), threading.Lock()
        self._waiting: list[_Call] = []
        self._asleep = False

    def sample(self, requests: Sequence[Request]) -> list[Sample]:
        """One sample for each request, in order.

        Raises:
            RuntimeError: the model sleeps.
        """
        call = _Call(requests)
        with self._gate:
            self._waiting.append(call)
        with self._engine:
            if not call.done:
                with self._gate:
                    calls, self._waiting = self._waiting, []
                self._answer(calls)
        if call.error is not None:
            raise call.error
        return call.samples

    def update_weights(self, folder: Path) -> None:
        """Takes the weights in a folder that `save_pretrained` wrote: the same architecture, other numbers.

        Raises:
            RuntimeError: vLLM kept keys and values of the old weights; nothing may be sampled then.
        """
        with self._engine:
            try:
                self._llm.collective_rpc("reload_weights", kwargs={"weights_path": str(folder)})
            finally:
                # What was cached is of the old weights, or of some of the new ones if the folder was damaged.
                if not self._llm.reset_prefix_cache():
                    raise RuntimeError(f"{self.name}: vLLM did not forget its prefix cache after new weights")

    def sleep(self, level: int = 1) -> None:
        """Gives up the GPU's memory: at level 1 weights go to the machine's memory; at level 2 they are forgotten, and
        `update_weights` has to follow `wake_up`. The model was opened with `sleep_mode`."""
        with self._engine:
            self._llm.sleep(level=level)
            self._asleep = True

    def wake_up(self) -> None:
        """Takes the memory back."""
        with self._engine:
            self._llm.wake_up()
            self._asleep = False

    def _answer(self, calls: Sequence[_Call]) -> None:
        try:
            if self._asleep:
                raise RuntimeError(f"{self.name} sleeps; wake it up before it is asked")
            samples = iter(self._generate([request for call in calls for request in call.requests]))
            for call in calls:
                call.samples = [next(samples) for _ in call.requests]
        except BaseException as error:
            for call in calls:
                call.error = error
        for call in calls:
            call.done = True

    def _generate(self, requests: Sequence[Request]) -> list[Sample]:
        samples: list[Sample | None] = [None] * len(requests)
        prompts, settings, places = [], [], []
        for place, request in enumerate(requests):
            try:
                ids = prompt_ids(request.prompt, self._tokenizer)
                left = self._context - len(ids)
                if left < 1:
                    raise ValueError(f"The prompt has {len(ids)} tokens, the model's context holds {self._context}")
                settings.append(self._sampling_params(**sampling_arguments(request, left)))
            except ValueError as error:  # one bad prompt would end the whole batch
                samples[place] = _lost(str(error))
                continue
            prompts.append({"prompt_token_ids": ids})
            places.append(place)
        reason = ""
        try:
            outputs = self._llm.generate(prompts, settings, use_tqdm=False) if prompts else []
            for place, output in zip(places, outputs, strict=True):
                samples[place] = sample_of(output.outputs[0])
        except Exception as error:  # a request refused, or an engine that died: an answer lost, not the run
            reason = f"vLLM gave no answer: {_first_line(error)}"
            log.warning("%s: %s", self.name, reason)
        return [sample or _lost(reason) for sample in samples]


def open_vllm(name: str, *, sleep_mode: bool = False, options: Mapping[str, Any] | None = None) -> VLLMSampler:
    """The model in a folder that `save_pretrained` wrote, or of that name on the hub.

    `options` are vLLM's own `EngineArgs` (`tensor_parallel_size`, `max_model_len`, `gpu_memory_utilization`).

    Raises:
        SamplerError: it cannot be used.
    """
    elsewhere = "or have it served by a machine with one and name that: --policy openai:MODEL --base-url URL"
    try:
        import torch
        import vllm
    except ImportError as error:
        raise SamplerError(
            f"vllm: needs vLLM ({error.name} is missing) and a GPU: pip install 'lean-rl-prover[vllm]', {elsewhere}."
        ) from error
    if not torch.cuda.is_available():
        raise SamplerError(f"vllm: needs a GPU, and PyTorch finds none here; take hf:{name}, {elsewhere}.")
    if not vllm.__version__.startswith(f"{WRITTEN_FOR}."):
        log.warning("vllm:%s: written for vLLM %s; this is %s.", name, WRITTEN_FOR, vllm.__version__)
    try:
        llm = vllm.LLM(**engine_arguments(name, sleep_mode, options or {}))
    except Exception as error:  # a model that is not there, does not fit, or is none that vLLM knows
        raise SamplerError(f"vllm:{name} cannot be opened: {_first_line(error)}.") from error
    return VLLMSampler(f"vllm:{name}", llm, vllm.SamplingParams)


def engine_arguments(name: str, sleep_mode: bool, options: Mapping[str, Any]) -> dict[str, Any]:
    """What `vllm.LLM` is made with: log-probabilities of what is sampled from, and one cache for equal prefixes."""
    folder = Path(name).expanduser()
    return {
        "model": str(folder) if folder.is_dir() else name,
        "logprobs_mode": "processed_logprobs",
        "enable_prefix_caching": True,
        "enable_sleep_mode": sleep_mode,
        **options,
    }


def sampling_arguments(request: Request, left: int) -> dict[str, Any]:
    """What `vllm.SamplingParams` is made with, where the model's context has room for `left` tokens more.

    0 log-probabilities besides that of the token drawn. A seed of -1 would be none.
    """
    settings = request.settings
    return {
        "n": 1,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "seed": request.seed % 2**31,
        "stop": list(settings.stop),
        "max_tokens": min(settings.max_tokens, left),
        "logprobs": 0,
    }


def prompt_ids(prompt: Prompt, tokenizer: Any) -> list[int]:
    """The prompt's tokens, the tokenizer's own begin token included.

    Raises:
        ValueError: the model takes no messages, or not these.
    """
    if not prompt.messages:
        return list(tokenizer.encode(prompt.text))
    turns = [{"role": message.role, "content": message.text} for message in prompt.messages]
    begun = turns[-1]["role"] == "assistant"
    try:
        ids = tokenizer.apply_chat_template(
            turns, add_generation_prompt=not begun, continue_final_message=begun, tokenize=True, return_dict=False
        )
    except Exception as error:  # a template is a program, and may raise what it likes
        raise ValueError(f"The model's chat template refuses the messages: {_first_line(error)}") from error
    return list(ids)


def sample_of(output: Any) -> Sample:
    """The sample in a `vllm.outputs.CompletionOutput`."""
    if output.finish_reason not in ("stop", "length"):
        return _lost(f"vLLM did not finish the answer ({output.finish_reason})")
    ids = tuple(output.token_ids)
    steps = output.logprobs or ()
    log_probabilities = tuple(min(0.0, float(step[token].logprob)) for step, token in zip(steps, ids, strict=True))
    return Sample(output.text, ids, log_probabilities, output.finish_reason, len(ids))


def _lost(reason: str) -> Sample:
    return Sample("", finish="error", error=f"{reason.rstrip('.')}.")


def _first_line(error: Exception) -> str:
    return (str(error).strip().split("\n")[0] or type(error).__name__).rstrip(".")

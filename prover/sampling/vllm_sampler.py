"""`vllm:NAME`: vLLM in this process, on a GPU.

Written for vLLM 0.33. This file is all that knows its API; vLLM is imported when a model is opened.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from prover.sampling.faults import cannot_import, first_line
from prover.sampling.sampler import INTERRUPTED, Prompt, Request, Sample, SamplerError
from prover.sampling.together import Together

WRITTEN_FOR = "0.33"

log = logging.getLogger(__name__)


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
        self._together = Together(self._draw)
        self._asleep = False

    def sample(self, requests: Sequence[Request]) -> list[Sample]:
        """One sample for each request, in order.

        Raises:
            RuntimeError: the model sleeps.
        """
        return self._together.sample(requests)

    def stop(self) -> None:
        """As `Sampler` says, after the step that vLLM is taking."""
        self._together.stop()

    def update_weights(self, folder: Path) -> None:
        """Takes the weights in a folder that `save_pretrained` wrote: the same architecture, other numbers.

        Raises:
            RuntimeError: vLLM kept keys and values of the old weights; nothing may be sampled then.
        """
        with self._together.alone():
            try:
                self._llm.collective_rpc("reload_weights", kwargs={"weights_path": str(folder)})
            finally:
                # What was cached is of the old weights, or of some of the new ones if the folder was damaged.
                if not self._llm.reset_prefix_cache():
                    raise RuntimeError(f"{self.name}: vLLM did not forget its prefix cache after new weights")

    def sleep(self, level: int = 1) -> None:
        """Gives up the GPU's memory: at level 1 weights go to the machine's memory; at level 2 they are forgotten, and
        `update_weights` has to follow `wake_up`. The model was opened with `sleep_mode`."""
        with self._together.alone():
            self._llm.sleep(level=level)
            self._asleep = True

    def wake_up(self) -> None:
        """Takes the memory back."""
        with self._together.alone():
            self._llm.wake_up()
            self._asleep = False

    def _draw(self, requests: Sequence[Request], stopped: Callable[[], bool]) -> list[Sample]:
        if self._asleep:
            raise RuntimeError(f"{self.name} sleeps; wake it up before it is asked")
        samples: list[Sample | None] = [None] * len(requests)
        prompts, settings, places = [], [], []
        for place, request in enumerate(requests):
            try:
                ids = prompt_ids(request.prompt, self._tokenizer)
                left = self._context - len(ids)
                if left < 1:
                    too_long = f"The prompt has {len(ids)} tokens, the model's context holds {self._context}."
                    samples[place] = Sample("", finish="length", error=too_long)
                    continue
                settings.append(self._sampling_params(**sampling_arguments(request, left)))
            except ValueError as error:  # one bad prompt would end the whole batch
                samples[place] = _lost(str(error))
                continue
            prompts.append({"prompt_token_ids": ids})
            places.append(place)
        unanswered = INTERRUPTED
        try:
            outputs = self._outputs(prompts, settings, stopped)
            for place, output in zip(places, outputs, strict=True):
                samples[place] = output and sample_of(output.outputs[0])
        except Exception as error:  # a request refused, or an engine that died: an answer lost, not the run
            unanswered = _lost(f"vLLM gave no answer: {first_line(error)}")
        return [sample or unanswered for sample in samples]

    def _outputs(self, prompts: Sequence[Any], settings: Sequence[Any], stopped: Callable[[], bool]) -> list[Any]:
        """As `LLM.generate`, but None for what is not finished once `stopped` says so, which is asked at every step."""
        if not prompts:
            return []
        names = self._llm.enqueue(prompts, settings, use_tqdm=False)
        engine = self._llm.llm_engine
        finished: dict[str, Any] = {}
        try:
            while engine.has_unfinished_requests() and not stopped():
                finished |= {output.request_id: output for output in engine.step() if output.finished}
        except BaseException:
            with suppress(Exception):  # what went wrong is said already
                engine.abort_request(names, internal=True)
            raise
        if engine.has_unfinished_requests():
            engine.abort_request(names, internal=True)
        # Outputs have the number of their request, and its name has some characters more.
        return [finished.get(name.split("-")[0]) for name in names]


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
    except Exception as error:  # a build that lacks one of CUDA's libraries raises nearly anything
        raise SamplerError(f"vllm: {cannot_import('needs vLLM and a GPU', 'vllm', error)}, {elsewhere}.") from error
    if not torch.cuda.is_available():
        raise SamplerError(f"vllm: needs a GPU, and PyTorch finds none here; take hf:{name}, {elsewhere}.")
    if not vllm.__version__.startswith(f"{WRITTEN_FOR}."):
        log.warning("vllm:%s: written for vLLM %s; this is %s.", name, WRITTEN_FOR, vllm.__version__)
    try:
        llm = vllm.LLM(**engine_arguments(name, sleep_mode, options or {}))
    except Exception as error:  # a model that is not there, does not fit, or is none that vLLM knows
        raise SamplerError(f"vllm:{name} cannot be opened: {first_line(error)}.") from error
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
        raise ValueError(f"The model's chat template refuses the messages: {first_line(error)}") from error
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

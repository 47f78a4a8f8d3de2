"""vLLM as the sampler of rollouts: takes the learner's weights in place, on the GPU that both are on.

Written for vLLM 0.33, whose weight transfer this file alone knows (it was another one before 0.28).
"""

import base64
import os
import pickle
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from prover.sampling.sampler import Prompt, Request, Sample
from prover.sampling.vllm_sampler import VLLMSampler, open_vllm, prompt_ids
from prover.sources import UserInputError

ALLOWED = "VLLM_ALLOW_INSECURE_SERIALIZATION"


class VLLMPolicy:
    """`weights.PolicySampler` over the sampler of a `vllm.LLM` that was made with a `WeightTransferConfig`."""

    def __init__(self, sampler: VLLMSampler, llm: Any) -> None:
        self._sampler, self._llm = sampler, llm
        self._tokenizer = llm.get_tokenizer()
        self._model: Any = None
        self._sender: Any = None
        self._alone = threading.Lock()

    @property
    def name(self) -> str:
        return self._sampler.name

    def encode(self, prompt: Prompt) -> list[int]:
        return prompt_ids(prompt, self._tokenizer)

    def sample(self, requests: Sequence[Request]) -> list[Sample]:
        """One sample for each request, in order."""
        with self._alone:
            return self._sampler.sample(requests)

    def take_weights(self, model: Any) -> None:
        """As `PolicySampler` says; waits for what is being sampled. The model is on the GPU that vLLM is on.

        Raises:
            UserInputError: the model is a peft adapter's, whose weights have other names.
            RuntimeError: vLLM kept keys and values of the old weights; nothing may be sampled then.
        """
        with self._alone:
            if model is not self._model:
                self._sender, self._model = self._sender_of(model), model
            try:
                self._sender.send_weights()
            finally:
                # What is cached is of the old weights, whatever became of the new ones (vllm#46125).
                if not self._llm.reset_prefix_cache():
                    raise RuntimeError(f"{self.name}: vLLM did not forget its prefix cache after new weights")

    def stop(self) -> None:
        """Ends the samples that are being drawn; see `Sampler`."""
        self._sampler.stop()

    def _sender_of(self, model: Any) -> Any:
        """vLLM's own half for a trainer: it drives the four calls of `_Client`, with handles to the model's tensors."""
        from vllm.distributed.weight_transfer import ModuleSource, WeightTransferTrainerFactory
        from vllm.distributed.weight_transfer.ipc_engine import IPCTrainerInitInfo

        if hasattr(model, "peft_config"):
            raise UserInputError("vllm: takes whole models only; train the adapter with the sampler hf:.")
        return WeightTransferTrainerFactory.trainer_init(
            IPCTrainerInitInfo(rank=0, packed=True), client=_Client(self._llm), source=ModuleSource(model)
        )


class _Client:
    """What vLLM's trainer half speaks to: an `LLM` of this process, whose workers are processes of their own."""

    def __init__(self, llm: Any) -> None:
        self._llm = llm

    def init_weight_transfer_engine(self, init_info: dict[str, Any]) -> None:
        self._llm.init_weight_transfer_engine({"init_info": init_info})

    def start_weight_update(self) -> None:
        self._llm.start_weight_update()

    def update_weights(self, update_info: dict[str, Any]) -> None:
        """The handles travel as vLLM's own client for its server sends them: pickled, as text."""
        handles = base64.b64encode(pickle.dumps(update_info["ipc_handles"])).decode()
        sent = {**update_info, "ipc_handles": None, "ipc_handles_pickled": handles}
        self._llm.update_weights({"update_info": sent})

    def finish_weight_update(self, weight_version: str | None = None) -> None:
        self._llm.finish_weight_update(weight_version)


def open_vllm_policy(name: str, options: Mapping[str, Any] | None = None) -> VLLMPolicy:
    """As `open_vllm`, ready to take weights.

    Raises:
        SamplerError: it cannot be used.
    """
    # vLLM's workers take pickled handles only if their environment allows it. They are processes of this one alone.
    os.environ[ALLOWED] = "1"
    sampler = open_vllm(name, options={**(options or {}), "weight_transfer_config": CONFIG})
    return VLLMPolicy(sampler, sampler._llm)


CONFIG = {"backend": "ipc"}  # `EngineArgs` makes vLLM's WeightTransferConfig of it

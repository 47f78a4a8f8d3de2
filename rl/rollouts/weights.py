"""The sampler that rollouts are drawn with, and how it comes by the learner's weights. Torch comes with the model.

vLLM's is in `vllm_weights.py`.
"""

import copy
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from prover.sampling.sampler import Prompt, Request, Sample


class PolicySampler(Protocol):
    """A language model that is sampled from and learns. `sample` and `stop` are as `prover.sampling` has them."""

    @property
    def name(self) -> str: ...

    def encode(self, prompt: Prompt) -> Sequence[int]:
        """The ids (m,) that the model is given for the prompt, which are those that the learner has to be given."""
        ...

    def sample(self, requests: Sequence[Request]) -> Sequence[Sample]: ...

    def take_weights(self, model: Any) -> None:
        """From the next call of `sample` on it samples with the weights that `model`, of the same shape, has now."""
        ...

    def stop(self) -> None: ...


class TransformersPolicy:
    """A transformers model in this process: the learner's own, or (`copied`) one beside it.

    The learner's own costs no memory, and it must not learn while it samples. A copy takes the learner's numbers into
    its own parameters, in place, and keeps them until it is told to take others.
    """

    def __init__(self, model: Any, tokenizer: Any, *, copied: bool) -> None:
        from prover.sampling.transformers_sampler import transformers_sampler

        self._copied = copied
        self._model = copy.deepcopy(model).requires_grad_(False).eval() if copied else model
        with _evaluating(self._model):
            self._sampler = transformers_sampler(self._model, tokenizer, "hf:policy")
        self._alone = threading.Lock()

    @property
    def name(self) -> str:
        return self._sampler.name

    def encode(self, prompt: Prompt) -> Sequence[int]:
        return self._sampler.vocabulary.encode(prompt)

    def sample(self, requests: Sequence[Request]) -> list[Sample]:
        """One sample for each request, in order; a learner's model is in evaluation mode meanwhile."""
        with self._alone, _evaluating(self._model):
            return self._sampler.sample(requests)

    def take_weights(self, model: Any) -> None:
        """As `PolicySampler` says; waits for what is being sampled.

        Raises:
            ValueError: the model has other parameters, or is another one than that which is sampled from itself.
        """
        if not self._copied:
            if model is not self._model:
                raise ValueError("the sampler runs the learner's own model, and was given the weights of another one")
            return
        with self._alone:
            copy_weights(model, self._model)

    def stop(self) -> None:
        """Ends the samples that are being drawn; see `Sampler`."""
        self._sampler.stop()


def copy_weights(source: Any, target: Any) -> None:
    """Writes the parameters and buffers of one model into those of another, in place.

    Raises:
        ValueError: they do not have the same names and shapes; nothing is written then.
    """
    import torch

    theirs, ours = _tensors(source), _tensors(target)
    if theirs.keys() != ours.keys():
        name = min(theirs.keys() ^ ours.keys())
        raise ValueError(f"the models do not have the same parameters: {name} is in one of them only")
    for name, tensor in theirs.items():
        if tensor.shape != ours[name].shape:
            raise ValueError(f"{name} is {tuple(tensor.shape)} in one model and {tuple(ours[name].shape)} in the other")
    with torch.no_grad():
        for name, tensor in theirs.items():
            ours[name].copy_(tensor)


def _tensors(model: Any) -> dict[str, Any]:
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """In evaluation mode: no dropout, and a model that recomputes activations in training keeps its cache."""
    training = model.training
    if training:
        model.eval()
    try:
        yield
    finally:
        if training:
            model.train()

"""The weights that are learned, apart from their model: kept for a while, and put back."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

LINE = 64  # bytes


def align(model: Any) -> None:
    """Gives weights that lie in a file's memory, wherever the file has them, memory of their own on a CPU.

    Sums are taken in another order, and rounded otherwise, where numbers begin at another place in a cache line: a
    model that was opened again would not come to the same bits as the one that was saved.
    """
    for weight in model.parameters():
        if weight.device.type == "cpu" and weight.data_ptr() % LINE:
            weight.data = weight.data.clone()


def learned(model: Any) -> list[str]:
    """The names of the weights that are learned."""
    return [name for name, weight in model.named_parameters() if weight.requires_grad]


def copied(model: Any, names: Iterable[str]) -> dict[str, Any]:
    """A copy, on the CPU, of the weights of these names."""
    found = dict(model.named_parameters())
    return {name: found[name].detach().to("cpu", copy=True) for name in names}


def put_weights(model: Any, weights: Mapping[str, Any]) -> None:
    """Writes such weights into a model of the same kind, in place.

    Raises:
        KeyError: the model has none of that name.
    """
    import torch

    found = dict(model.named_parameters())
    with torch.no_grad():
        for name, weight in weights.items():
            found[name].copy_(weight)


@contextmanager
def with_weights(model: Any, weights: Mapping[str, Any]) -> Iterator[None]:
    """The model has these weights meanwhile."""
    before = copied(model, weights)
    put_weights(model, weights)
    try:
        yield
    finally:
        put_weights(model, before)

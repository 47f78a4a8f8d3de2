"""The weights that are learned, apart from their model: kept for a while, and put back."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


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

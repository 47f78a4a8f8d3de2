"""The states of the random number generators of Python, numpy and torch, taken and put back."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np


def random_states() -> dict[str, Any]:
    """All of them, as numbers and tensors that `torch.load(weights_only=True)` reads."""
    import torch

    name, keys, place, has_gauss, gauss = np.random.get_state(legacy=True)
    return {
        "python": random.getstate(),
        "numpy": (str(name), np.asarray(keys).tolist(), int(place), int(has_gauss), float(gauss)),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_states(states: Mapping[str, Any]) -> None:
    """Puts back what `random_states` took. The devices' own are left alone where there are fewer or more devices."""
    import torch

    version, keys, gauss = states["python"]
    random.setstate((version, tuple(keys), gauss))
    name, words, place, has_gauss, normal = states["numpy"]
    np.random.set_state((name, np.array(words, dtype=np.uint32), place, has_gauss, normal))
    torch.set_rng_state(states["torch"])
    if states["cuda"] and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states["cuda"])

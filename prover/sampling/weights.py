"""How large a model is, read from the headers of its safetensors files, and how much memory there is for it."""

import json
import struct
from math import prod
from pathlib import Path


def parameter_count(folder: Path) -> int | None:
    """The numbers that the weights in a folder are made of; None where they are in no safetensors files.

    Raises:
        ValueError: a file is cut short or is none of that format; the message names it.
    """
    files = sorted(folder.glob("model*.safetensors"))
    return sum(_numbers(file) for file in files) if files else None


def _numbers(file: Path) -> int:
    """Of one file: https://github.com/huggingface/safetensors, section Format."""
    with file.open("rb") as stream:
        try:
            (size,) = struct.unpack("<Q", stream.read(8))
            if size > file.stat().st_size:
                raise ValueError("a header longer than the file")
            header = json.loads(stream.read(size))
            tensors = {name: tensor for name, tensor in header.items() if name != "__metadata__"}
            end = max((tensor["data_offsets"][1] for tensor in tensors.values()), default=0)
            if 8 + size + end > file.stat().st_size:
                raise ValueError("data cut short")
            return sum(prod(tensor["shape"]) for tensor in tensors.values())
        except (ValueError, KeyError, TypeError, AttributeError, struct.error):
            raise ValueError(f"{file} is damaged or was not downloaded whole") from None

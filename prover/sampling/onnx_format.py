"""What an exported model's folder holds, and the facts that its .onnx file says of itself."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
KEY = "lean-rl-prover"
VERSION = 1


@dataclass(frozen=True)
class Facts:
    """Sizes of an exported model. `context` is in tokens, `ends` are the token ids that end an answer."""

    layers: int
    key_value_heads: int
    head_size: int
    vocabulary: int
    context: int
    ends: tuple[int, ...]
    weights: Literal["float32", "int8"]


def to_metadata(facts: Facts) -> dict[str, str]:
    return {KEY: json.dumps({"version": VERSION, **asdict(facts)})}


def from_metadata(metadata: Mapping[str, str]) -> Facts:
    """
    Raises:
        ValueError: the file was not exported by this program, or by another version of it.
    """
    try:
        facts = json.loads(metadata[KEY])
        if facts.pop("version") != VERSION:
            raise ValueError("another version")
        return Facts(**{**facts, "ends": tuple(facts["ends"])})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError("was not written by this version of `prover export-onnx`") from error

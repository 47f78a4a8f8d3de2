"""What a folder says of the model in it, without loading it; and the folders of the hub's models that are here."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prover.policies.plan import own_family
from prover.prompts.registry import guessed
from prover.sampling.weights import parameter_count
from prover.sources import UserInputError


@dataclass(frozen=True)
class Model:
    """`policy` is as `--policy` names it; `family` how it is asked, empty if that is not known. `here`: no network is
    needed. `context` is in tokens. `problem` is a sentence on why it cannot be used on any machine."""

    policy: str
    parameters: int | None = None
    family: str = ""
    here: bool = False
    context: int | None = None
    problem: str = ""


def read_model(folder: Path, policy: str) -> Model:
    """What `config.json`, the tokenizer and the weights' headers say; `policy` is what to call it."""
    if (folder / "model.onnx").is_file() and policy.startswith("onnx:"):
        return Model(policy, None, _family(folder, policy), True)
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        parameters = parameter_count(folder)
    except FileNotFoundError:
        return Model(
            policy, here=True, problem=f"{folder} has no config.json: it is no model that save_pretrained wrote."
        )
    except (OSError, ValueError) as error:
        return Model(policy, here=True, problem=f"{folder} cannot be read: {error}.")
    if not isinstance(config, dict):
        return Model(policy, here=True, problem=f"{folder}: config.json is no JSON object.")
    problem = ""
    if config.get("is_encoder_decoder"):
        problem = "It is an encoder-decoder; only models that continue a text can be used."
    return Model(policy, parameters, _family(folder, policy), True, _context(config), problem)


def hub_models(cache: Path | None) -> list[Model]:
    """The models of the hub that were downloaded, by name."""
    if cache is None or not cache.is_dir():
        return []
    found = []
    for place in sorted(cache.glob("models--*")):
        snapshot = _snapshot(place)
        if snapshot is not None:
            found.append(read_model(snapshot, "hf:" + place.name.removeprefix("models--").replace("--", "/")))
    return found


def _snapshot(place: Path) -> Path | None:
    """The files of the revision that would be loaded; None if there are none, or only a tokenizer's."""
    try:
        revision = (place / "refs" / "main").read_text("utf-8").strip()
    except (OSError, ValueError):
        return None
    folder = place / "snapshots" / revision
    weights = any(folder.glob(f"*.{kind}") for kind in ("safetensors", "bin"))
    return folder if weights and (folder / "config.json").is_file() else None


def _family(folder: Path, policy: str) -> str:
    if own := own_family(folder, "tactic"):
        return f"{own}, {own_family(folder, 'proof')}"
    try:
        return guessed(policy)
    except UserInputError:
        return ""


def _context(config: dict[str, Any]) -> int | None:
    limit = config.get("max_position_embeddings", config.get("n_positions"))
    return limit if isinstance(limit, int) else None

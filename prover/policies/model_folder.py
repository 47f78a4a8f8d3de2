"""What a folder says of the model in it, without loading it; and the folders of the hub's models that are here."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from prover.policies.adapter import CONFIG, adapted_by
from prover.policies.plan import guessed_family, own_family
from prover.sampling.onnx_format import MODEL, TOKENIZER
from prover.sampling.weights import parameter_count
from prover.sources import UserInputError


@dataclass(frozen=True)
class Model:
    """`policy` is as `--policy` names it; `family` how it is asked, empty if that is not known. `here`: no network is
    needed. `context` is in tokens. `problem` is a sentence on why it cannot be used on any machine. `adapts` is what it
    is an adapter for, whose size and context it has then."""

    policy: str
    parameters: int | None = None
    family: str = ""
    here: bool = False
    context: int | None = None
    problem: str = ""
    adapts: str = ""


def read_model(folder: Path, policy: str, cache: Path | None = None) -> Model:
    """What `config.json`, the tokenizer and the weights' headers say; `policy` is what to call it.

    `cache` is where the hub's models are, of which one may be what an adapter adapts.
    """
    if policy.startswith("onnx:"):
        return _exported(folder, policy)
    if (folder / CONFIG).is_file() and not (folder / "config.json").is_file():
        return _adapter(folder, policy, cache)
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


def _exported(folder: Path, policy: str) -> Model:
    missing = next((name for name in (MODEL, TOKENIZER) if not (folder / name).is_file()), None)
    if missing is None:
        return Model(policy, None, _family(folder, policy), True)
    return Model(policy, here=True, problem=f"{folder} has no {missing}: `prover export-onnx` writes such a folder.")


def _adapter(folder: Path, policy: str, cache: Path | None) -> Model:
    base = adapted_by(folder)
    if base is None:
        return Model(policy, here=True, problem=f"{folder / CONFIG} does not say which model it adapts.")
    place: Path | None = Path(base).expanduser()
    if place is not None and not place.is_dir():
        if base.startswith(("/", ".", "~")):
            return Model(policy, here=True, problem=f"It adapts the model in {base}, and there is no such folder.")
        place = _snapshot(cache / f"models--{base.replace('/', '--')}") if cache else None
    if place is None:
        return Model(policy, None, _family(folder, policy), adapts=base)
    model = read_model(place, policy)
    return replace(model, family=_family(folder, policy), adapts=base)


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
        return guessed_family(policy, folder)
    except UserInputError:
        return ""


def _context(config: dict[str, Any]) -> int | None:
    limit = config.get("max_position_embeddings", config.get("n_positions"))
    return limit if isinstance(limit, int) else None

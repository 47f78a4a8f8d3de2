"""Which model the peft adapter in a folder adapts. Imports neither peft nor torch."""

import json
from pathlib import Path

CONFIG = "adapter_config.json"


def adapted_by(folder: Path) -> str | None:
    """The path or name of the model that the folder's adapter adapts; None where it has a model of its own, or where
    the adapter does not say."""
    folder = folder.expanduser()
    if (folder / "config.json").is_file():
        return None
    try:
        base = json.loads((folder / CONFIG).read_text("utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, LookupError, TypeError):
        return None  # what opens the model will say what is wrong with it
    return base if isinstance(base, str) and base else None

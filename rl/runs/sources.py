"""Which program makes a run: its versions, its source, the machine, the command."""

import hashlib
import importlib.metadata
import os
import platform
import shlex
import sys
from pathlib import Path
from typing import Any

from prover.runs.environment import processor, source_hash

PACKAGES = ("lean-rl-prover", "torch", "transformers", "tokenizers", "safetensors", "accelerate", "peft", "numpy")


def program() -> dict[str, Any]:
    """As JSON; a package that is not installed is None."""
    return {
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "packages": {name: _version(name) for name in PACKAGES},
        "source": learning_hash(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": os.cpu_count(),
    }


def learning_hash() -> str:
    """SHA-256, in hexadecimal, of the whole program, this floor included."""
    digest = hashlib.sha256(source_hash().encode())
    floor = Path(__file__).resolve().parents[1]
    for path in sorted(floor.rglob("*.py")):
        digest.update(path.relative_to(floor).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None

"""Where a run was made: what another person has to know to compare times. The command is kept as it was typed."""

import hashlib
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

import psutil

from lean_env.resources import lake_project
from lean_env.verdict import LeanVersion


def environment(lean: LeanVersion, command: str) -> dict[str, Any]:
    """Versions, processor, memory, and the command, as JSON."""
    return {
        "command": command,
        "prover": importlib.metadata.version("lean-rl-prover"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "lean": {"version": lean.version, "commit": lean.commit, "road": lean.road, "package": lean.package},
    }


def program() -> str:
    """The program, as a run's settings name it: its version, and the beginning of the hash of its source."""
    return f"{importlib.metadata.version('lean-rl-prover')} {source_hash()[:12]}"


def judging(lean: LeanVersion) -> str:
    """The Lean that judges, as a run's settings name it."""
    return f"{lean.road} {lean.version} {lean.commit[:8]}"


def source_hash() -> str:
    """SHA-256, in hexadecimal, of the program: two runs may have one version and not one program."""
    digest = hashlib.sha256((lake_project() / "ProverServer.lean").read_bytes())
    root = Path(__file__).resolve().parents[2]
    for package in ("lean_env", "search", "prover"):
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")

"""What of this machine decides which models can run on it: memory, GPUs, packages, network. Imports no torch."""

import importlib.metadata
import importlib.util
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

PACKAGES = ("torch", "transformers", "onnxruntime", "tokenizers", "vllm", "peft")
SECONDS = 5.0  # that the hub and the GPU's driver have to answer


@dataclass(frozen=True)
class Gpu:
    """`free` is its memory that nobody has, in bytes."""

    name: str
    free: int


@dataclass(frozen=True)
class Machine:
    """`memory` is what is free, in bytes; `packages` has a version, or None, for each of `PACKAGES`.

    `hub` says whether the hub answers, None that it is not to be asked (HF_HUB_OFFLINE). `key`: there is one.
    """

    memory: int
    gpus: tuple[Gpu, ...]
    packages: Mapping[str, str | None]
    hub: bool | None
    key: bool

    @property
    def torch_gpu(self) -> Gpu | None:
        """The GPU with the most memory that PyTorch can use; None if its build knows none."""
        if "+cpu" in (self.packages["torch"] or "+cpu"):
            return None
        return max(self.gpus, key=lambda gpu: gpu.free, default=None)


def this_machine() -> Machine:
    """Asks; takes a few seconds at most."""
    packages = {name: _version(name) for name in PACKAGES}
    return Machine(
        memory=psutil.virtual_memory().available,
        gpus=_gpus(),
        packages=packages,
        hub=_hub() if packages["transformers"] else None,
        key=bool(os.environ.get("OPENAI_API_KEY", "").strip()),
    )


def hub_cache() -> Path | None:
    """The folder that models of the hub are kept in; None without the hub's package."""
    try:
        from huggingface_hub.constants import HF_HUB_CACHE
    except ImportError:
        return None
    return Path(HF_HUB_CACHE)


def gpus_in(listing: str) -> tuple[Gpu, ...]:
    """Read from lines of `name, MiB that are free`."""
    found = []
    for line in listing.splitlines():
        name, _, free = line.rpartition(",")
        if name and free.strip().isdigit():
            found.append(Gpu(name.strip(), int(free) * 2**20))
    return tuple(found)


def _gpus() -> tuple[Gpu, ...]:
    command = ["nvidia-smi", "--query-gpu=name,memory.free", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return gpus_in(done.stdout) if done.returncode == 0 else ()


def _hub() -> bool | None:
    try:
        from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE
    except ImportError:
        return None
    if HF_HUB_OFFLINE:
        return None
    try:
        httpx.head(ENDPOINT, timeout=SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        return False
    return True


def _version(name: str) -> str | None:
    # A package may be there for Python without its metadata, and the other way round after a bad uninstall.
    try:
        return importlib.metadata.version(name) if importlib.util.find_spec(name) else None
    except importlib.metadata.PackageNotFoundError:
        return None

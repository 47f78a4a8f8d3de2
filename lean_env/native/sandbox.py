"""Keeps a native Lean apart from the host with bubblewrap, where the machine has it and lets it work."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

# What programs of the system are made of. Homes, secrets and mounts are not among them.
SYSTEM = ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf.d")
MEMORY_KIB = 32 << 20  # of addresses: Mathlib alone maps six gigabytes
# A worker lives for thousands of requests, each with a wall clock of its own, so only one that has gone astray gets
# here. The system then kills it, and the pool puts another in its place.
CPU_SECONDS = 12 * 3600
# Of one file, which may be what the process prints (see LeanWorker): who writes more is killed, and replaced too.
FILE_MIB = 256
FILE_BLOCKS = FILE_MIB << 11  # `ulimit -f` counts in blocks of 512 bytes


@cache
def bubblewrap() -> str:
    """The path of a bubblewrap that works here; empty if there is none (many containers forbid it)."""
    program = shutil.which("bwrap")
    if not program:
        return ""
    probe = [program, "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--unshare-all", "true"]
    try:
        done = subprocess.run(probe, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return program if done.returncode == 0 else ""


def limited(command: Sequence[str]) -> list[str]:
    """`command` with limits of memory, of CPU time and of the size of a file. They hold where no sandbox can be had."""
    # Apart from each other: a machine may allow less already, which then stays.
    limits = (f"ulimit -{limit} 2>/dev/null" for limit in (f"v {MEMORY_KIB}", f"t {CPU_SECONDS}", f"f {FILE_BLOCKS}"))
    return ["sh", "-c", f'{"; ".join(limits)}; exec "$@"', "sh", *command]


def confine(
    command: Sequence[str], readable: Sequence[Path], folder: Path, writable: Sequence[Path] = ()
) -> list[str]:  # fmt: skip
    """`command` with no network, a scratch folder, the limits, and the file system reduced to what it reads.

    `readable` are the folders that it may read besides the system's; PROVER_SANDBOX_READ names more, separated by `:`.
    In those of `writable` it may write.
    """
    more = [Path(part) for part in os.environ.get("PROVER_SANDBOX_READ", "").split(os.pathsep) if part]
    binds = [
        part for path in (*map(Path, SYSTEM), *readable, *more) for part in ("--ro-bind-try", str(path), str(path))
    ]
    binds += [part for path in writable for part in ("--bind", str(path), str(path))]
    # No --die-with-parent: the parent would be the thread that starts the process, not the program. A worker's process
    # group is killed with it, and a server whose requests end by themselves ends too.
    walls = ["--unshare-all", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    return [bubblewrap(), *walls, *binds, "--chdir", str(folder), *limited(command)]

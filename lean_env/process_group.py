"""Watches a process of ours and ends it with everything it started, never another one that has got its number since.

Once a process has been waited for, its number is free, and its group's with it, as soon as that is empty. So its end is
looked for without waiting for it, and the group is sent the signal before it is.
"""

import contextlib
import os
import signal
import subprocess
import time
from typing import Any

import psutil

GLANCE_SECONDS = 0.005
MIB = 1 << 20
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

Process = subprocess.Popen[Any]


def has_ended(process: Process, wall_seconds: float = 0.0) -> bool:
    """Whether `process` is over, or is within `wall_seconds`. It keeps its number until `end_group`."""
    deadline = time.monotonic() + wall_seconds
    while process.returncode is None and not _is_over(process.pid):
        if time.monotonic() >= deadline:
            return False
        time.sleep(GLANCE_SECONDS)
    return True


def end_group(process: Process) -> None:
    """Kills `process`, which leads a group of its own, with the rest of the group; nothing if it was waited for."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def resident_mib(process: Process) -> int:
    """Resident size in MiB of the process and those below it (a sandbox is one too); 0 if it cannot be told."""
    return sum(map(_resident_pages, _family(process.pid))) * PAGE_BYTES // MIB


def _family(pid: int) -> list[int]:
    """A process and all its descendants."""
    children: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # a child is its thread's, not its process's
            children += _children(pid, task)
    return [pid, *(descendant for child in children for descendant in _family(child))]


def _children(pid: int, task: str) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{task}/children") as file:
            return list(map(int, file.read().split()))
    except (OSError, ValueError):
        return []


def _resident_pages(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def _is_over(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:  # which a process that is over may look like, on some systems
        return True

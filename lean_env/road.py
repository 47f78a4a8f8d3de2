"""The two ways to a running Lean, seen from above: how to start a server process, and which Lean it is."""

import resource
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from lean_env.theorem import Candidate, Theorem

RoadName = Literal["wasm", "native"]

# Lean recurses deeply; with less, ordinary proofs die of the process's stack instead of failing in Lean.
WANTED_STACK_KIB = 1_200_000


class Road(Protocol):
    """How a Lean server process comes about. Immutable, cheap to pass around."""

    @property
    def name(self) -> RoadName: ...

    @property
    def package(self) -> str:
        """Hash of what was installed; empty where it is not known."""
        ...

    @property
    def sandbox(self) -> str:
        """What keeps the process apart from the host."""
        ...

    @property
    def interrupts(self) -> bool:
        """Whether its server gives up a request after the time that the request's `interrupt` (ms) says."""
        ...

    def command(self, requests: int, answers: int) -> list[str]:
        """The argument vector of a server that reads descriptor `requests` and writes descriptor `answers`."""
        ...

    def folder(self) -> Path | None:
        """The folder to start the process in; None for wherever we are."""
        ...


@runtime_checkable
class CheckingRoad(Road, Protocol):
    """A road on which Lean comes with a checker of its own, apart from the server. The WebAssembly build has none."""

    def refusal(self, theorem: Theorem, candidate: Candidate, heartbeats: int, wall_seconds: float) -> str:
        """What that checker says against a candidate that was accepted; empty if it says nothing.

        Raises:
            WorkerTimeout: it, with compiling the candidate for it, took longer than `wall_seconds`.
            WorkerLost: it could not do its work.
        """
        ...


def stack_kib() -> int:
    """The stack, in KiB, that a process of ours can have: what we want, or what the machine's hard limit allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    return WANTED_STACK_KIB if hard == resource.RLIM_INFINITY else min(WANTED_STACK_KIB, hard // 1024)


def with_stack(command: list[str]) -> list[str]:
    """`command` under a raised limit of the stack."""
    return ["sh", "-c", f'ulimit -s {stack_kib()}; exec "$@"', "sh", *command]

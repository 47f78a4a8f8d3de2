"""A Lean that is lost while rollouts are collected: it is waited for, and the wait has an end. Real processes."""

import os
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import pytest

from lean_env import LeanPool, retry
from lean_env.road import RoadName
from prover.benchmarks.row import Row
from prover.prompts.own import OwnProof, OwnTactic
from prover.sampling.sampler import Settings
from rl.rollouts.collector import Collector
from rl.rollouts.lean import CollectStopped, JudgeLost
from rl.rollouts.options import RolloutOptions
from rl.rollouts.rollout import unscored
from tests.rl.scripted_sampler import Scripted

SWAP = Row("swap", "theorem swap (p q : Prop) (h : p ∧ q) : q ∧ p")
TERM = "exact ⟨h.2, h.1⟩"
SCRIPT = {("swap", 0): [TERM], ("swap", 1): ["exact h"]}


def collector(pool: LeanPool, patience: float, family: Any = None) -> Any:
    options = RolloutOptions(group_size=2, patience=patience, tactic_seconds=30)
    return Collector(pool, Scripted(SCRIPT), family or OwnTactic(), Settings(), options)


class Breaking:
    """The road of a real Lean, until it is `broken`: then its command ends at once."""

    def __init__(self, road: Any) -> None:
        self.road, self.broken = road, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.road, name)

    def command(self, requests: int, answers: int) -> list[str]:
        return ["sh", "-c", "exit 3"] if self.broken else list(self.road.command(requests, answers))


@pytest.fixture(scope="module")
def breaking(pool: LeanPool) -> Breaking:
    return Breaking(pool.road)


@pytest.fixture(scope="module")
def own(breaking: Breaking) -> Iterator[LeanPool]:
    """A pool to be broken: the shared one is needed by others."""
    with LeanPool(1, breaking, spare=False) as pool:
        yield pool


@contextmanager
def killed(pool: LeanPool, times: float) -> Iterator[set[int]]:
    """So many workers are killed from outside, each as soon as it is there; which, it says."""
    gone, over = set[int](), threading.Event()

    def kill() -> None:
        while not over.wait(0.01):
            for pid in pool.processes:
                if pid not in gone and len(gone) < times:
                    os.kill(pid, signal.SIGKILL)  # its number stays its own until the pool has looked
                    gone.add(pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield gone
    finally:
        over.set()
        thread.join()


# The tests that break the pool for good come last.


def test_workers_that_are_killed_for_a_while_are_waited_for(own, monkeypatch):
    """One more than a session takes before it gives up: its rollouts are lost, and made again."""
    monkeypatch.setattr(retry, "TRIES_WHEN_KILLED", 2)
    with killed(own, 3) as gone, collector(own, 200.0) as collecting:
        (group,) = collecting.collect([SWAP], 0)
        assert group.rewards == (1, 0)
        assert len(gone) == 3
        assert collecting.pool is own


def test_workers_that_are_killed_again_and_again_end_the_wait(own):
    with killed(own, inf), collector(own, 1.5) as collecting:
        began = time.monotonic()
        with pytest.raises(JudgeLost, match=r"^Lean is lost.*\.$"):
            collecting.collect([SWAP], 0)
        assert 1.5 <= time.monotonic() - began < 60


def test_a_command_that_no_longer_starts_and_then_does_again(breaking):
    with LeanPool(1, breaking, spare=False) as pool, collector(pool, 120.0) as collecting:
        (before,) = collecting.collect([SWAP], 0)
        breaking.broken = True
        for pid in pool.processes:
            os.kill(pid, signal.SIGKILL)
        threading.Timer(2.0, lambda: setattr(breaking, "broken", False)).start()
        (after,) = collecting.collect([SWAP], 0)
        # The pool had given up; another one has taken its place, and made the same rollouts.
        assert collecting.pool is not pool
        assert after == before
        assert after.rewards == (1, 0)
        replaced = collecting.pool
    assert replaced.processes == []


def test_a_command_that_never_starts_again(breaking):
    breaking.broken = True
    try:
        with LeanPool(1, breaking, spare=False) as pool, collector(pool, 2.5) as collecting:
            began = time.monotonic()
            with pytest.raises(JudgeLost, match=r"^Lean is lost, .* Lean does not start: the process ended with 3"):
                collecting.collect([SWAP], 0)
            assert 2.5 <= time.monotonic() - began < 30
    finally:
        breaking.broken = False


def test_a_wait_for_lean_can_be_stopped(breaking):
    breaking.broken = True
    try:
        with LeanPool(1, breaking, spare=False) as pool, collector(pool, 600.0) as collecting:
            threading.Timer(0.5, collecting.stop).start()
            began = time.monotonic()
            with pytest.raises(CollectStopped):
                collecting.collect([SWAP], 0)
            assert time.monotonic() - began < 20
            assert collecting.sampler.stopped == 1
            with pytest.raises(CollectStopped):
                collecting.collect([SWAP], 0)
    finally:
        breaking.broken = False


@dataclass(frozen=True)
class PythonRoad:
    """A real process that speaks the server's protocol and dies of what a real Lean can hardly be brought to die of."""

    body: str
    name: RoadName = "wasm"
    package: str = ""
    sandbox: str = ""
    interrupts: bool = False

    def command(self, requests: int, answers: int) -> list[str]:
        script = f"""
            import json, os, sys, time
            requests, answers = open({requests}), os.fdopen({answers}, "w")
            for line in requests:
                request = json.loads(line)
                ok = {{"stage": "proved", "message": "", "axioms": [], "messages": [], "version": "1, x", "commit": ""}}
                {self.body}
                line = {{"id": request["id"], "nonce": request["nonce"], "nanoseconds": 1, "ok": ok}}
                print(json.dumps(line), file=answers, flush=True)
        """
        return [sys.executable, "-c", textwrap.dedent(script)]

    def folder(self) -> Path | None:
        return None


def test_what_lean_itself_dies_of_is_unscored_and_not_waited_for():
    road = PythonRoad("if 'exact h' in request.get('text', ''): sys.exit(1)")
    with LeanPool(1, road, spare=False) as pool, collector(pool, 600.0, OwnProof()) as collecting:
        began = time.monotonic()
        (group,) = collecting.collect([SWAP], 0)
        # Only one of the two holds what it dies of.
        assert group.rewards == (1, None)
        assert len(collecting.sampler.calls) == 1
        collecting.sampler.answers = dict.fromkeys(collecting.sampler.answers, "exact h")
        (group,) = collecting.collect([SWAP], 0)
        assert group.rewards == (None, None)
        ((reason, count),) = unscored([group]).items()
        assert count == 2
        assert reason.startswith("the judge: lost twice: the process ended with 1")
        # Once more, to be sure: in between Lean answered.
        assert len(collecting.sampler.calls) == 3
        assert time.monotonic() - began < 60


def test_workers_that_do_not_even_come_up_are_no_reason_to_hang():
    """Killed while they start: the pool starts others for ever, and who waits for one has no clock of its own."""
    road = PythonRoad("os.kill(os.getpid(), 9)")
    pool = LeanPool(1, road, spare=False)
    with collector(pool, 1.0) as collecting:
        began = time.monotonic()
        with pytest.raises(JudgeLost, match=r"^Lean is lost: for \d+ s none of its processes has come up\.$"):
            collecting.collect([SWAP], 0)
        assert 1.0 <= time.monotonic() - began < 20
    assert pool.processes == []

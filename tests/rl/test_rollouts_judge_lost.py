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
from rl.rollouts import collector as collector_module
from rl.rollouts import lean as lean_module
from rl.rollouts.collector import Collector
from rl.rollouts.lean import CollectStopped, Lean
from rl.rollouts.lost import JudgeLost
from rl.rollouts.options import RolloutOptions
from rl.rollouts.rollout import unscored
from tests.rl.scripted_sampler import Scripted

SWAP = Row("swap", "theorem swap (p q : Prop) (h : p ∧ q) : q ∧ p")
TERM = "exact ⟨h.2, h.1⟩"
SCRIPT = {("swap", 0): [TERM], ("swap", 1): ["exact h"]}


def collector(pool: LeanPool, patience: float, family: Any = None, sampler: Any = None) -> Any:
    options = RolloutOptions(group_size=2, patience=patience, tactic_seconds=30)
    return Collector(pool, sampler or Scripted(SCRIPT), family or OwnTactic(), Settings(), options)


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
    start: str = ""
    name: RoadName = "wasm"
    package: str = ""
    sandbox: str = ""
    interrupts: bool = False

    def command(self, requests: int, answers: int) -> list[str]:
        body = textwrap.indent(self.body, "    ")
        return [sys.executable, "-c", SERVER.format(start=self.start, requests=requests, answers=answers, body=body)]

    def folder(self) -> Path | None:
        return None


SERVER = """
import json, os, sys, time
{start}
requests, answers = open({requests}), os.fdopen({answers}, "w")
for line in requests:
    request = json.loads(line)
    text, heartbeats = request.get("text", ""), request.get("heartbeats", 10**9)
    ok = dict(stage="proved", message="", axioms=[], messages=[], version="1, x", commit="")
{body}
    print(json.dumps(dict(id=request["id"], nonce=request["nonce"], nanoseconds=1, ok=ok)), file=answers, flush=True)
"""


def going_away(folder: Path, body: str) -> PythonRoad:
    """It is away once the file `away` is there, until four processes have failed to start: too many for a pool."""
    start = f"""
folder = {str(folder)!r}
away = os.path.join(folder, "away")
gone = lambda: os.path.exists(away) and os.path.getsize(away) < 4
if gone():
    open(away, "a").write("x")
    sys.exit(3)
"""
    return PythonRoad(body, start)


class SendsAway(Scripted):
    """Has Lean go away before it answers, the first times that it is asked."""

    def __init__(self, folder: Path, times: int, pause: float = 0.0) -> None:
        super().__init__(SCRIPT)
        self.folder, self.times, self.pause = folder, times, pause

    def sample(self, requests: Any) -> Any:
        if len(self.calls) < self.times:
            time.sleep(self.pause if self.calls else 0.0)
            (self.folder / "away").write_text("")
        return super().sample(requests)


def test_what_was_answered_before_lean_was_lost_is_not_all_that_counts(tmp_path):
    """A failure is judged, and Lean is lost on the proof: the group is made again, and is not one of failures."""
    body = """
if "h.2" in text:
    while not os.path.exists(folder + "/answered"): time.sleep(0.01)
    if not os.path.exists(away): open(away, "w").close()
    if gone(): sys.exit(1)
elif text.endswith("exact h"):
    ok["stage"] = "elaboration"
    open(folder + "/answered", "w").close()
"""
    road = going_away(tmp_path, body)
    with LeanPool(2, road, spare=False) as pool, collector(pool, 100.0, OwnProof()) as collecting:
        (group,) = collecting.collect([SWAP], 0)
        assert group.rewards == (1, 0)
        assert len(collecting.sampler.calls) == 2
        assert collecting.pool is not pool  # it was away


def test_patience_begins_anew_when_lean_has_come_back(tmp_path, monkeypatch):
    monkeypatch.setattr(lean_module, "FIRST_WAIT", 0.1)
    road, sampler = going_away(tmp_path, "if gone(): sys.exit(1)"), SendsAway(tmp_path, 2, pause=4.2)
    with LeanPool(1, road, spare=False) as pool, collector(pool, 4.0, OwnProof(), sampler) as collecting:
        (group,) = collecting.collect([SWAP], 0)
        assert group.rewards == (1, 1)
        assert len(sampler.calls) == 3


def test_a_lean_that_goes_away_time_and_again_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(lean_module, "FIRST_WAIT", 0.1)
    monkeypatch.setattr(collector_module, "MOST_TRIES", 3)
    road, sampler = going_away(tmp_path, "if gone(): sys.exit(1)"), SendsAway(tmp_path, 3)
    with LeanPool(1, road, spare=False) as pool, collector(pool, 100.0, OwnProof(), sampler) as collecting:
        with pytest.raises(JudgeLost, match=r"^Lean is lost: it went away 3 times .*\.$"):
            collecting.collect([SWAP], 0)
        assert len(sampler.calls) == 3


def test_a_healthy_start_may_take_longer_than_the_patience():
    with LeanPool(1, PythonRoad("", "time.sleep(1)"), spare=False) as pool, collector(pool, 0.1, OwnProof()) as made:
        (group,) = made.collect([SWAP], 0)
        assert group.rewards == (1, 1)


def test_a_proof_may_use_what_its_tactics_may_use_together():
    """One of 3 turns, with 1000 for each, and 1000 for the statement: 4000. What has not run is not so sure."""
    road = PythonRoad("ok['stage'] = 'proved' if heartbeats >= (4000 if 'long' in text else 1000) else 'elaboration'")
    with LeanPool(1, road, spare=False) as pool:
        for turns, ran, found in ((3, True, 1), (2, True, 0), (3, False, 0)):
            lean = Lean(pool, RolloutOptions(heartbeats=1000, turns=turns))
            assert lean.judge(SWAP.theorem, "by long", ran).reward == found
            assert lean.judge(SWAP.theorem, "by short", ran).reward == 1
            lean.close()
        starved = Lean(pool, RolloutOptions(heartbeats=999, turns=1))
        assert starved.judge(SWAP.theorem, "by short").reward == 0
        starved.close()


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
        # That the model has lost the other one does not make all of it the model's loss.
        first = next(iter(collecting.sampler.answers))
        collecting.sampler.answers[first] = None
        (group,) = collecting.collect([SWAP], 0)
        assert unscored([group]) == {reason: 1, "the server is away": 1}
        assert time.monotonic() - began < 60


def test_workers_that_do_not_even_come_up_are_no_reason_to_hang(monkeypatch):
    """Killed while they start: the pool starts others for ever, and who waits for one has no clock of its own."""
    monkeypatch.setattr(lean_module, "START_SECONDS", 0.5)
    road = PythonRoad("os.kill(os.getpid(), 9)")
    pool = LeanPool(1, road, spare=False)
    with collector(pool, 1.0) as collecting:
        began = time.monotonic()
        with pytest.raises(JudgeLost, match=r"^Lean is lost: for \d+ s none of its processes has come up\.$"):
            collecting.collect([SWAP], 0)
        assert 1.0 <= time.monotonic() - began < 20
    assert pool.processes == []

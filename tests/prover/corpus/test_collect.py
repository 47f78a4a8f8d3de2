"""Workers that are lost over a theorem: the others of its request are kept, and it is asked for once more."""

import json
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from lean_env import LeanPool
from lean_env.library import LibraryTheorem, Module
from lean_env.road import RoadName
from prover.corpus.collect import AT_ONCE, collect
from prover.corpus.entry import Entry

MODULE = Module("Init.M", ("Init.Core",))
NAMES = [f"t{i}" for i in range(2 * AT_ONCE + 7)]


@dataclass(frozen=True)
class PythonRoad:
    """A real process that answers as the server does, and dies of some theorems, which no theorem of Lean's does."""

    asked: Path  # gets the names of each request, one request a line
    fatal: tuple[str, ...] = ()
    fatal_once: tuple[str, ...] = ()
    name: RoadName = "wasm"
    package: str = ""
    sandbox: str = ""
    interrupts: bool = False

    def command(self, requests: int, answers: int) -> list[str]:
        script = f"""
            import json, os, pathlib
            asked = pathlib.Path({str(self.asked)!r})
            answers = os.fdopen({answers}, "w")
            for line in os.fdopen({requests}):
                request = json.loads(line)
                ok = {{"version": "4", "commit": "c"}}
                if request["method"] == "restate":
                    names = request["names"]
                    before = asked.read_text().split() if asked.exists() else []
                    with asked.open("a") as file:
                        print(json.dumps(names, separators=(",", ":")), file=file)
                    once = [n for n in {self.fatal_once!r} if not any(n in json.loads(b) for b in before)]
                    if any(n in names for n in [*{self.fatal!r}, *once]):
                        os._exit(1)
                    said = {{n: {{"statement": "theorem " + n, "key": n}} for n in names if not n.endswith("5")}}
                    ok = {{"restated": [{{"name": n, **said.get(n, {{"missing": "X"}})}} for n in names]}}
                answer = {{"id": request["id"], "nonce": request["nonce"], "nanoseconds": 1, "ok": ok}}
                print(json.dumps(answer), file=answers, flush=True)
        """
        return [sys.executable, "-c", textwrap.dedent(script)]

    def folder(self) -> Path | None:
        return None


def collected(road: PythonRoad) -> tuple[list[Entry], dict[str, int], list[list[str]]]:
    theorems = [*map(LibraryTheorem, NAMES), LibraryTheorem("x", "private"), LibraryTheorem("y", "private")]
    with LeanPool(workers=1, lean=road, spare=False) as pool:
        found = collect(pool, MODULE, theorems, lambda looked, kept: None)
    return list(found.entries), dict(found.left_out), [json.loads(line) for line in road.asked.read_text().split()]


def expected(*lost: str) -> list[Entry]:
    return [Entry(name, f"theorem {name}", name) for name in NAMES if name not in lost and not name.endswith("5")]


def test_theorems_are_asked_for_in_order_and_each_once(tmp_path: Path) -> None:
    entries, left_out, asked = collected(PythonRoad(tmp_path / "asked"))
    assert entries == expected()
    # Of t0 to t106 those that end in 5: t5 to t105.
    assert left_out == {"own": 11, "private": 2}
    assert [len(names) for names in asked] == [50, 50, 7]
    assert [name for names in asked for name in names] == NAMES


def test_a_theorem_that_always_loses_its_worker_is_tried_twice_alone_and_given_up(tmp_path: Path) -> None:
    entries, left_out, asked = collected(PythonRoad(tmp_path / "asked", fatal=("t60",)))
    assert entries == expected("t60")
    assert left_out == {"lost": 1, "own": 11, "private": 2}
    # t50 to t99, t50 to t74, t50 to t61, t56 to t61, t59 to t61, t60 to t61, and alone.
    assert [len(names) for names in asked if "t60" in names] == [50, 25, 12, 6, 3, 2, 1, 1]


def test_a_worker_that_is_lost_once_costs_no_theorem(tmp_path: Path) -> None:
    entries, left_out, asked = collected(PythonRoad(tmp_path / "asked", fatal_once=("t3", "t106")))
    assert entries == expected()
    assert left_out == {"own": 11, "private": 2}
    assert [len(names) for names in asked] == [50, 25, 25, 50, 7, 3, 4]

"""The toolchain's own checker, which cannot be had where the tests run.

A script stands in for it: it accepts or refuses as the candidate's text tells it to, and says with what it was called.
The script that stands in for `lean` copies the file instead of compiling it, and puts before it how it was called. That
real Lean compiles such files is tested with the native road (test_native.py).
"""

import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from lean_env import Candidate, LeanPool, Theorem, Verifier, WorkerLost, WorkerTimeout
from lean_env.native import checker
from lean_env.native.checker import file_text, imports_end
from lean_env.native.road import NativeRoad
from lean_env.native.toolchain import NativeLean
from lean_env.road import CheckingRoad, stack_kib
from lean_env.wasm.install import Installation
from lean_env.wasm.road import WasmRoad
from tests.lean_env.test_toolchain import script
from tests.lean_env.test_worker import PythonRoad

LEAN = r"""
for argument; do
  if [ "$before" = -o ]; then made="$argument"; fi
  before="$argument"
done
case "$(cat "$before")" in
  *"does not compile"*) echo "$before:3:4: error(some.kind): unsolved goals"; exit 1 ;;
  *"makes no module"*) exit 0 ;;
  *"makes a link"*) ln -s "$before" "$made"; exit 0 ;;
esac
{ echo "lean $*"; echo "LEAN_PATH=$LEAN_PATH LEAN_SYSROOT=$LEAN_SYSROOT in $PWD"; cat "$before"; } > "$made"
touch "${made%/*}/Init.olean"
"""
LEANCHECKER = r"""
folder="${LEAN_PATH##*:}"
found() { echo "leanchecker found a problem in $1"; echo "uncaught exception: (kernel) $2"; }
case "$(cat "$folder/$1.olean")" in
  *"is refused"*) found "$1" "mismatch"; echo "leanchecker $*"; echo "LEAN_PATH=$LEAN_PATH in $PWD"; ls "$folder"
    cat "$folder/$1.olean"; exit 1 ;;
  *"is too deep"*) found "$1" "deep recursion detected"; exit 1 ;;
  *"is not found"*) echo "uncaught exception: Could not find any oleans for: $1"; exit 1 ;;
  *"crashes"*) kill -ABRT $$ ;;
  *"hangs"*) sleep 60 ;;
esac >&2
"""
THEOREM = Theorem("target", "theorem target : True", "import Init\nopen Nat")


@pytest.fixture
def road(tmp_path: Path) -> NativeRoad:
    folder, project = tmp_path / "toolchain" / "bin", tmp_path / "project"
    project.mkdir()
    script(folder / "leanchecker", LEANCHECKER)
    lean = script(folder / "lean", LEAN)
    return NativeRoad(NativeLean(lean, folder / "lake", "4.28.0", ""), project, "/some/lib:/other/lib")


def ask(road: NativeRoad, text: str, wall_seconds: float = 30) -> str:
    return road.refusal(THEOREM, Candidate(text), 1234, wall_seconds)


def test_what_is_not_refused_passes(road: NativeRoad) -> None:
    assert ask(road, "trivial") == ""


def test_the_two_programs_are_called_as_they_want_to_be(road: NativeRoad) -> None:
    first, said, path, module, *rest = ask(road, "trivial -- is refused").split("\n")
    assert first == "leanchecker refuses: (kernel) mismatch"
    name = said.removeprefix("leanchecker ")
    assert re.fullmatch(r"ProverCandidate[0-9a-f]{16}", name)
    # Of what the compiler left in its folder only the module went on to the checker.
    assert module == f"{name}.olean"
    found = re.fullmatch(rf"LEAN_PATH=/some/lib:/other/lib:(/.*)/sealed in {road.project}", path)
    assert found
    work, root = f"{found[1]}/work", road.lean.lean.parent.parent
    assert rest == [
        f"lean -Dlinter.all=false -DElab.async=false -DmaxHeartbeats=1234 -j1 -s {stack_kib()} -R {work}"
        f" -o {work}/{name}.olean {work}/{name}.lean",
        f"LEAN_PATH=/some/lib:/other/lib LEAN_SYSROOT={root} in {road.project}",
        *(
            "import Init",
            "noncomputable section",
            "",
            "open Nat",
            "theorem target : True",
            "  := trivial -- is refused",
        ),
    ]
    assert not Path(found[1]).exists()


def test_a_toolchain_without_the_program_does_without(road: NativeRoad) -> None:
    (road.lean.lean.parent / "leanchecker").unlink()
    assert ask(road, "does not compile") == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("does not compile", "does not compile as a file: unsolved goals"),
        ("makes no module", "left no module"),
        ("makes a link", "left no module"),
        ("is too deep", "did not come to an end: .*deep recursion"),
        ("is not found", "did not come to an end: .*Could not find"),
        ("crashes", "did not come to an end: (exit code|.*[Aa]bort)"),
    ],
)
def test_what_is_no_refusal_is_trouble(road: NativeRoad, text: str, words: str) -> None:
    with pytest.raises(WorkerLost, match=words):
        ask(road, text)


def test_a_checker_that_hangs_is_ended(road: NativeRoad) -> None:
    began = time.monotonic()
    with pytest.raises(WorkerTimeout):
        ask(road, "hangs", wall_seconds=0.5)
    assert time.monotonic() - began < 5


def test_without_room_for_its_file_it_cannot_be_tried(road: NativeRoad, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(road.project / "none"))
    with pytest.raises(WorkerLost, match=r"leanchecker cannot be tried: .*No such file"):
        ask(road, "trivial")


def test_what_outgrows_its_memory_is_ended(road: NativeRoad, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "MEMORY_MIB", 0)
    with pytest.raises(WorkerLost, match="outgrew 0 MiB"):
        ask(road, "hangs")


@dataclass(frozen=True)
class DoubtingRoad(PythonRoad):
    """A server that accepts everything, with a checker that does what the candidate says."""

    body: str = """
        stage = "written" if request["method"] == "write" else "proved"
        ok = {"stage": stage, "message": "", "axioms": [], "messages": [], "version": "1, x", "commit": "c"}
        reply(request, ok=ok)
    """

    def refusal(self, theorem: Theorem, candidate: Candidate, heartbeats: int, wall_seconds: float) -> str:
        if candidate.text == "lost":
            raise WorkerLost("no checker")
        if candidate.text == "timeout":
            raise WorkerTimeout("late")
        return candidate.text


def test_the_checkers_word_is_the_last() -> None:
    said = {
        "": (1, "proved", ""),
        "leanchecker refuses: it": (0, "kernel", "leanchecker refuses: it"),
        "lost": (None, "lost", "no checker"),
        "timeout": (None, "timeout", "no verdict within 60 s"),
    }
    with LeanPool(1, DoubtingRoad(), spare=False) as pool:
        for recheck in (True, False):
            verifier = Verifier(pool, recheck=recheck)
            verdicts = [verifier.verify(THEOREM, Candidate(text)) for text in said]
            verifier.close()
            expected = list(said.values()) if recheck else [(1, "proved", "")] * 4
            assert [(v.reward, v.stage, v.message) for v in verdicts] == expected


def test_only_the_native_road_has_one(road: NativeRoad, tmp_path: Path) -> None:
    assert isinstance(road, CheckingRoad)
    assert not isinstance(WasmRoad(Installation(tmp_path, "", "", 0), tmp_path), CheckingRoad)


def test_code_loses_its_imports_where_the_file_has_those_of_the_header() -> None:
    code = Candidate(
        "/- of import A /- which -/ nests -/\nimport Init -- this\n\ntheorem target : True := trivial", "code"
    )
    assert file_text(THEOREM, code) == (
        "import Init\nnoncomputable section\n\nopen Nat\n -- this\n\ntheorem target : True := trivial\n"
    )


@pytest.mark.parametrize(
    ("imports", "rest"),
    [
        ("import A\nimport B.«c d».E'", "\nopen X"),
        ("public meta import all A import B", " theorem t"),
        ("/--/ import A", "\n/-- a comment of -/ theorem"),
        ("", "-- import A\nopen X"),
        ("", "important x"),
        ("", "/- import A"),
        ("", "/-! import A -/ import A"),
    ],
)
def test_where_imports_end(imports: str, rest: str) -> None:
    assert imports_end(imports + rest) == len(imports)

"""The native road, with a stand-in for the native Lean that is real Lean all the same (see stand_in.py)."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

import prover.commands.verify
from lean_env import Candidate, LeanPool, LeanWorker, ProofFinished, ProofSession, Theorem, Verifier, WorkerLost
from lean_env.native import sandbox
from lean_env.native.road import NativeRoad
from lean_env.native.sandbox import bubblewrap, confine, limited
from lean_env.wasm.install import cache_root
from prover.cli import app
from tests.lean_env.stand_in import write_stand_in
from tests.lean_env.test_worker import PythonRoad

HEADER = "-- of old\nimport Init\nnamespace N\ndef f (n : Nat) := n"
CANDIDATES = [
    Candidate("by\n  unfold f\n  omega"),
    # In a file, imports could not stand here, and the definition would have to be made code of.
    Candidate(
        "import Init\ndef some (n : Nat) : Nat := Classical.choice ⟨n⟩\n"
        "theorem target (a b : Nat) : f a + b = b + a := by unfold f; omega\nend N",
        "code",
    ),
]


@pytest.fixture(scope="module")
def native_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeanPool]:
    """Under bubblewrap where that works, which must then let the stand-in read what it is made of."""
    folder = tmp_path_factory.mktemp("native")
    write_stand_in(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROVER_LEAN_BIN", str(folder))
        project = Path(__file__).parents[2]
        patch.setenv("PYTHONPATH", str(project))
        parts = {folder, project, cache_root(), Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve()}
        patch.setenv("PROVER_SANDBOX_READ", ":".join(map(str, sorted(parts))))
        with LeanPool(1, "native", spare=False) as pool:
            yield pool


def test_the_judge_on_the_native_road(native_pool: LeanPool) -> None:
    theorem = Theorem("target", "theorem target (a b : Nat) : a + b = b + a")
    good, bad = Verifier(native_pool).verify_batch([(theorem, Candidate("by omega")), (theorem, Candidate("by rfl"))])
    assert (good.reward, bad.reward) == (1, 0)
    assert good.lean is not None
    assert (good.lean.road, good.lean.version) == ("native", "4.28.0")
    assert good.lean.sandbox == ("bubblewrap" if bubblewrap() else "none")


def test_rechecking_compiles_what_was_accepted_as_a_file(native_pool: LeanPool) -> None:
    theorem = Theorem("N.target", "theorem target (a b : Nat) : f a + b = b + a", HEADER)
    assert isinstance(native_pool.road, NativeRoad)
    for candidate in CANDIDATES:
        # Real Lean: with an error in the file there would be no module, and this would raise.
        assert native_pool.road.refusal(theorem, candidate, 200_000, wall_seconds=120) == ""
    with pytest.raises(WorkerLost, match=r"as a file: .*unsolved goals"):
        native_pool.road.refusal(theorem, Candidate("by\n  skip"), 200_000, wall_seconds=120)


def test_the_verdict_says_which_lean_and_the_command_that_nothing_shuts_it_in(native_pool, monkeypatch, tmp_path):
    @contextmanager
    def shared(lean, workers, tasks):
        yield native_pool

    monkeypatch.setattr(prover.commands.verify, "open_pool", shared)
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"id": 1, "name": "t", "statement": "theorem t : 1 = 1", "text": "rfl"}))
    result = CliRunner().invoke(app, ["verify", str(rows), "--lean", "native"])
    (row,) = map(json.loads, result.stdout.splitlines())
    assert (row["reward"], row["lean"]["road"], row["lean"]["version"]) == (1, "native", "4.28.0")
    assert row["lean"]["sandbox"] == native_pool.road.sandbox
    warned = "prover: the native Lean runs without a sandbox: " in result.stderr
    assert warned == (native_pool.road.sandbox == "none")


def test_a_session_on_the_native_road(native_pool: LeanPool) -> None:
    with ProofSession(native_pool, Theorem("t", "theorem t (p : Prop) (h : p) : p ∧ p")) as session:
        assert isinstance(session.run_tactic(session.start, "exact ⟨h, h⟩"), ProofFinished)


@pytest.mark.skipif(not bubblewrap(), reason="no bubblewrap that works on this machine")
def test_the_sandbox_shuts_out_the_host(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")

    def inside(script: str, *readable: Path) -> int:
        command = confine(["sh", "-c", script], readable, Path("/tmp"))
        return subprocess.run(command, capture_output=True, check=False).returncode

    assert inside("true") == 0
    assert inside(f"cat {tmp_path}/secret") != 0
    assert inside(f"cat {tmp_path}/secret", tmp_path) == 0
    assert inside(f"touch {tmp_path}/new", tmp_path) != 0
    assert inside("touch /tmp/scratch") == 0
    assert inside("grep -q . /etc/passwd") != 0
    assert inside('test "$(ls /sys/class/net 2>/dev/null | grep -vx lo | wc -l)" = 0') == 0
    assert not Path("/tmp/scratch").exists()


def test_limits_hold_with_and_without_a_sandbox() -> None:
    command = limited(["sh", "-c", "ulimit -v; ulimit -t; ulimit -f"])
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    # 32 GiB in KiB, 12 hours in seconds, 256 MiB in blocks of 512 bytes.
    assert done.stdout.split() == ["33554432", "43200", "524288"]
    if bubblewrap():
        confined = confine(["sh", "-c", "ulimit -v; ulimit -t; ulimit -f"], [], Path("/tmp"))
        assert subprocess.run(confined, capture_output=True, text=True, check=True).stdout == done.stdout


def test_a_process_that_prints_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    class Chatty(PythonRoad):
        def command(self, requests: int, answers: int) -> list[str]:
            return limited(["yes"])

    monkeypatch.setattr(sandbox, "FILE_BLOCKS", 2048)
    with pytest.raises(WorkerLost, match=f"ended by signal {signal.SIGXFSZ}"):
        LeanWorker(Chatty("")).request(30, method="hello")

"""The native road, with a stand-in for the native Lean that is real Lean all the same (see stand_in.py)."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lean_env import Candidate, LeanPool, ProofFinished, ProofSession, Theorem, Verifier
from lean_env.native.sandbox import bubblewrap, confine
from lean_env.wasm.install import cache_root
from tests.lean_env.stand_in import write_stand_in


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

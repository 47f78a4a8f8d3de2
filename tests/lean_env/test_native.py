"""The native road, with a stand-in for the native Lean that is real Lean all the same (see stand_in.py)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lean_env import Candidate, LeanPool, ProofFinished, ProofSession, Theorem, Verifier
from tests.lean_env.stand_in import write_stand_in


@pytest.fixture(scope="module")
def native_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeanPool]:
    folder = tmp_path_factory.mktemp("native")
    write_stand_in(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROVER_LEAN_BIN", str(folder))
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        with LeanPool(1, "native", spare=False) as pool:
            yield pool


def test_the_judge_on_the_native_road(native_pool: LeanPool) -> None:
    theorem = Theorem("target", "theorem target (a b : Nat) : a + b = b + a")
    good, bad = Verifier(native_pool).verify_batch([(theorem, Candidate("by omega")), (theorem, Candidate("by rfl"))])
    assert (good.reward, bad.reward) == (1, 0)
    assert good.lean is not None
    assert (good.lean.road, good.lean.version) == ("native", "4.28.0")


def test_a_session_on_the_native_road(native_pool: LeanPool) -> None:
    with ProofSession(native_pool, Theorem("t", "theorem t (p : Prop) (h : p) : p ∧ p")) as session:
        assert isinstance(session.run_tactic(session.start, "exact ⟨h, h⟩"), ProofFinished)

"""Proof sessions on real Lean: states, errors, old states, and workers that die in between."""

import os
import signal
from collections import Counter

import pytest

from lean_env import (
    Candidate,
    Goal,
    Hypothesis,
    LeanPool,
    ProofFinished,
    ProofSession,
    StatementError,
    TacticError,
    TacticState,
    Theorem,
    UnknownImportError,
    Verifier,
)
from lean_env import session as session_module
from lean_env.answers import parse_goal

SWAP_PROOF = "by intro h; rcases h with h | h; exact .inr ⟨h, rfl⟩; exact .inl h"
SWAP = Theorem("swap", "theorem swap (p q : Prop) (n : Nat) : p ∨ q → q ∨ p ∧ n + 0 = n")


def state(result: object) -> TacticState:
    assert isinstance(result, TacticState), result
    return result


def test_a_proof_in_steps(pool: LeanPool) -> None:
    with ProofSession(pool, SWAP) as session:
        (goal,) = session.start.goals
        assert goal.hypotheses == (Hypothesis(("p", "q"), "Prop"), Hypothesis(("n",), "Nat"))
        assert goal.target == "p ∨ q → q ∨ p ∧ n + 0 = n"
        after = state(session.run_tactic(session.start, "intro h\ncases h"))
        assert [g.case for g in after.goals] == ["inl", "inr"]
        right = state(session.run_tactic(after, "case inr h => exact Or.inl h"))
        assert [g.case for g in right.goals] == ["inl"]
        finished = session.run_tactic(right, "rename_i h\nright\nexact ⟨h, rfl⟩")
        assert isinstance(finished, ProofFinished)
        assert finished.path == (
            "intro h\ncases h",
            "case inr h => exact Or.inl h",
            "rename_i h\nright\nexact ⟨h, rfl⟩",
        )


def test_any_old_state_can_be_continued_from(pool: LeanPool) -> None:
    with ProofSession(pool, SWAP) as session:
        first = state(session.run_tactic(session.start, "intro h"))
        left = state(session.run_tactic(first, "left"))
        right = state(session.run_tactic(first, "right"))
        assert left.goals[0].target == "q"
        assert right.goals[0].target == "p ∧ n + 0 = n"
        assert state(session.run_tactic(first, "left")) == left


@pytest.mark.parametrize(
    ("tactic", "kind", "words"),
    [
        ("this is no tactic", "parse", "tactic"),
        ("exact rfl", "error", "mismatch"),
        ("sorry", "error", "sorry"),
        ("have h : 1 = 2 := by sorry", "error", "sorry"),
        ("have h : 1 = 2 := by decide", "error", "false"),
        ("", "parse", ""),
        ("simp only []", "error", "no progress"),
    ],
)
def test_what_does_not_apply_says_why(pool: LeanPool, tactic: str, kind: str, words: str) -> None:
    with ProofSession(pool, SWAP) as session:
        result = session.run_tactic(session.start, tactic)
        assert isinstance(result, TacticError)
        assert result.kind == kind
        assert words in result.message


def test_heartbeats_are_the_normal_limit(pool: LeanPool) -> None:
    with ProofSession(pool, Theorem("t", "theorem t : ∀ a b c d : Nat, a * b * c * d = d * c * b * a")) as session:
        result = session.run_tactic(session.start, "repeat' (first | apply Nat.le_of_lt_succ | skip)", wall_seconds=60)
        assert isinstance(result, (TacticError, TacticState))
        tight = session.run_tactic(session.start, "intros\ngrind", heartbeats=1, wall_seconds=60)
        assert isinstance(tight, TacticError)
        assert tight.kind == "limit"


def test_binders_autobound_and_section_variables_come_as_hypotheses(pool: LeanPool) -> None:
    header = "universe u\nvariable (m : Nat)"
    theorem = Theorem("t", "theorem t {α : Type u} (xs : List α) (h : m = 0) : ∀ k : Nat, k + m = k ∧ xs = xs", header)
    with ProofSession(pool, theorem) as session:
        names = [name for hypothesis in session.start.goals[0].hypotheses for name in hypothesis.names]
        assert names == ["m", "α", "xs", "h"]
        assert session.start.goals[0].target == "∀ (k : Nat), k + m = k ∧ xs = xs"


def test_a_statement_that_is_none(pool: LeanPool) -> None:
    with pytest.raises(StatementError) as caught:
        ProofSession(pool, Theorem("t", "theorem t (n : Nat) :\n  n + = n"))
    assert (caught.value.line, caught.value.column) == (2, 5)
    with pytest.raises(UnknownImportError, match="Mathlib"):
        ProofSession(pool, Theorem("t", "theorem t : True", "import Mathlib"))


def test_states_outlive_their_worker(pool: LeanPool) -> None:
    with ProofSession(pool, SWAP) as session:
        deep = state(session.run_tactic(state(session.run_tactic(session.start, "intro h")), "right"))
        assert session._worker is not None
        os.kill(session._worker.process.pid, signal.SIGKILL)
        deeper = state(session.run_tactic(deep, "constructor"))
        assert [goal.target for goal in deeper.goals] == ["p", "n + 0 = n"]
        session.drop(deep)
        assert state(session.run_tactic(deep, "constructor")) == deeper


def test_rebuilding_a_state_has_its_own_bound(pool: LeanPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "REBUILD_SECONDS", 0.0)
    monkeypatch.setattr(session_module, "GRACE_SECONDS", 0.0)  # the process is ended at once
    with ProofSession(pool, SWAP) as session:
        deep = state(session.run_tactic(state(session.run_tactic(session.start, "intro h")), "right"))
        late = session.run_tactic(deep, "constructor", wall_seconds=1e-6)
        assert late == TacticError("no answer within 1e-06 s", "timeout")
        # Its worker is gone now, and a millionth of a second rebuilds nothing: of the tactic nothing is known.
        lost = session.run_tactic(deep, "constructor", wall_seconds=1e-6)
        assert lost == TacticError("the state could not be rebuilt in time", "lost")
        assert len(state(session.run_tactic(deep, "constructor")).goals) == 2


@pytest.mark.parametrize(
    "tactic",
    [
        "have : (List.range 20000).foldl (· + ·) 0 = 1 := by decide +kernel",  # the kernel
        "have : ∀ a b c d : Fin 40, a + b + c + d = d + c + b + a := by decide +kernel",
    ],
)
def test_lean_gives_up_when_it_is_asked_and_its_process_lives_on(pool: LeanPool, tactic: str) -> None:
    """Where Lean does not hear it the process is ended, and this test fails."""
    with ProofSession(pool, SWAP) as session:
        worker = session._worker
        result = session.run_tactic(session.start, tactic, heartbeats=10**9, wall_seconds=0.3)
        assert isinstance(result, TacticError)
        assert (result.message, result.kind) == ("no answer within 0.3 s", "timeout")
        assert result.seconds >= 0.3
        assert worker is not None
        assert worker.running()
        # Its limits are the old ones again, and it goes on in the same process.
        after = state(session.run_tactic(session.start, "intro h"))
        assert session._worker is worker
        counted = session.run_tactic(after, "repeat (first | skip)", heartbeats=1)
        assert isinstance(counted, TacticError)
        assert counted.kind == "limit"


def test_an_interrupt_never_reaches_the_next_request(pool: LeanPool, verifier: Verifier) -> None:
    """The limit follows the tactic's end, so that the interrupt comes before, at and after it."""
    work = "have : ∀ a b c : Fin 9, a + b + c = c + b + a := by decide"
    with ProofSession(pool, SWAP) as session:
        limit = _seconds(session, work)
        kinds = Counter[str]()
        for _ in range(60):
            result = session.run_tactic(session.start, work, wall_seconds=limit)
            kinds[result.kind if isinstance(result, TacticError) else "done"] += 1
            limit *= 1.07 if isinstance(result, TacticError) else 0.93
            assert verifier.verify(SWAP, Candidate(SWAP_PROOF)).proved
            assert isinstance(session.run_tactic(session.start, "intro h"), TacticState)
        assert set(kinds) <= {"done", "timeout"}
        assert kinds["done"] > 5
        assert kinds["timeout"] > 5


def _seconds(session: ProofSession, tactic: str) -> float:
    return state(session.run_tactic(session.start, tactic)).seconds


def test_a_worker_that_may_have_run_code_gives_no_verdict(pool: LeanPool, verifier: Verifier) -> None:
    with ProofSession(pool, SWAP) as session:
        after = state(session.run_tactic(session.start, "intro h\ncases h"))
        with pool.lease(session._worker) as plain:
            assert plain.trusted
        later = state(session.run_tactic(after, "have : True := by simp (config := {})"))
        coded = session._worker
        assert coded is plain
        assert not coded.trusted
        # As many verdicts as there are workers: none of them is its, and it ends once there is no other.
        asked = set()
        with pool.lease(trusted=True) as first, pool.lease(trusted=True) as second:
            asked = {first, second}
        assert coded not in asked
        assert verifier.verify(SWAP, Candidate(SWAP_PROOF)).proved
        # The states are there still, on whatever worker, which is trusted as little.
        assert isinstance(session.run_tactic(later, "exact .inr ⟨by assumption, rfl⟩"), TacticState | TacticError)
        assert session._worker is not None
        assert not session._worker.trusted


def test_a_tactic_that_hangs_is_given_up(pool: LeanPool) -> None:
    with ProofSession(pool, Theorem("t", "theorem t : 1 = 2")) as session:
        hang = "run_tac do\n  let mut i := 0\n  while true do i := i + 1"
        with ProofSession(pool, Theorem("t", "theorem t : 1 = 2", "import Lean\nopen Lean Elab Tactic")) as other:
            result = other.run_tactic(other.start, hang, wall_seconds=1)
            assert isinstance(result, TacticError)
            assert result.kind in ("timeout", "error")
        assert isinstance(session.run_tactic(session.start, "decide"), TacticError)


def test_goal_text_in_parts() -> None:
    text = "case h.a\nα : Type u_1\nxs ys : List\n    α\nk : Nat := 3\nf : Nat → Nat := fun x => x\n⊢ xs =\n  ys"
    assert parse_goal(text, frozenset({"k", "f"})) == Goal(
        "xs =\n  ys",
        (
            Hypothesis(("α",), "Type u_1"),
            Hypothesis(("xs", "ys"), "List\n    α"),
            Hypothesis(("k",), "Nat", "3"),
            Hypothesis(("f",), "Nat → Nat", "fun x => x"),
        ),
        "h.a",
        text,
    )

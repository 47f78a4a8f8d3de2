"""The judge on real Lean: stages, positions, batches in order."""

import asyncio

import pytest

from lean_env import Candidate, LeanPool, Theorem, Verifier
from lean_env.verifier import without_header

COMM = Theorem("target", "theorem target (a b : Nat) : a + b = b + a")
FALSE = Theorem("target", "theorem target : (1 : Nat) = 2")
# Without the kernel `decide +kernel` closes the false goal, and omega finds none.
FALLS_THROUGH = """by
  have h : ¬ ((2:Nat) = 3) := by
    intro h
    first | decide +kernel | skip
    omega
  omega"""


@pytest.mark.parametrize(
    ("theorem", "candidate", "reward", "stage", "words"),
    [
        (COMM, Candidate("by omega"), 1, "proved", ""),
        (COMM, Candidate("Nat.add_comm a b"), 1, "proved", ""),
        (COMM, Candidate("theorem target (x y : Nat) : x + y = y + x := by omega", "code"), 1, "proved", ""),
        (COMM, Candidate(FALLS_THROUGH), 1, "proved", ""),
        (COMM, Candidate("by\n  rfl"), 0, "elaboration", "line 2, column 2: "),
        (COMM, Candidate("by omega )"), 0, "elaboration", "line 1, column 9: "),
        (COMM, Candidate("by sorry"), 0, "axioms", "sorryAx"),
        (COMM, Candidate("theorem other : True := trivial", "code"), 0, "missing", "target"),
        (COMM, Candidate("theorem target : True := trivial", "code"), 0, "mismatch", "does not say"),
        (COMM, Candidate("def target := 1", "code"), 0, "mismatch", "not a theorem"),
        (COMM, Candidate("import Lean\ntheorem target : True := trivial", "code"), 0, "header", "Lean"),
        (
            FALSE,
            Candidate("axiom cheat : False\ntheorem target : (1 : Nat) = 2 := cheat.elim", "code"),
            0,
            "axioms",
            "cheat",
        ),
        (Theorem("target", "theorem target : Foo"), Candidate("trivial"), None, "statement", "Foo"),
        (
            Theorem("target", "theorem target : True", "import Nowhere"),
            Candidate("trivial"),
            None,
            "statement",
            "Nowhere",
        ),
    ],
)
def test_stages(
    verifier: Verifier, theorem: Theorem, candidate: Candidate, reward: int | None, stage: str, words: str
) -> None:
    verdict = verifier.verify(theorem, candidate)
    assert (verdict.reward, verdict.stage) == (reward, stage), verdict
    assert words in verdict.message
    assert verdict.lean is not None
    assert verdict.lean.version == "4.28.0"


@pytest.mark.parametrize(
    ("code", "line", "column"),
    [
        ("\nimport Init\nopen Nat\n\ntheorem target (a b : Nat) : a + b = b + a := by\n  rfl", 6, 2),
        ("import Init\nopen Nat theorem target (a b : Nat) : a + b = b + a := by rfl", 2, 58),
    ],
)
def test_a_repeated_header_does_not_move_what_follows(verifier: Verifier, code: str, line: int, column: int) -> None:
    theorem = Theorem("target", COMM.statement, "import Init\nopen Nat\n")
    verdict = verifier.verify(theorem, Candidate(code, "code"))
    assert verdict.message.startswith(f"line {line}, column {column}: ")
    assert [(message["line"], message["column"]) for message in verdict.messages] == [(line, column)]


@pytest.mark.parametrize(
    ("header", "code", "left"),
    [
        ("open Nat", "open Nat\ntheorem t", "        \ntheorem t"),
        ("open Nat", "\nopen Nat  ", "\n          "),
        ("open Nat", "open Nat List\ntheorem t", "open Nat List\ntheorem t"),
        ("open Nat", "open Nat\n  List\ntheorem t", "open Nat\n  List\ntheorem t"),
        ("open Nat", "open Nat\n\n-- too\n  List\ntheorem t", "open Nat\n\n-- too\n  List\ntheorem t"),
        ("open Nat", "open Nat\n-- so\ntheorem t", "        \n-- so\ntheorem t"),
        ("import Init\nopen Nat\n", "import Init\r\nopen Nat\r\ntheorem t", "            \n        \r\ntheorem t"),
        ("import Init\r\nopen Nat\r\n", "import Init\nopen Nat\ntheorem t", "           \n        \ntheorem t"),
    ],
)
def test_only_the_whole_header_is_blotted_out(header: str, code: str, left: str) -> None:
    assert without_header(Theorem("t", "theorem t", header), Candidate(code, "code")).text == left


def test_axioms_are_named(verifier: Verifier) -> None:
    verdict = verifier.verify(Theorem("t", "theorem t (p : Prop) : p ∨ ¬p"), Candidate("Classical.em p"))
    assert verdict.proved
    # The library's own lemma is imported: what it rests on is not the candidate's doing.
    assert verdict.axioms == ()
    own = Candidate("by\n  have := Classical.choice (⟨trivial⟩ : Nonempty True)\n  exact Classical.em p")
    used = verifier.verify(Theorem("t", "theorem t (p : Prop) : p ∨ ¬p"), own)
    assert used.axioms == ("Classical.choice",)


def test_a_batch_keeps_its_order(verifier: Verifier) -> None:
    pairs = [(Theorem(f"t{i}", f"theorem t{i} : {i} + {i % 3} = {i + 1}"), Candidate("by decide")) for i in range(40)]
    assert [verdict.reward for verdict in verifier.verify_batch(pairs)] == [int(i % 3 == 1) for i in range(40)]


def test_the_clock_leaves_unscored_and_holds_up_nobody(pool: LeanPool, verifier: Verifier) -> None:
    loop = "by\n  repeat (first | (have : 1 = 1 := rfl; clear this))"
    unlimited = "set_option maxHeartbeats 0 in\nset_option maxRecDepth 100000 in\n"
    slow = Candidate(f"{unlimited}{FALSE.statement} := {loop}", "code")
    verdicts = verifier.verify_batch([(FALSE, slow), (COMM, Candidate("by omega"))], wall_seconds=3)
    assert (verdicts[0].reward, verdicts[0].stage) == (None, "timeout")
    assert verdicts[1].proved


def test_asynchronous_callers(verifier: Verifier) -> None:
    async def both() -> list[int | None]:
        verdicts = await asyncio.gather(
            verifier.averify(COMM, Candidate("by omega")), verifier.averify(COMM, Candidate("by rfl"))
        )
        return [verdict.reward for verdict in verdicts]

    assert asyncio.run(both()) == [1, 0]


def test_rechecking_agrees_and_runs_in_a_process_of_its_own(pool: LeanPool) -> None:
    candidates = [
        Candidate("by omega"),
        Candidate("by rfl"),
        Candidate(f'macro "now" : tactic => `(tactic| omega)\n{COMM.statement} := by now', "code"),
        Candidate(
            "inductive Rose | node : List Rose → Rose\ndef Rose.kids : Rose → List Rose | .node ks => ks\n"
            f"theorem kids (ks : List Rose) : (Rose.node ks).kids = ks := rfl\n{COMM.statement} := by\n"
            "  have := kids []\n  exact Nat.add_comm a b",
            "code",
        ),
    ]
    verifier = Verifier(pool, recheck=True)
    try:
        verdicts = [verifier.verify(COMM, candidate) for candidate in candidates]
        assert [verdict.reward for verdict in verdicts] == [1, 0, 1, 1], verdicts
        assert verifier.recheck_pool is not None
        assert not set(verifier.recheck_pool.processes) & set(pool.processes)
    finally:
        verifier.close()


def test_a_process_that_runs_code_does_not_come_back(pool: LeanPool, verifier: Verifier) -> None:
    verifier.verify(COMM, Candidate("by omega"))  # so that there are processes
    before = set(pool.processes)
    code = Candidate(f"#eval 1\n{COMM.statement} := by omega", "code")
    assert verifier.verify(COMM, code).proved
    assert len(before - set(pool.processes)) == 1

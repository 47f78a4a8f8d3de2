"""The stack pattern of the WebAssembly road: an answer given after the end of the stack was overrun is thrown away."""

from dataclasses import replace

import pytest

from lean_env import Candidate, LeanPool, LeanWorker, Theorem, Verifier, WorkerLost
from lean_env.wasm.road import WasmRoad

FALSE = Theorem("target", "theorem target : (1 : Nat) = 2")
# As deep as it says, and then it comes back: without the pattern an ordinary answer would follow.
DEEP = "def deep : Nat → Nat\n  | 0 => 0\n  | n + 1 => 1 + deep n\n#eval deep {depth}\n"


def test_an_overrun_stack_is_seen_before_the_answer_leaves(pool: LeanPool) -> None:
    assert isinstance(pool.road, WasmRoad)
    worker = LeanWorker(replace(pool.road, stack_mib=4))
    answered = []

    def ask(depth: int) -> None:
        answered.append(worker.request(60, method="file", header="", text=DEEP.format(depth=depth)))

    try:
        # In steps smaller than the pattern: so the first one too many changes the pattern and nothing else.
        with pytest.raises(WorkerLost, match="end of the stack was overrun"):
            list(map(ask, range(500, 100_000, 40)))
    finally:
        worker.kill()
    assert len(answered) > 3
    assert all(answer["ok"]["errors"] == 0 for answer in answered)


def test_unbounded_recursion_costs_its_own_verdict_alone(verifier: Verifier) -> None:
    bomb = "partial def f (n : Nat) : Nat := 1 + f (n + 1)\n#eval f 0\ntheorem target : (1 : Nat) = 2 := rfl"
    first, second = verifier.verify_batch(
        [(FALSE, Candidate(bomb, "code")), (Theorem("t", "theorem t : 1 + 1 = 2"), Candidate("rfl"))]
    )
    assert (first.reward, first.stage) == (None, "lost")
    assert second.proved

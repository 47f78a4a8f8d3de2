"""What `prove` does around a search: shortening, within the budget and never to the worse."""

from dataclasses import replace

import pytest

from lean_env import Candidate, Theorem
from prover.proving import prove, shortened
from search import Budget, Proposal

THEOREM = Theorem("t", "theorem t (p q : Prop) : p → q → q ∧ p")


class Long:
    """One way only, and not the shortest."""

    def propose(self, state, theorem):
        return [Proposal(t, -1.0) for t in ("intro a", "intro b", "have c := a", "constructor", "assumption")]


@pytest.fixture(scope="module")
def found(pool):
    result = prove(THEOREM, pool, Long(), Budget(seconds=60.0))
    assert result.proof is not None
    assert "\n  intro a\n" in result.proof
    return result


def test_a_proof_is_shortened_and_what_that_took_is_counted(pool, verifier, found):
    shorter = shortened(THEOREM, pool, Budget(seconds=60.0), found)
    assert shorter.proof == "by\n  grind"
    assert shorter.verdict is not None
    assert shorter.verdict.proved
    assert verifier.verify(THEOREM, Candidate(shorter.proof)).proved
    assert found.spent.lean_calls < shorter.spent.lean_calls
    assert found.spent.seconds < shorter.spent.seconds


def test_what_is_left_of_the_budget_is_kept_and_a_proof_is_never_lost(pool, found):
    calls = found.spent.lean_calls
    same = shortened(THEOREM, pool, Budget(lean_calls=calls, seconds=60.0), found)
    assert (same.proof, same.verdict, same.spent.lean_calls) == (found.proof, found.verdict, calls)
    some = shortened(THEOREM, pool, Budget(lean_calls=calls + 2, seconds=60.0), found)
    assert some.spent.lean_calls <= calls + 2
    assert some.proof is not None
    late = shortened(THEOREM, pool, Budget(seconds=found.spent.seconds), found)
    assert late.proof == found.proof
    nothing = replace(found, proof=None)
    assert shortened(THEOREM, pool, Budget(), nothing) is nothing

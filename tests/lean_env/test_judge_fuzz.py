"""Properties of verdicts on real Lean, over texts that nobody chose."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lean_env import Candidate, Theorem, Verifier
from lean_env.benchmark.workload import honest

FEW = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
COMM = Theorem("target", "theorem target (a b : Nat) : a + b = b + a")
SPACE = st.lists(st.sampled_from(["\n", "\n\n", "-- by sorry\n", "/- axiom /- sorry -/ -/\n", "/- -/ "]), max_size=4)


@FEW
@given(before=SPACE, after=SPACE, index=st.integers(0, 40))
def test_comments_and_white_space_do_not_count(
    verifier: Verifier, before: list[str], after: list[str], index: int
) -> None:
    theorem, candidate = honest(860)[780 + index]
    text = "".join(before) + candidate.text + "\n" + "".join(after)
    assert verifier.verify(theorem, Candidate(text)).proved
    whole = "".join(before) + f"{theorem.statement} := {candidate.text}\n" + "".join(after)
    assert verifier.verify(theorem, Candidate(whole, "code")).proved


@FEW
@given(index=st.integers(0, 59))
def test_no_proof_proves_the_negation_too(verifier: Verifier, index: int) -> None:
    theorem, candidate = honest(860)[800 + index]
    name, rest = theorem.name, theorem.statement.removeprefix(f"theorem {theorem.name} ")
    depth, colon = 0, 0
    for at, character in enumerate(rest):
        depth += (character in "([{") - (character in ")]}")
        if character == ":" and depth == 0:
            colon = at
            break
    binders, claim = rest[:colon].strip(), rest[colon + 1 :].strip()
    closed = f"∀ {binders}, {claim}" if binders else claim
    negated = Theorem(name, f"theorem {name} : ¬ ({closed})")
    assert verifier.verify(negated, candidate).reward == 0


@FEW
@given(text=st.text(max_size=60), kind=st.sampled_from(["proof", "code"]))
def test_any_text_gets_a_verdict(verifier: Verifier, text: str, kind: str) -> None:
    verdict = verifier.verify(COMM, Candidate(text, "proof" if kind == "proof" else "code"))
    assert verdict.reward == 0, verdict


@FEW
@given(data=st.binary(max_size=60))
def test_bytes_get_a_verdict(verifier: Verifier, data: bytes) -> None:
    assert verifier.verify(COMM, Candidate(data.decode("latin-1"))).reward == 0
    assert verifier.verify(COMM, Candidate(data.decode("utf-8", "surrogateescape"), "code")).reward == 0


@pytest.mark.parametrize("seed", range(3))
def test_order_and_company_do_not_count(verifier: Verifier, seed: int) -> None:
    pairs = [(t, c if i % 3 else Candidate("by exact rfl")) for i, (t, c) in enumerate(honest(860)[780:820])]
    alone = [verifier.verify(*pair).reward for pair in pairs]
    order = random.Random(seed).sample(range(len(pairs)), len(pairs))
    together = verifier.verify_batch([pairs[i] for i in order])
    assert [alone[i] for i in order] == [verdict.reward for verdict in together]

"""Theorems of several steps: no single tactic of the portfolio proves one, `prove` proves them all."""

import json
from pathlib import Path

import pytest

from lean_env import Candidate, ProofFinished, Theorem
from prover.portfolio import PortfolioPolicy
from prover.proving import prove
from search import Budget, NodeAdded, ProofFound, SearchEvent

ROWS = [json.loads(line) for line in (Path(__file__).parents[1] / "data" / "multi_step.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_several_steps_are_found(row, pool, verifier):
    theorem = Theorem(row["name"], row["statement"])
    with pool.session(theorem) as session:
        proposals = PortfolioPolicy().propose(session.start, theorem)
        for proposal in proposals:
            result = session.run_tactic(session.start, proposal.text, heartbeats=25_000, wall_seconds=5.0)
            assert not isinstance(result, ProofFinished), f"one tactic proves it: {proposal.text}"
    events: list[SearchEvent] = []
    found = prove(theorem, pool, PortfolioPolicy(), Budget(seconds=60.0), events.append)
    assert found.stopped == "proved"
    assert found.proof is not None
    assert found.verdict is not None
    assert found.verdict.reward == 1
    assert found.spent.nodes == sum(isinstance(event, NodeAdded) for event in events) >= 2
    assert [event.accepted for event in events if isinstance(event, ProofFound)][-1]
    assert verifier.verify(theorem, Candidate(found.proof)).reward == 1


def test_there_are_twenty():
    assert len(ROWS) >= 20
    assert len({row["name"] for row in ROWS}) == len(ROWS)

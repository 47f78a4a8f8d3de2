"""What lies beside the project for its tests: benchmark statements, and the workload that figures are quoted on."""

import json
from pathlib import Path

import pytest

from lean_env import LeanPool
from lean_env.benchmark.workload import small
from prover.sources import read_source

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not beside the project")


def test_every_statement_of_minif2f_core_elaborates(pool: LeanPool) -> None:
    read = read_source(str(SHARED / "minif2f" / "minif2f_core_valid.jsonl"), None)
    assert read.complaints == ()
    assert len(read.problems) == 123
    for problem in read.problems:
        assert pool.check_statement(problem.theorem)


def test_the_small_workload_is_the_shared_one() -> None:
    lines = (SHARED / "bench" / "small800.jsonl").read_text().splitlines()
    rows = [(row["name"], row["statement"], row["text"]) for row in map(json.loads, lines)]
    assert rows == [(theorem.name, theorem.statement, candidate.text) for theorem, candidate in small()]

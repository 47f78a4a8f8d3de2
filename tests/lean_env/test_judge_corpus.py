"""The judge's corpus on real Lean: every open row; of our own, all that can be judged in a running process, and samples
of the others, each of which costs a process or its time limit. `python -m lean_env.benchmark --judge` judges every row.
"""

import random
from pathlib import Path

import pytest

from lean_env import Verifier
from lean_env.benchmark.workload import Row, corpus
from lean_env.code_scan import runs_code

ROWS = corpus(Path(__file__).parents[1] / "data" / "judge")
WALL_SECONDS = 15.0


# Rows that end their process, or bring it to its limits: they may be left unscored, others may not.
DEADLY = ("bomb", "exit")


def wrong(verifier: Verifier, rows: list[Row]) -> list[str]:
    """The rows whose verdict is not the expected one. Unscored will do for the deadly ones alone."""
    verdicts = verifier.verify_batch([(row.theorem, row.candidate) for row in rows], WALL_SECONDS)
    return [
        f"{row.id} {row.kind_of_attack}: {verdict.reward} {verdict.stage} {verdict.message[:200]}"
        for row, verdict in zip(rows, verdicts, strict=True)
        if verdict.proved != row.accept or (verdict.reward is None and not row.kind_of_attack.startswith(DEADLY))
    ]


def is_open(row: Row) -> bool:
    return row.id[0] in "ra"


def test_the_corpus_is_what_it_claims() -> None:
    own = [row for row in ROWS if not is_open(row)]
    assert sum(map(is_open, ROWS)) == 72
    assert len(own) >= 150
    assert len({row.kind_of_attack for row in own}) >= 45
    twins = {row.kind_of_attack for row in own if row.accept}
    assert len(twins & {row.kind_of_attack for row in own if not row.accept}) >= 45


@pytest.mark.timeout(900)  # 72 verdicts, each code-running one in a process of its own
def test_every_open_row(verifier: Verifier) -> None:
    assert wrong(verifier, [row for row in ROWS if is_open(row)]) == []


OWN = [row for row in ROWS if not is_open(row)]


def test_our_rows_that_run_no_code(verifier: Verifier) -> None:
    rows = [row for row in OWN if not runs_code(row.candidate.text) and not row.kind_of_attack.startswith(DEADLY)]
    assert len(rows) > 300
    assert wrong(verifier, rows) == []


def test_a_sample_of_our_rows_that_may_run_code(verifier: Verifier) -> None:
    rows = [row for row in OWN if runs_code(row.candidate.text) and not row.kind_of_attack.startswith(DEADLY)]
    assert wrong(verifier, random.Random(1).sample(rows, 20)) == []


def test_a_sample_of_our_bombs(verifier: Verifier) -> None:
    rows = [row for row in OWN if row.kind_of_attack.startswith(DEADLY)]
    assert wrong(verifier, random.Random(2).sample(rows, 5)) == []

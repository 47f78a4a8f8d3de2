"""The theorems that a weak policy is compared on with and without a tree: one tactic is not enough for any."""

import json
from pathlib import Path

import pytest

from lean_env import LeanPool, ProofFinished, Theorem
from prover.sources import read_source

FILE = Path(__file__).parents[1] / "data" / "paired.jsonl"
ROWS = [json.loads(line) for line in FILE.read_text().splitlines()]
THEOREMS = {problem.name: problem.theorem for problem in read_source(str(FILE)).problems}
SINGLE = ("omega", "simp", "simp_all", "grind", "decide", "rfl")
SAMPLE = (
    "even_square",
    "second_order_exists",
    "serial_converse",
    "bool_injective_involution",
    "alternating_sign",
    "count_append",
    "square_mod_four",
    "surjective_image",
)


def test_there_are_seventy_and_no_two_are_the_same() -> None:
    assert len(ROWS) >= 70
    assert len({row["name"] for row in ROWS}) == len(ROWS)
    # The statement without its name: two names for one theorem would count it twice.
    assert len({row["formal_statement"].split(maxsplit=2)[2] for row in ROWS}) == len(ROWS)
    assert all(row["formal_statement"].startswith(f"theorem {row['name']} ") for row in ROWS)
    assert all(row["formal_statement"].endswith(" := by sorry") for row in ROWS)
    assert list(THEOREMS) == [row["name"] for row in ROWS]


def test_every_topic_has_several() -> None:
    topics = [row["topic"] for row in ROWS]
    assert len(set(topics)) == 12
    assert min(topics.count(topic) for topic in topics) >= 5


def test_every_statement_elaborates(pool: LeanPool) -> None:
    for theorem in THEOREMS.values():
        assert pool.check_statement(theorem)


@pytest.mark.parametrize("theorem", [THEOREMS[name] for name in SAMPLE], ids=SAMPLE)
def test_no_single_tactic_proves_it(theorem: Theorem, pool: LeanPool) -> None:
    with pool.session(theorem) as session:
        for tactic in SINGLE:
            result = session.run_tactic(session.start, tactic, heartbeats=20_000)
            assert not isinstance(result, ProofFinished), tactic

"""Every proof judged again, by real Lean; and what of a run does not fit together."""

from dataclasses import replace

from prover.reports.check import Difference, check, proof_texts
from tests.prover.reports.made_runs import ATTEMPTS, ROWS, attempt, made_run


def test_an_honest_run_has_no_difference(verifier, tmp_path):
    told = []
    again = attempt(1, 2, 1, ATTEMPTS[2].proof)  # the same text as attempt 0: judged once
    rows, proofs = ROWS[:2], [each for each in ATTEMPTS if each.proof and each.theorem < 2 and each.proof != "h.symm"]
    run = made_run(tmp_path, [*proofs, again, attempt(0, 5, 0)], rows, {})
    found = check(run, verifier, [row.hash for row in rows], lambda done, of: told.append((done, of)))
    assert found.differences == ()
    assert (found.proofs, found.judged) == (3, 2)
    assert found.lean.startswith("wasm 4.")
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_every_kind_of_difference_is_named(verifier, tmp_path):
    rows = (*ROWS[:2], replace(ROWS[2], statement="theorem hard : True"))
    attempts = [
        attempt(0, 0, 1, "by simp"),
        attempt(0, 1, 1, None),  # said to be proved, without a text
        attempt(1, 0, 1, "h.symm"),  # no proof: `Or.symm` is, and h.symm means it
        attempt(1, 1, 1, "by sorry"),
        attempt(1, 2, 1, ""),
        attempt(2, 0, 0, "trivial"),  # a proof that is said to be none
    ]
    run = made_run(tmp_path, attempts, rows, {})
    found = check(run, verifier, [ROWS[0].hash, ROWS[1].hash, ROWS[2].hash])
    said = {(d.theorem, d.number): d.why for d in found.differences}
    assert said[("hard", None)] == "its statement is not the one whose hash was written down"
    assert said[("add_zero'", 1)] == "is said to be proved, and has no proof"
    assert said[("or_swap", 1)].startswith("the run says proved, and now it is not proved (")
    assert "the run says proved, and now it is not proved" in said[("or_swap", 2)]
    assert said[("hard", 0)].startswith("the run says not proved, and now it is proved")
    assert ("add_zero'", 0) not in said
    assert ("or_swap", 0) not in said
    assert len(said) == 5


def test_rows_and_hashes_are_compared_without_lean(tmp_path):
    run = made_run(tmp_path, [], ROWS, {}, benchmark_hash="0" * 64)
    (found,) = check(run, None).differences
    assert found == Difference(
        "the run", None, "its statements are not those of the benchmark that it names by its hash"
    )
    # The hash of a shard's benchmark is of more rows than it has.
    assert check(made_run(tmp_path, [], ROWS[:2], {}, benchmark_hash="0" * 64, shard="1/3"), None).differences == ()
    short = check(made_run(tmp_path, [], ROWS, {}), None, [ROWS[0].hash])
    assert [str(each) for each in short.differences] == ["the run: it has 6 statements and 1 hashes"]


def test_an_attempt_at_no_row_is_a_difference(tmp_path):
    run = made_run(tmp_path, [attempt(9, 0, 1, "trivial")], ROWS, {})
    assert proof_texts(run) == []
    assert [str(each) for each in check(run, None).differences] == ["row 10, attempt 1: has no statement"]


def test_what_was_not_judged_or_rests_on_something_else_is_a_difference(verifier, tmp_path):
    run = made_run(tmp_path, [attempt(0, 0, 1, "by simp"), attempt(-1, 0, 1, "trivial")], ROWS, {})
    assert [str(each) for each in check(run, None).differences] == [
        "add_zero', attempt 1: has a proof that was not judged",
        "row 0, attempt 1: has no statement",
    ]
    claimed = attempt(0, 0, 1, "by simp", axioms=("Classical.choice",))
    run = made_run(tmp_path, [claimed], ROWS, {}, lean="native 4.27.0 12345678")
    said = [str(each) for each in check(run, verifier).differences]
    assert said[0].startswith("the run: was judged by native 4.27.0 12345678, and now by wasm 4.")
    assert said[1:] == ["add_zero', attempt 1: rested on Classical.choice, and now rests on no axioms"]

"""What a report says: outcomes, sentences and JSON, with numbers worked out by hand from `made_runs.ATTEMPTS`."""

import json

import pytest

from prover.reports.check import Check, Difference
from prover.reports.facts import ATTEMPT_FIELDS, VERSION, amount, gather, labels, points, report_json
from prover.reports.markdown import markdown
from prover.reports.words import check_words, compared_words, figures, headline
from prover.statistics import Estimate
from tests.prover.reports.made_runs import HARM, ROWS, attempt, made_run


@pytest.fixture
def run(tmp_path):
    return made_run(tmp_path / "one")


@pytest.fixture
def other(tmp_path):
    """Proves `hard`, not `add_zero'`, and has a theorem of its own."""
    attempts = [attempt(0, 0, 0), attempt(1, 0, 1, "h.symm"), attempt(2, 0, 1, "by omega")]
    return made_run(tmp_path / "two", attempts, [*ROWS[:5], *ROWS[5:]], search="mcts")


def test_outcomes(run):
    found = gather([run]).runs[0].found
    assert [each.outcome for each in found] == [
        "proved", "proved", "not proved", "unscored", "invalid", "not attempted",
    ]  # fmt: skip
    # add_zero': 20 s on the first attempt, 1.5 s on the second, which proves it; hard: 20 s twice.
    assert [each.spent("seconds") for each in found] == [21.5, 0.5, 40.0, 6.0, 0.0, 0.0]
    assert [each.proved for each in found] == [1, 2, 0, 0, 0, 0]


def test_headline_and_figures(run):
    (reported,) = gather([run]).runs
    # Judged: add_zero', or_swap, hard, and not_lean, which does not elaborate. lost_one is unscored.
    assert headline(reported).startswith("2 of 4 theorems proved: 50.0 % (95 % interval ")
    assert headline(reported).endswith(
        "Apart: 1 theorem unscored; 1 statement that does not elaborate (counted as not proved);"
        " 1 theorem with attempts still to be made."
    )
    said = {figure.name: figure.values for figure in figures([reported])}
    assert said["attempts made"] == ("8 of 10",)
    assert said["attempts unscored"] == ("2 of 8",)
    # To the first proof: 21.5 s and 0.5 s, so the median is 11 s; all attempts took 88.25 s, for two proofs 44.1.
    assert said["median time to a proof"] == ("11 s",)
    assert said["wall-clock seconds for each proved theorem"] == ("34.1",)
    assert said["wall clock of the run"] == ("1 min 00 s, Lean workers busy 75 % of it",)


def test_invalid_ones_can_be_left_out(run):
    (reported,) = gather([run], exclude_invalid=True).runs
    assert headline(reported).startswith("2 of 3 theorems proved: 66.7 %")
    assert "(left out)" in headline(reported)


def test_an_empty_run_says_so(tmp_path):
    report = gather([made_run(tmp_path, [], ROWS, {})])
    assert headline(report.runs[0]) == "No attempt has been made yet."
    assert "No attempt has been made yet" in markdown(report)


def test_the_comparison_in_words(run, other):
    (each,) = gather([run, other]).compared
    said = " ".join(compared_words(each))
    assert "Of 4 theorems that both attempted, one proves 2 and two 2." in said
    assert "They differ on 2 theorems, 1 to 1: no more than chance may explain (McNemar's exact test, p = 1)." in said
    assert "Not compared: 2 without a scored attempt in one of them." in said


def test_runs_with_nothing_in_common(run, tmp_path):
    strange = made_run(tmp_path / "three", [], [ROWS[0].__class__("z", "theorem z : True")], {})
    report = gather([run, strange])
    assert compared_words(report.compared[0])[0] == "one and three have no theorem in common that both attempted."
    assert [theorem.row.name for theorem in report.theorems][-1] == "z"
    assert report.theorems[-1].found[0] is None


def test_check_words(run):
    good, bad = Check(3, 2, "wasm 4.28.0 38f3c0c4", ()), Check(3, 2, "", (Difference("t", 0, "why"),))
    assert check_words(gather([run], [good]).runs[0]) == "all 3 accepted again by Lean (wasm 4.28.0 38f3c0c4)"
    assert check_words(gather([run], [bad]).runs[0]) == "1 difference in 3 proofs"


def test_json_is_whole_and_its_form_is_kept(run, other):
    data = json.loads(json.dumps(report_json(gather([run, other])), allow_nan=False))
    assert (data["format"], data["version"]) == ("lean-rl-prover report", VERSION)
    assert list(data) == ["format", "version", "attempt_fields", "runs", "comparisons"]
    assert list(data["runs"][0]) == ["label", "settings", "environment", "sessions", "figures", "check", "theorems"]
    theorem = data["runs"][0]["theorems"][0]
    assert theorem["name"] == "add_zero'"
    assert theorem["hash"] == ROWS[0].hash
    second = dict(zip(ATTEMPT_FIELDS, theorem["attempts"][1], strict=True))
    assert second["proof"] == "by simp"
    assert (second["reward"], second["lean_calls"], second["seconds"], second["axioms"]) == (1, 10, 1.5, [])
    assert data["comparisons"][0]["figures"]["only_first"] == ["add_zero'"]
    assert data["comparisons"][0]["figures"]["only_second"] == ["hard"]


def test_markdown_has_tables_that_hold_whatever_the_names_are(tmp_path):
    row = ROWS[0].__class__("a|b\n`c`", "theorem x : True", topic=HARM)
    text = markdown(gather([made_run(tmp_path, [attempt(0, 0, 1, "trivial")], [row], {})]))
    assert "| a\\|b \\`c\\` |" in text
    assert "<script" not in text.replace("\\<script", "")
    line = next(line for line in text.split("\n") if line.startswith("| a\\|b"))
    assert line.replace("\\|", "").count("|") == 8  # name, topic, outcome, proofs, seconds, Lean calls, samples


def test_labels_are_each_runs_own(tmp_path):
    runs = [made_run(tmp_path / name) for name in ("a/run", "b/run", "c")]
    assert labels(runs) == ["run (1)", "run (2)", "c"]


def test_numbers_for_people():
    assert [amount(x) for x in (None, 0, 0.12345, 12.345, 1234.5)] == ["none", "0", "0.123", "12.3", "1,234"]
    assert points(Estimate(0.1, -0.05, 0.2)) == "+10.0 points (95 % interval -5.0 to +20.0)"

"""Files made of proved theorems, and the report about one."""

import json

from lean_env import LeanVersion, Verdict
from prover.proof_file import proof_file, split_imports
from prover.report import Outcome, as_json, progress_line, summary, verdict_line
from prover.sources import from_rows, from_text
from search import SearchResult, Spent

VERDICT = Verdict(1, "proved", "", ("propext",), 0.01, LeanVersion("4.28.0", "38f3", "wasm"))
SPENT = Spent(samples=2, lean_calls=7, nodes=2, seconds=1.25, lean_seconds=0.5)


def outcomes(problems, proofs):
    return [
        Outcome(i, problem, SearchResult(proof, SPENT, "proved" if proof else "budget", VERDICT if proof else None))
        for i, (problem, proof) in enumerate(zip(problems, proofs, strict=True))
    ]


def rows(*data):
    return from_rows("\n".join(map(json.dumps, data)), "f.jsonl").problems


def test_one_text_comes_back_with_its_proofs():
    problems = from_text("open Nat\ntheorem a : 1 = 1\ntheorem b : 2 = 2 := by sorry", "<text>")
    assert proof_file(problems, outcomes(problems, ["by\n  rfl", None])) == (
        "open Nat\ntheorem a : 1 = 1 := by\n  rfl\ntheorem b : 2 = 2 := by sorry\n"
    )


def test_rows_are_put_one_below_the_other_with_their_imports_first():
    problems = rows(
        {"statement": "theorem a : 1 = 1"},
        {"statement": "theorem b : 2 = 2", "header": "import Init\nimport Std.Data\nopen Nat"},
        {"statement": "theorem c : 3 = 3"},
        {"statement": "theorem a : 4 = 4", "header": "import Std.Data"},
    )
    assert proof_file(problems, outcomes(problems, ["rfl", "by\n  rfl", None, "rfl"])) == (
        "import Init\nimport Std.Data\n\n"
        "theorem a : 1 = 1 := rfl\n\n"
        "section\n\nopen Nat\n\ntheorem b : 2 = 2 := by\n  rfl\n\nend\n\n"
        "namespace Part3\n\ntheorem a : 4 = 4 := rfl\n\nend Part3\n"
    )


def test_imports_are_split_off():
    assert split_imports("-- hi\nimport A.B\npublic import C\nopen D") == (
        ["import A.B", "public import C"],
        "\nopen D",
    )
    assert split_imports("def f := 1") == ([], "def f := 1")


def test_a_claim_that_was_not_judged_is_not_reported_as_proved():
    problems = from_text("theorem a : 1 = 1", "<text>")
    claimed = Outcome(0, problems[0], SearchResult("by rfl", SPENT, "proved", None))
    refused = Outcome(0, problems[0], SearchResult("by rfl", SPENT, "proved", Verdict(0, "axioms")))
    unscored = Outcome(0, problems[0], SearchResult("by rfl", SPENT, "proved", Verdict(None, "timeout")))
    assert [o.proved for o in (claimed, refused, unscored)] == [False, False, False]
    assert proof_file(problems, [claimed, refused]) == "theorem a : 1 = 1 := by sorry\n"


def test_lines_and_json():
    problems = from_text("theorem a : 1 = 1", "<text>")
    (proved,) = outcomes(problems, ["by\n  rfl"])
    (open_,) = outcomes(problems, [None])
    assert verdict_line(proved) == "proved, says Lean 4.28.0 (wasm) (axioms: propext); 1.2 s, 7 Lean calls, 2 states"
    assert progress_line(open_) == "a: not proved within the budget; 1.2 s, 7 Lean calls, 2 states"
    data = json.loads(as_json(proved))
    assert (data["name"], data["proved"], data["proof"], data["stopped"]) == ("a", True, "by\n  rfl", "proved")
    assert data["verdict"]["axioms"] == ["propext"]
    assert data["spent"]["lean_calls"] == 7
    assert "message" not in data
    lost = SearchResult(None, SPENT, "policy", message="hf:x: 3 of 8 answers were lost")
    data = json.loads(as_json(Outcome(0, problems[0], lost)))
    assert (data["stopped"], data["message"]) == ("policy", "hf:x: 3 of 8 answers were lost")
    assert json.loads(as_json(Outcome(0, problems[0], error="no"))) == {
        "name": "a", "source": "<text>", "line": 1, "statement": "theorem a : 1 = 1", "proved": False, "error": "no",
    }  # fmt: skip
    assert summary([proved, open_], 3, True, None) == "1 of 3 proved; interrupted with 1 not finished"

"""`prover prove` and `prover verify`, end to end, on real Lean: on the pool of the whole run, and once by itself."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

import prover.commands.prove
import prover.commands.verify
from lean_env import Candidate, LeanEnvError, Theorem
from prover.cli import app
from search.graph.stored import from_json

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(pool, monkeypatch):
    """Runs the command line in this process, on the shared pool."""

    @contextmanager
    def shared(lean, workers, tasks):
        yield pool

    monkeypatch.setattr(prover.commands.prove, "open_pool", shared)
    monkeypatch.setattr(prover.commands.verify, "open_pool", shared)

    def call(*arguments, stdin=None):
        result = CliRunner().invoke(app, list(map(str, arguments)), input=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    return call


def test_a_theorem_of_the_command_line(run, verifier):
    result = run("prove", "theorem two_mul' (n : Nat) : n + n = 2 * n")
    assert result.exit_code == 0
    assert result.stdout.startswith("theorem two_mul' (n : Nat) : n + n = 2 * n := by\n  ")
    assert "-- proved, says Lean 4.28.0 (wasm)" in result.stdout
    statement, proof = result.stdout.split("\n-- proved")[0].split(" := ", 1)
    assert verifier.verify(Theorem("two_mul'", statement), Candidate(proof)).reward == 1


def test_json_has_one_object_a_theorem(run, tmp_path):
    rows = [{"name": "a", "formal_statement": "theorem a : 2 + 2 = 4 := by sorry"},
            {"name": "b", "statement": "lemma b (p q : Prop) (h : p ∧ q) : q ∧ p", "header": "open Nat"}]  # fmt: skip
    path = tmp_path / "two.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    result = run("prove", path, "--json", "--budget-seconds", 20)
    assert result.exit_code == 0
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["name"], row["proved"], row["verdict"]["reward"]) for row in found] == [("a", True, 1), ("b", True, 1)]
    assert found[0]["spent"]["lean_calls"] >= 2
    assert "2 of 2 proved" in result.stderr


def test_what_cannot_be_proved_is_not_and_the_exit_code_says_so(run):
    result = run("prove", "theorem no (n : Nat) : n < n", "--budget-calls", 12)
    assert result.exit_code == 1
    assert "theorem no (n : Nat) : n < n := by sorry\n-- no: not proved within the budget" in result.stdout
    assert "12 Lean calls" in result.stdout
    assert "-- no: not proved within" in run("prove", "theorem no (n : Nat) : n < n", "--budget-seconds", 0).stdout


FILE = """\
import Init
namespace Shapes
/-- Twice. -/
def twice (n : Nat) : Nat := n + n

variable (n : Nat)

@[simp] theorem twice_eq : twice n = 2 * n := by
  sorry

theorem hard : ∀ x y z : Nat, ∀ k, k > 2 → x * y * z ≠ 0 → x ^ k + y ^ k ≠ z ^ k := by sorry

lemma known : True := trivial

example (p q : Prop) (h : p ∨ q) : q ∨ p := by
  sorry -- soon
end Shapes
"""


def test_a_file_comes_back_with_its_proofs_and_compiles(run, tmp_path, verifier):
    source, out = tmp_path / "shapes.lean", tmp_path / "out.lean"
    source.write_text(FILE)
    result = run("prove", source, "--out", out, "--budget-calls", 40)
    assert result.exit_code == 1  # Fermat's theorem stays open
    assert f"2 of 3 proved; written to {out}" in result.stderr
    text = out.read_text()
    assert text.count("sorry") == 1
    assert re.search(r"theorem twice_eq : twice n = 2 \* n := by\n  \S", text)
    assert "theorem known : True := trivial" in text
    # Real Lean reads the whole file: as a candidate that is to contain a theorem of it.
    whole = Theorem("Shapes.known", "theorem Shapes.known : True", "import Init")
    verdict = verifier.verify(whole, Candidate(text.replace("import Init\n", ""), "code"))
    assert verdict.reward == 1, verdict
    assert run("prove", f"{source}:known").exit_code == 2
    assert run("prove", f"{source}:twice_eq").exit_code == 0


def test_standard_input(run):
    result = run("prove", "-", "--json", stdin="theorem a : 1 + 1 = 2\n\ntheorem b (n : Nat) : 0 ≤ n := by sorry\n")
    assert [json.loads(line)["name"] for line in result.stdout.splitlines()] == ["a", "b"]
    assert result.exit_code == 0


@pytest.mark.parametrize("name", ["best-first", "rmaxts", "mcts", "beam", "deepening", "sample"])
def test_every_search_proves_something(run, name):
    result = run("prove", "theorem t (p q : Prop) (h : p ∧ q) : q ∧ p", "--search", name, "--json", "--seed", 3)
    (row,) = map(json.loads, result.stdout.splitlines())
    assert (row["proved"], row["verdict"]["stage"], result.exit_code) == (True, "proved", 0)


def test_the_negation_is_tried_too(run, verifier):
    statement = "theorem t (n : Nat) (h : n > 3) : n ≠ 5"
    result = run("prove", statement, "--disprove")
    assert result.exit_code == 1  # what was to be proved was not
    assert result.stdout.startswith("theorem t_negation : ¬ (∀ (n : Nat) (h : n > 3), n ≠ 5) := by\n  ")
    assert "-- t is disproved, says Lean 4.28.0" in result.stdout
    negated, proof = result.stdout.split("\n-- t is")[0].split(" := ", 1)
    assert verifier.verify(Theorem("t_negation", negated), Candidate(proof)).reward == 1
    row = json.loads(run("prove", statement, "--disprove", "--json").stdout)
    assert (row["proved"], row["disproved"], row["negation"]) == (False, True, negated)
    row = json.loads(run("prove", "theorem t (n : Nat) : n + 0 = n", "--disprove", "--json").stdout)
    assert (row["proved"], row["disproved"]) == (True, False)
    result = run("prove", "theorem t (p q : Prop) : p → q", "--disprove", "--budget-calls", 30)
    assert "-- t: neither proved nor disproved within the budget; " in result.stdout


def test_a_disproved_theorem_keeps_its_sorry(run, tmp_path):
    source, out = tmp_path / "two.lean", tmp_path / "out.lean"
    source.write_text("theorem a : 1 = 2 := by sorry\n\ntheorem b : 1 + 1 = 2 := by sorry\n")
    result = run("prove", source, "--disprove", "--out", out)
    assert f"1 of 2 proved, 1 disproved; written to {out}" in result.stderr
    assert out.read_text().startswith("theorem a : 1 = 2 := by sorry\n\ntheorem b : 1 + 1 = 2 := by\n")


@pytest.mark.parametrize("suffix", [".json", ".dot", ".graphml"])
def test_the_tree_is_written(run, tmp_path, suffix):
    tree = tmp_path / f"tree{suffix}"
    result = run("prove", "theorem t (p q : Prop) (h : p ∧ q) : q ∧ p ∧ p", "--tree", tree, "--search", "beam")
    assert result.exit_code == 0
    text = tree.read_text(encoding="utf-8")
    assert re.search(rf"a tree of \d+ states? written to {tree}\n", result.stderr)
    if suffix == ".json":
        graph = from_json(text)
        assert graph.theorem.name == "t"
        assert graph.root.proved
    elif suffix == ".dot":
        assert text.startswith('digraph "t" {')
    else:
        assert "<graphml" in text


def test_no_tree_without_a_search_and_samples_are_a_budget(run, tmp_path):
    tree = tmp_path / "tree.json"
    result = run("prove", "theorem t : 1 = 1", "--tree", tree, "--budget-seconds", 0)
    assert f"{tree} was not written: the search did not begin." in result.stderr
    assert not tree.exists()
    row = json.loads(run("prove", "theorem no (n m : Nat) : n < m", "--budget-samples", 1, "--json").stdout)
    assert (row["stopped"], row["spent"]["samples"]) == ("budget", 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["prove", "none.lean"], "There is no file none.lean."),
        (["prove", "x + y = z"], "is neither a file nor a theorem"),
        (["prove", "theorem t : True := trivial"], "already has a proof"),
        (["prove", "theorem t : True", "--lean", "coq"], "--lean is `wasm` or `native`"),
        (["prove", "theorem t : True", "--out", "no/such/folder/x.lean"], "there is no such folder"),
        (["prove", "theorem t : True", "--search", "bfs"], "`mcts`, `beam`, `deepening`, `sample` or `correct`"),
        (["prove", "theorem t : True", "--budget-seconds", "inf"], "--budget-seconds: inf is no number of seconds."),
        (["prove", "theorem t : True", "--tree", "no/such/folder/x.dot"], "there is no such folder"),
        (["prove", "theorem t : True", "--tree", "x.png"], "FILE.json, FILE.dot or FILE.graphml, not `x.png`"),
        (["prove", "theorem t : True\n\ntheorem u : True", "--tree", "x.dot"], "for one theorem, and here are 2"),
        (["prove", "theorem t (n : Nat) (h : n = 0 := by rfl) : n = 0", "--disprove"], "cannot be written down"),
        (["prove", "lemma t (n : Nat.Odd) : n = n"], "<text>:1:13: "),
        (["prove", "theorem t (n : Nat) :\n  n = Nat.pre n"], "<text>:2:6: "),
        (["prove", "import Mathlib\ntheorem t : True"], "`--lean native`"),
        (["verify", "none.jsonl"], "There is no file none.jsonl."),
        (["bench", "theorem t : True " * 20], "There is no benchmark, file or folder `theorem t : True theorem"),
        (["bench", "report", "x" * 300], "xxx cannot be used: File name too long."),
        (["policies", "hf:" + "x" * 300], "xxx cannot be used: File name too long."),
        (["prove", "theorem t : True", "--out", "x" * 300], "xxx cannot be written: File name too long."),
    ],
)
def test_bad_input_gets_one_sentence(run, arguments, said):
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert result.stderr.startswith("prover: ")


def test_one_bad_theorem_does_not_spoil_the_others(run, tmp_path):
    path = tmp_path / "mixed.jsonl"
    rows = [
        '{"name": "a", "statement": "theorem a : 1 = 1"}',
        "{",
        '{"name": "b", "statement": "theorem b : 1 = Nat.x"}',
    ]
    path.write_text("\n".join(rows))
    result = run("prove", path, "--json")
    assert result.exit_code == 2
    assert [json.loads(line)["proved"] for line in result.stdout.splitlines()] == [True, False]
    assert f"{path}, line 2: not JSON" in result.stderr
    assert f"{path}:3:1:" in result.stderr
    assert "1 of 2 proved" in result.stderr


def test_verify_answers_every_row_in_order(run, tmp_path, pool):
    rows = [
        {"id": 1, "name": "t", "statement": "theorem t (n : Nat) : n + 0 = n", "kind": "proof", "text": "rfl", "x": 0},
        {"id": "b", "name": "t", "statement": "theorem t : 1 = 2", "kind": "proof", "text": "by sorry"},
        {"id": None, "name": "t", "statement": "theorem t : 1 = 2", "kind": "proof", "text": "by decide"},
        {"id": [4], "name": "t", "statement": "lemma t : 1 = 1", "kind": "code", "text": "theorem t : 1 = 1 := rfl"},
        {"id": 5, "name": "t", "statement": "theorem t : f 1 = 1", "header": "def f (n : Nat) := n", "text": "rfl"},
    ]
    path, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    result = run("verify", path, "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    answers = [json.loads(line) for line in out.read_text().splitlines()]
    assert [answer["id"] for answer in answers] == [1, "b", None, [4], 5]
    assert [answer["reward"] for answer in answers] == [1, 0, 0, 1, 1]
    assert set(answers[0]) == {"id", "reward", "stage", "message", "axioms", "seconds", "lean"}
    assert answers[0]["lean"] == asdict(pool.lean)
    assert (answers[0]["lean"]["road"], answers[0]["lean"]["sandbox"]) == ("wasm", "wasm")
    assert "without a sandbox" not in result.stderr
    assert answers[0]["stage"] == "proved"
    assert answers[1]["stage"] in ("axioms", "elaboration")
    assert answers[2]["stage"] == "elaboration"
    assert all(answer["seconds"] >= 0 for answer in answers)


def test_verify_judges_the_good_rows_among_bad_ones(run, tmp_path):
    good = {"id": 7, "name": "t", "statement": "theorem t : 1 = 1", "kind": "proof", "text": "rfl"}
    lines = ["{no", json.dumps(good), json.dumps({**good, "id": 8, "kind": "essay"}), "", json.dumps({"id": 9})]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(lines))
    result = run("verify", path)
    assert result.exit_code == 2
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(a["id"], a["reward"], a["stage"]) for a in answers] == [
        (None, None, "input"), (7, 1, "proved"), (8, None, "input"), (9, None, "input"),
    ]  # fmt: skip
    assert [a["lean"] is None for a in answers] == [True, False, True, True]
    assert f"{path}, line 1: not JSON" in result.stderr
    assert f'{path}, line 3: `kind` is `proof` or `code`, not "essay".' in result.stderr
    assert f"{path}, line 5: `name` has to be text." in result.stderr


def test_verify_writes_any_id_and_refuses_what_is_no_json(tmp_path):
    path, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    path.write_text('{"id": "\\ud800é"}\n{"id": NaN}\n{"id": -Infinity}\n')
    result = CliRunner().invoke(app, ["verify", str(path), "--out", str(out)])
    assert result.exit_code == 2
    assert [json.loads(line)["id"] for line in out.read_text(encoding="utf-8").splitlines()] == ["\ud800é", None, None]
    assert f"{path}, line 2: not JSON (`NaN` is no number)." in result.stderr
    assert f"{path}, line 3: not JSON (`-Infinity` is no number)." in result.stderr


MODIFIED = [
    "private theorem t",
    "protected theorem t",
    "noncomputable theorem t",
    "@[simp, unknown] theorem t",
    "/-- Says. -/\n@[simp] private lemma t",
    "-- says\nset_option pp.all true in\n  private example",
]


def test_verify_takes_a_statement_with_what_stands_before_theorem(run, tmp_path):
    rows = [{"name": "t", "statement": f"{start} (n : Nat) : n + 0 * n = n", "text": "by\nsimp"} for start in MODIFIED]
    bad = {"id": 1, "name": "t", "statement": "private theorem t : f 1 = 1", "text": "rfl"}
    code = {"name": "t", "statement": "private theorem t : 1 = 1", "kind": "code", "text": "theorem t : 1 = 1 := rfl"}
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, [*rows, bad, code])))
    result = run("verify", path)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["reward"] for answer in answers] == [1] * len(MODIFIED) + [None, None]
    assert answers[-2]["message"].startswith("line 1, column 20: ")  # where the user wrote the `f`
    assert result.exit_code == 2
    assert (
        f"prover: {path}, line 8: a `private` theorem in code cannot be looked up by its name: leave the word out of"
        " `statement`, or use the kind `proof`.\n"
    ) in result.stderr


def test_verify_without_a_good_row_starts_no_lean(tmp_path, monkeypatch):
    def refused(lean, workers, tasks):
        raise LeanEnvError("Lean was started for nothing")

    monkeypatch.setattr(prover.commands.verify, "open_pool", refused)
    path = tmp_path / "rows.jsonl"
    path.write_text("[]\n")
    result = CliRunner().invoke(app, ["verify", str(path)])
    assert result.exit_code == 2
    assert json.loads(result.stdout)["stage"] == "input"


def command(*arguments, stdout=subprocess.PIPE, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "prover.cli", *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True,
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, **options,
    )  # fmt: skip


def test_a_process_of_its_own_until_ctrl_c(tmp_path):
    """The real thing in a pipe: plain lines, a proof, and what was proved is kept when it is interrupted."""
    source, out = tmp_path / "two.lean", tmp_path / "out.lean"
    source.write_text("theorem easy : 1 + 1 = 2 := by sorry\n" + FILE.split("\n\n")[3].replace("hard", "fermat") + "\n")
    process = command("prove", str(source), "--workers", "1", "--out", str(out), "--budget-seconds", "250")
    try:
        line = process.stderr.readline()
        while line and "easy: proved" not in line:
            line = process.stderr.readline()
        time.sleep(1.0)  # into the search for the other
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, stderr
    assert stdout.startswith("theorem easy : 1 + 1 = 2 := by\n  ")
    assert "\x1b" not in stdout + stderr
    assert "Traceback" not in stderr
    assert "1 of 2 proved" in stderr
    text = out.read_text()
    assert re.search(r"theorem easy : 1 \+ 1 = 2 := by\n  (?!sorry)", text)
    assert text.rstrip().endswith(":= by sorry")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_gets_one_sentence(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": 9}\n')  # a bad row is answered without Lean
    said = []
    with open("/dev/full", "w") as full:
        for process in (command("verify", path, "--out", "/dev/full"), command("verify", path, stdout=full)):
            said.append((process.communicate(timeout=60)[1], process.returncode))
    assert said == [
        ("prover: /dev/full cannot be written: No space left on device.\n", 2),
        ("prover: the output cannot be written: No space left on device.\n", 2),
    ]


def test_help_and_version_need_no_lean():
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert all(word in result.stdout for word in ("prove", "verify", "setup", "doctor"))
    assert CliRunner().invoke(app, ["prove"]).exit_code == 2

"""`prover bench report` from a store to files, and `--check` with real Lean."""

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner

from prover.command_group import Commands
from prover.commands import bench_report
from tests.prover.reports.made_runs import ATTEMPTS, ROWS, attempt, made_run, or_tree, stored, with_trees

app = typer.Typer(cls=Commands)
app.command("report")(bench_report.report)
app.command("other")(lambda: None)  # one command alone would not be named on the line

HONEST = [each for each in ATTEMPTS if each.proof != "h.symm"]


def run_it(*arguments) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["report", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def shared_pool(pool, monkeypatch):
    """The command opens a pool of its own, which costs seconds and a gigabyte: here it is given the tests' one."""
    asked = []

    @contextmanager
    def opened(lean, workers, tasks):
        asked.append((lean, workers, tasks))
        yield pool

    monkeypatch.setattr(bench_report, "open_pool", opened)
    return asked


def test_files_beside_the_run(tmp_path):
    run = stored(made_run(tmp_path / "run", with_trees()))
    code, said, _ = run_it(run.folder)
    assert code == 0
    assert said.startswith("run: 2 of 4 theorems proved: 50.0 %")
    assert {path.name for path in run.folder.iterdir()} >= {"report.html", "report.md", "report.json"}
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "unsolved goals" in page  # messages and trees are read from the store
    assert "exact Or.inr a" in page
    data = json.loads((run.folder / "report.json").read_text(encoding="utf-8"))
    assert data["runs"][0]["check"] is None
    assert data["runs"][0]["figures"]["counts"]["proved"] == 2


def test_a_tree_that_is_too_large_lies_beside(tmp_path):
    tree = or_tree(failures=100_000)
    run = stored(made_run(tmp_path / "run", [replace(ATTEMPTS[2], tree=tree)]))
    assert run_it(run.folder, "--out", tmp_path / "out")[0] == 0
    assert (tmp_path / "out" / "trees" / "2-or_swap.json").read_text(encoding="utf-8") == tree
    page = tmp_path / "out" / "report.html"
    assert page.stat().st_size < 5_000_000
    assert "trees are cut or left out" in page.read_text(encoding="utf-8")


def test_two_runs_go_into_the_first_ones_folder(tmp_path):
    first = stored(made_run(tmp_path / "first"))
    second = stored(made_run(tmp_path / "second", [attempt(2, 0, 1, "by omega")], search="mcts"))
    code, said, _ = run_it(first.folder, second.folder)
    assert code == 0
    assert "second: 1 of 2 theorems proved" in said  # and not_lean, which does not elaborate
    assert not (second.folder / "report.html").exists()
    assert "first and second" in (first.folder / "report.md").read_text(encoding="utf-8")


def test_check_of_an_honest_run(tmp_path, shared_pool):
    run = stored(made_run(tmp_path / "run", HONEST))
    code, said, _ = run_it(run.folder, "--check", "--workers", 1)
    assert code == 0
    assert "Judged again: all 2 accepted again by Lean (wasm 4." in said
    assert shared_pool == [("wasm", 1, 2)]
    assert "accepted again" in (run.folder / "report.html").read_text(encoding="utf-8")


def test_check_names_what_differs_and_fails(tmp_path, shared_pool):
    run = stored(made_run(tmp_path / "run", [*HONEST, attempt(5, 0, 1, "by decide_not"), attempt(5, 1, 1)]))
    code, _, errors = run_it(run.folder, "--check")
    assert code == 1
    sentence = errors.strip().split("\n")[-1]
    assert sentence.startswith(
        "prover: run, judged again, is not what it says: untouched, attempt 1: the run says proved"
    )
    assert "untouched, attempt 2: is said to be proved, and has no proof" in sentence
    assert "is not what it says" in (run.folder / "report.html").read_text(encoding="utf-8")
    found = json.loads((run.folder / "report.json").read_text(encoding="utf-8"))["runs"][0]["check"]
    assert [each["number"] for each in found["differences"]] == [0, 1]


def test_check_without_a_proof_asks_no_lean(tmp_path, shared_pool):
    run = stored(made_run(tmp_path / "run", [attempt(0, 0, 0)]))
    code, said, _ = run_it(run.folder, "--check")
    assert (code, shared_pool) == (0, [])
    assert "Judged again: there is no proof" in said


def test_a_statement_that_was_changed_in_the_store_is_found(tmp_path, shared_pool):
    import sqlite3

    run = stored(made_run(tmp_path / "run", [attempt(0, 0, 1, "by simp")], ROWS, {}))
    with sqlite3.connect(run.folder / "run.sqlite") as connection:
        connection.execute("UPDATE theorem SET statement = 'theorem add_zero'' : True' WHERE number = 0")
    code, _, errors = run_it(run.folder, "--check")
    assert code == 1
    assert "add_zero': its statement is not the one whose hash was written down" in errors


@pytest.mark.parametrize("module", ["jinja2", "matplotlib"])
def test_without_the_extra_there_is_one_sentence(tmp_path, monkeypatch, module):
    run = stored(made_run(tmp_path / "run"))
    monkeypatch.setitem(sys.modules, module, None)
    code, _, errors = run_it(run.folder)
    assert code == 2
    assert errors == (
        f"prover: A report needs {module}, which is not installed; pip install 'lean-rl-prover[report]' brings it.\n"
    )


def test_the_command_is_known_without_the_extra():
    code = "import sys, prover.commands.bench_report; print({'jinja2', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "nowhere holds no run."),
        (["RUN", "--lean", "steel"], "--lean is `wasm` or `native`, not `steel`."),
        (["RUN", "--out", "RUN/run.sqlite"], "is a file; --out names a folder."),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, arguments, said):
    run = stored(made_run(tmp_path / "run"))
    code, _, errors = run_it(*(each.replace("RUN", str(run.folder)) for each in arguments))
    assert code == 2
    assert errors.count("\n") == 1
    assert said in errors

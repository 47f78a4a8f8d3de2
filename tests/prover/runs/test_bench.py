"""`prover bench` from end to end on ten theorems with real Lean: run, killed, gone on with, in shards, reported."""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from prover.benchmarks.row import Benchmark, Row
from prover.commands.bench import folder_name, read_shard
from prover.runs.attempt import Attempt
from prover.runs.perform import attempt_of, seed_of
from prover.runs.run import Run
from prover.runs.store import FILE, read_run, read_tree
from prover.sources import UserInputError
from search import SearchResult, Spent
from search.result import Stopped

TEN = Path(__file__).parents[2] / "data" / "ten.jsonl"
# A budget in calls, and one worker: what comes out does not depend on the clock.
OPTIONS = ["--budget-calls", "30", "--budget-seconds", "300", "--workers", "1", "--attempts", "2"]


def bench(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "prover.cli", "bench", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def finished(process: subprocess.Popen[str], code: int = 0) -> tuple[str, str]:
    out, err = process.communicate(timeout=280)
    assert process.returncode == code, err
    return out, err


def essence(run: Run) -> list[tuple[str, Attempt]]:
    """All of a run that does not depend on the clock."""
    told = []
    for attempt in run.attempts:
        spent = replace(attempt.spent, seconds=0.0, lean_seconds=0.0)
        told.append((run.rows[attempt.theorem].name, replace(attempt, spent=spent, finished=0.0, theorem=0)))
    return told


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench") / "undisturbed"
    out, err = finished(bench(TEN, *OPTIONS, "--out", folder))
    assert "8 of 10 theorems proved (80.0 %) in 18 attempts; 1 do not elaborate" in out
    assert "ten.jsonl:5: misspelt does not elaborate: line 1: Unknown constant `Nat.sucd`" in err
    return folder


def test_a_run(undisturbed: Path) -> None:
    run = read_run(undisturbed)
    assert [row.name for row in run.rows][:3] == ["swap", "add_two", "under_five"]
    assert list(run.problems) == [4]
    assert len(run.attempts) == 18
    unproved = [(run.rows[a.theorem].name, a.number, a.reward) for a in run.attempts if a.reward != 1]
    assert unproved == [("under_five", 0, 0), ("under_five", 1, 0)]
    for attempt in run.attempts:
        assert attempt.seed == seed_of(0, run.rows[attempt.theorem].name, attempt.number)
        assert attempt.spent.lean_calls <= 30
        assert json.loads(read_tree(undisturbed, attempt.theorem, attempt.number) or "")["nodes"]
        assert (attempt.proof is None) == (attempt.reward == 0)
    assert run.settings["lean"].startswith("wasm 4.28.0 ")
    assert run.environment["lean"]["version"] == "4.28.0"
    (session,) = run.sessions
    assert 0 < session.busy_seconds <= session.seconds * 1.01


def test_killed_and_gone_on_with_it_is_the_same_run(undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    seen = 0
    for more in (1, 4):  # killed when so many more attempts are there
        process = bench(TEN, *OPTIONS, "--out", folder)
        deadline = time.monotonic() + 120
        while attempts_in(folder) < seen + more:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        seen = attempts_in(folder)
        assert seen < 18
    finished(bench(TEN, *OPTIONS, "--out", folder))
    run = read_run(folder)
    assert essence(run) == essence(read_run(undisturbed))
    assert len(run.sessions) == 3
    # Once more there is nothing to do; and what has other settings is refused.
    out, _ = finished(bench(TEN, *OPTIONS, "--out", folder))
    assert "8 of 10 theorems proved" in out
    assert read_run(folder) == run
    _, err = finished(bench(TEN, *OPTIONS, "--out", folder, "--seed", "3", "--search", "mcts"), 2)
    assert "other settings (the search was best-first and is mcts; " in err
    assert "the seed was 0 and is 3" in err


def attempts_in(folder: Path) -> int:
    if not (folder / FILE).exists():
        return 0
    try:
        return len(read_run(folder).attempts)
    except UserInputError:  # it has not begun
        return 0


def test_its_report_and_every_proof_judged_again(undisturbed: Path, tmp_path: Path) -> None:
    _, err = finished(bench("report", undisturbed, "--out", tmp_path, "--check", "--workers", "1"))
    assert "Traceback" not in err
    page = (tmp_path / "report.html").read_text()
    assert "reverse_twice" in page
    assert "http://" not in page.replace("http://www.w3.org/", "")
    facts = json.loads((tmp_path / "report.json").read_text())
    assert facts["version"] == 1
    (checked,) = [run["check"] for run in facts["runs"]]
    assert (checked["proofs"], checked["differences"]) == (16, [])
    assert 8 <= checked["judged"] <= 16  # equal proofs once
    assert "8 of 10" in (tmp_path / "report.md").read_text()
    # A proof that was changed in the store is found out.
    changed = tmp_path / "changed"
    shutil.copytree(undisturbed, changed)
    with sqlite3.connect(changed / FILE) as connection:
        connection.execute("UPDATE attempt SET proof = 'by omega' WHERE theorem = 0 AND number = 1")
    out, err = finished(bench("report", changed, "--check", "--workers", "1"), 1)
    assert "swap" in out + err


def test_shards_join_to_the_same_run(undisturbed: Path, tmp_path: Path) -> None:
    shards = [tmp_path / "a", tmp_path / "b"]
    for i, folder in enumerate(shards, 1):
        finished(bench(TEN, *OPTIONS, "--out", folder, "--shard", f"{i}/2", "--no-trees"))
    out, _ = finished(bench("merge", *shards, "--out", tmp_path / "joined"))
    assert "8 of 10 theorems proved (80.0 %) in 18 attempts" in out
    joined, whole = read_run(tmp_path / "joined"), read_run(undisturbed)
    assert joined.settings == whole.settings
    assert essence(joined) == essence(whole)
    assert read_tree(tmp_path / "joined", 0, 0) is None


def test_ctrl_c_keeps_what_is_finished(tmp_path: Path) -> None:
    process = bench(TEN, *OPTIONS, "--out", tmp_path / "run")
    deadline = time.monotonic() + 120
    while attempts_in(tmp_path / "run") < 2:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    _, err = finished(process, 130)
    assert "interrupted; the same command goes on" in err
    assert 2 <= attempts_in(tmp_path / "run") < 18
    with sqlite3.connect(tmp_path / "run" / FILE) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seed", 1], "Name a benchmark"),
        ([TEN, "--policy", "oracle"], "--policy is `portfolio`, `templates`, `shipped`, `hf:PATH`, "),
        ([TEN, "--search", "luck"], "--search is "),
        ([TEN, "--shard", "3/2"], "--shard is I/N with I from 1 to N"),
        ([TEN, "--lean", "coq"], "--lean is "),
        ([TEN, "--split", "valid"], "split"),
        ([TEN.parent / "nothing.jsonl"], "no file"),
        ([TEN, "--budget-seconds", "inf"], "--budget-seconds: inf is no number of seconds."),
        ([TEN, "--rounds", "3"], "--rounds is for --search correct; `best-first` corrects no proofs."),
    ],
)
def test_bad_input_is_one_sentence(arguments: list[object], said: str) -> None:
    out, err = finished(bench(*arguments), 2)
    assert said in err
    assert "Traceback" not in err
    assert out == ""


def test_what_cannot_be_read_is_left_out_only_on_request(tmp_path: Path) -> None:
    file = tmp_path / "three.jsonl"
    lines = TEN.read_text().splitlines()[:2]
    file.write_text("\n".join([*lines, '{"name": "broken"', '{"name": "half", "statement": "theorem half : \\ud800"}']))
    options = ["--budget-calls", "30", "--workers", "1", "--out", tmp_path / "run"]
    _, err = finished(bench(file, *options), 2)
    assert f"{file}, line 3: not JSON" in err
    assert "three.jsonl:4: half of a surrogate pair, which is no text." in err
    assert "three.jsonl has 2 that cannot be read; mend that, or leave it out with --skip-unreadable." in err
    assert not (tmp_path / "run").exists()
    out, _ = finished(bench(file, *options, "--skip-unreadable"))
    assert "2 of 2 theorems proved (100.0 %) in 2 attempts" in out
    assert len(read_run(tmp_path / "run").environment["unreadable"]) == 2


def test_what_ended_by_no_fault_of_the_prover_is_unscored() -> None:
    results = [SearchResult(None, Spent(), stopped) for stopped in get_args(Stopped)]
    rewards = {result.stopped: attempt_of(result, 0, 0, 0, False).reward for result in results}
    assert rewards == {"proved": 0, "budget": 0, "exhausted": 0, "lost": None, "interrupted": 0, "policy": None}


def test_shards_and_samples() -> None:
    assert read_shard("2/4") == (1, 4)
    for bad in ("0/4", "5/4", "1", "a/b", "1/0"):
        with pytest.raises(UserInputError):
            read_shard(bad)
    whole = Benchmark("b", tuple(Row(f"t{i}", f"theorem t{i} : True") for i in range(50)))
    ten = whole.drawn(10, 3)
    assert ten == whole.drawn(10, 3)
    assert ten.name == "b (10 drawn with seed 3)"
    places = [whole.rows.index(row) for row in ten.rows]
    assert len(set(places)) == 10
    assert places == sorted(places)
    assert whole.drawn(10, 4) != ten
    assert whole.drawn(50, 4) == whole
    assert folder_name("core test (200 drawn)", "portfolio", "mcts", "2/4") == "core-test-200-drawn-portfolio-mcts-2-4"
    # By hand: the first four bytes of sha256(b"0 1 swap") as a number, halved.
    assert seed_of(0, "swap", 1) == int(hashlib.sha256(b"0 1 swap").hexdigest()[:8], 16) // 2

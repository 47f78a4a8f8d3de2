"""The command, on files of ten rows."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import prover.commands.data.decontaminate as command
from lean_env import LeanPool
from prover import line_a_minute
from prover.command_group import Commands

BENCH = [
    {"name": "b1", "formal_statement": "theorem b1 (a b : Nat) (h : a * b = 12) (k : a + b = 7) : a ^ 2 + b ^ 2 = 25"},
    {"name": "b2", "formal_statement": "theorem b2 : 2 + 2 = 4 := by sorry"},
    {"name": "b3", "formal_statement": "theorem b3 (n : Nat) (h : n > 3) : n ≠ 2",
     "informal_statement": "Show that a natural number n that is greater than three is not equal to two."},
    {"name": "b4", "formal_statement": "theorem b4 (x : Nat) : x = \"a\""},
]  # fmt: skip

TRAIN: list[dict[str, object]] = [
    {"id": 0, "statement": "theorem kept (n : Nat) : n + 0 = n", "proof": "by simp"},
    {"id": 1, "statement": "theorem b2 : 2 + 2 = 4", "proof": "rfl", "weight": 1.50},  # exact
    {"id": 2, "statement": "lemma same (m : ℕ)  (hm : (m > 3)) : m ≠ 2 := by omega"},  # normalised, not elaborated: ℕ
    {"id": 3, "statement": "theorem same : ∀ m : Nat, m > 3 → m ≠ 2", "header": "import Std"},  # elaborated
    {"id": 4, "statement": "theorem b1_more (a b : Nat) (h : a * b = 12) (k : a + b = 7) : a < 7"},  # grams
    {"id": 5, "statement": "theorem t : True", "informal_prefix":
        "/-- A natural number $n$ that is greater than three is odd. -/"},  # informal: ten words
    {"id": 6, "statement": "theorem t : 5 = 5", "proof": "by\n  have : 2 + 2 = 4 := rfl\n  rfl"},  # grams, in the proof
    {"id": 7, "statement": "theorem b3 (n : Nat) (h : n > 3) : n ≠ 1"},  # kept
    {"id": 8, "statement": "theorem broken (n : Nat) : n < \"b\""},  # kept, and reported
    {"id": 9, "informal_statement": "Two and two is four."},  # kept
]  # fmt: skip

app = typer.Typer(cls=Commands)
app.command()(command.decontaminate)
app.command("other")(lambda: None)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    train, bench = tmp_path / "train.jsonl", tmp_path / "bench.jsonl"
    lines = [json.dumps(row, ensure_ascii=row["id"] == 3) for row in TRAIN]
    # Layout, a blank line, and no line break at the end: all of it has to come back as it is.
    train.write_bytes(("  " + "\n".join([*lines[:8], "", *lines[8:]]).replace("weight", "wei\\u0067ht")).encode())
    bench.write_text("".join(json.dumps(row) + "\n" for row in BENCH))
    return train, bench


@pytest.fixture
def lent(pool: LeanPool, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def open_pool(lean: str, workers: int | None, tasks: int) -> Iterator[LeanPool]:
        yield pool

    monkeypatch.setattr(command, "open_pool", open_pool)


def run(*arguments: object, standard_input: bytes | None = None):
    return CliRunner().invoke(app, ["decontaminate", *map(str, arguments)], input=standard_input)


def test_with_lean(files, lent, tmp_path):
    train, bench = files
    out, report = tmp_path / "clean.jsonl", tmp_path / "report.json"
    result = run(train, bench, "--out", out, "--report", report)
    assert result.exit_code == 0, result.output
    lines = train.read_bytes().split(b"\n")
    # Rows 0, 7, 8, 9 and the blank line after row 7.
    assert out.read_bytes() == b"\n".join([lines[0], *lines[7:]])
    found = json.loads(report.read_text())
    why = {
        int(row["row"].rsplit(":", 1)[1]): [(each["criterion"], each["benchmark"]) for each in row["why"]]
        for row in found["removed"]
    }
    assert why == {
        2: [("exact", "b2"), ("normalised", "b2"), ("elaborated", "b2"), ("grams", "b2")],
        3: [("normalised", "b3")],
        4: [("elaborated", "b3")],
        5: [("grams", "b1")],
        6: [("informal", "b3")],
        7: [("grams", "b2")],
    }
    assert found["criteria"] == {
        "exact": {"rows": 1, "alone": 0},
        "normalised": {"rows": 2, "alone": 1},
        "elaborated": {"rows": 2, "alone": 1},
        "grams": {"rows": 3, "alone": 2},
        "informal": {"rows": 1, "alone": 1},
    }
    assert found["rows"] == {"train": 10, "benchmark": 4, "removed": 6, "kept": 4, "benchmark_found": 3}
    assert found["removed"][3]["why"][0]["gram"] == "h a * b = 12 k a + b"
    assert found["removed"][4]["why"][0]["gram"] == "a natural number n that is greater than three is"
    missing = found["not_elaborated"]
    assert [row["name"] for row in missing["train"]] == ["same", "broken"]
    assert [row["name"] for row in missing["benchmark"]] == ["b4"]
    assert "removed 6 of 10 rows, kept 4" in result.output
    assert "1 of 4 statements of the benchmark do not elaborate" in result.output


def test_in_a_pipe_lines_on_how_many_are_elaborated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(line_a_minute, "LINE_SECONDS", 0.02)
    with command._counted("training set", 9) as advance:
        advance(3)
        advance(1)
        said = ""
        while not said:
            time.sleep(0.02)
            said = capsys.readouterr().err
    assert said.splitlines()[-1] == "elaborating the training set: 4 of 9"


def test_text_alone_to_standard_output(files):
    train, bench = files
    result = run(train, bench, "--out", "-", "--no-elaborate")
    lines = train.read_bytes().split(b"\n")
    assert result.exit_code == 0
    # Row 3 says the same to Lean alone.
    assert result.stdout_bytes == b"\n".join([lines[0], lines[3], *lines[7:]])
    assert "Lean was not asked" in result.stderr
    again = run("-", bench, "--out", "-", "--no-elaborate", standard_input=train.read_bytes())
    assert again.stdout_bytes == result.stdout_bytes


def test_shorter_runs_remove_more(files, tmp_path):
    train, bench = files
    removed = []
    for gram in (3, 5, 10, 12):
        report = tmp_path / "report.json"
        assert run(train, bench, "--no-elaborate", "--report", report, "--gram", gram).exit_code == 0
        removed.append(json.loads(report.read_text())["criteria"]["grams"]["rows"])
    assert removed == sorted(removed, reverse=True)
    # With 12 tokens row 4 still shares h a * b = 12 k a + b = 7 with b1; the short ones have to occur whole.
    assert removed[-1] == 3


def test_the_training_set_may_be_replaced_by_the_clean_one(files):
    train, bench = files
    train.chmod(0o640)
    assert run(train, bench, "--no-elaborate", "--out", train).exit_code == 0
    assert [json.loads(line)["id"] for line in train.read_text().splitlines() if line] == [0, 3, 7, 8, 9]
    assert train.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in train.parent.iterdir()) == ["bench.jsonl", "train.jsonl"]
    result = run(train, bench, "--no-elaborate", "--out", train)
    assert "removed 0 of 5 rows, kept 5" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.jsonl", "minif2f-core"], "There is no file nowhere.jsonl."),
        (["TRAIN", "nowhere.jsonl"], "There is no file or folder nowhere.jsonl."),
        (["TRAIN", "BENCH", "--out", "no/clean.jsonl"], "no/clean.jsonl cannot be written: there is no such folder."),
        (["TRAIN", "BENCH", "--report", "/"], "/ cannot be written: it is a folder."),
        (["TRAIN", "BENCH", "--lean", "agda"], "--lean is `wasm` or `native`, not `agda`."),
        (["-", "BENCH"], "standard input is empty; it should hold a theorem in each line."),
    ],
)  # fmt: skip
def test_bad_input_gets_one_sentence(files, arguments, says):
    train, bench = files
    result = run(*[{"TRAIN": str(train), "BENCH": str(bench)}.get(a, a) for a in arguments], standard_input=b"")
    assert result.exit_code == 2
    assert result.stderr.strip() == f"prover: {says}"


def test_a_bad_row_stops_it_before_anything_is_written(files, tmp_path):
    train, bench = files
    train.write_bytes(train.read_bytes() + b"\n{]\n")
    result = run(train, bench, "--no-elaborate", "--out", tmp_path / "clean.jsonl")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"prover: {train}, line 12: not JSON (")
    assert not (tmp_path / "clean.jsonl").exists()

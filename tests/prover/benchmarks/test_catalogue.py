"""Benchmarks by name and by path, what is said where there is none, and how the list is shown."""

import io
import json
import time
from collections import Counter
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from prover.benchmarks.catalogue import NAMES, catalogue, listing, load
from prover.sources import UserInputError

THREE = [
    {"name": "a", "statement": "theorem a : True", "split": "test"},
    {"name": "b", "statement": "theorem b : True", "split": "valid"},
    {"name": "c", "statement": "theorem c : True"},
]


def jsonl(path: Path, rows: list[dict[str, str]]) -> str:
    path.write_text("\n".join(map(json.dumps, rows)))
    return str(path)


def refusal(*arguments: object) -> str:
    with pytest.raises(UserInputError) as caught:
        load(*arguments)  # type: ignore[arg-type]
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def test_minif2f_core_is_shipped() -> None:
    benchmark = load("minif2f-core")
    assert (benchmark.name, len(benchmark.rows), benchmark.complaints) == ("minif2f-core", 123, ())
    assert Counter(row.split for row in benchmark.rows) == {"valid": 123}
    # Counted with `grep -c '"name": "amc'` and its like.
    assert Counter(row.topic for row in benchmark.rows) == {
        "mathd_algebra": 15, "mathd_numbertheory": 60, "aime": 5, "amc": 15, "imo": 12, "induction": 8, "algebra": 1,
        "numbertheory": 7,
    }  # fmt: skip
    # prover/data/README.md: 100 of them have no `R->Q`, `sqrt`, `log` or `corrected` tag.
    loose = ("R->Q", "sqrt", "log", "corrected")
    tags = [[tag.strip() for tag in row.note.split(":")[0].split(";")] for row in benchmark.rows]
    assert sum(not any(tag.startswith(loose) for tag in of_row) for of_row in tags) == 100
    assert {row.lineage for row in benchmark.rows} == {"yangky11/miniF2F-lean4 @ 5746b7d6c478, restated"}
    assert all("Apache-2.0" in row.licence and "MIT" in row.licence for row in benchmark.rows)
    assert load("minif2f-core", split="valid").rows == benchmark.rows


def test_rows_of_a_split(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "f.jsonl", THREE)
    assert [row.name for row in load(path).rows] == ["a", "b", "c"]
    assert [row.name for row in load(path, split="valid").rows] == ["b"]
    assert (load(path).name, load(path, split="valid").name) == ("f.jsonl", "f.jsonl/valid")
    assert refusal(path, None, "train") == f"{path} has no split `train`; it has test and valid."
    bare = jsonl(tmp_path / "g.jsonl", THREE[2:])
    assert refusal(bare, None, "train") == f"{bare} has no split `train`; it has no splits."


def test_duplicates_are_refused_whatever_the_split(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "f.jsonl", [*THREE, {**THREE[0], "statement": "theorem a : 1 = 1"}])
    assert refusal(path, None, "valid") == f"{path}:1 and {path}:4 both hold a theorem called a; rename one."
    path = jsonl(tmp_path / "f.jsonl", [*THREE, THREE[1]])
    assert refusal(path) == f"{path}:2 and {path}:4 both hold the same theorem, b; take one out."


def test_what_cannot_be_found_or_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal("miniff") == (
        "There is no benchmark, file or folder `miniff`; benchmarks with a name are minif2f, minif2f-core and "
        "minif2f-deepseek and others (prover bench --list), any other is named by its path."
    )
    assert ", ".join(NAMES[:-1]) in refusal("qqq")
    assert refusal("x/y") == "There is no file or folder x/y."
    assert refusal("x.jsonl") == "There is no file or folder x.jsonl."
    (tmp_path / "empty.jsonl").write_text("\n \n")
    assert refusal("empty.jsonl") == "empty.jsonl is empty; it should hold a theorem."
    (tmp_path / "x.txt").write_text("theorem t : True")
    assert refusal("x.txt") == "x.txt is neither a .jsonl file, a .lean file nor a folder."
    path = jsonl(tmp_path / "f.jsonl", THREE)
    assert refusal(path, Path("x.txt")).startswith(
        "--data goes with minif2f, minif2f-deepseek, proofnet and putnambench,"
    )
    assert refusal("minif2f", Path("nowhere.jsonl")) == "There is no file nowhere.jsonl."


def test_complaints_come_with_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_text(json.dumps(THREE[0]) + "\n{\n")
    benchmark = load(str(path))
    assert len(benchmark.rows) == 1
    assert len(benchmark.complaints) == 1


def test_the_name_does_not_depend_on_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    first, second = jsonl(tmp_path / "f.jsonl", THREE), jsonl(tmp_path / "x" / "f.jsonl", THREE)
    assert (load(first).name, load(first).hash) == (load(second).name, load(second).hash)


def test_thirty_thousand_rows_take_a_few_seconds(tmp_path: Path) -> None:
    core = load("minif2f-core").rows
    rows = [
        {"name": f"t{i}", "formal_statement": row.statement.replace(row.name, f"t{i}", 1) + " := by sorry"}
        for i in range(30_000)
        for row in [core[i % 123]]
    ]
    path = jsonl(tmp_path / "f.jsonl", rows)
    began = time.process_time()
    assert len(load(path).rows) == 30_000
    assert time.process_time() - began < 10  # 1 on an idle machine; the lexer would take 20


def shown(width: int, terminal: bool = True) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, color_system=None)
    listing(console)
    return out.getvalue().rstrip("\n").split("\n")


def test_the_list_in_a_pipe_has_one_line_each() -> None:
    found = [line.split("\t") for line in shown(40, terminal=False)]
    assert [fields[0] for fields in found] == list(NAMES)
    assert found[0] == [
        "minif2f-core", "123", "yes", "core Lean", "yangky11/miniF2F-lean4 @ 5746b7d6c478, restated",
        "MIT (Meta Platforms) and Apache-2.0 (openai/miniF2F)",
    ]  # fmt: skip
    assert {len(fields) for fields in found} == {6}


@pytest.mark.parametrize("width", [40, 60, 80, 100, 139, 140, 160, 250])
def test_the_list_fits_and_says_everything(width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVER_CACHE", str(tmp_path))
    lines = shown(width)
    assert max(map(cell_len, lines)) <= width
    assert "…" not in "".join(lines) or width == 140
    # Nothing is lost where it is broken into lines.
    together = "".join("".join(lines).split())
    for entry in catalogue():
        assert entry.name in together
        assert entry.how.replace(" ", "") in together
        assert entry.where.replace(" ", "") in together
        assert str(entry.rows or "") in together


def test_a_table_has_a_row_each_where_there_is_room() -> None:
    assert len(shown(250)) == 1 + len(NAMES)

"""Rows from Lean files, folders and Lake projects."""

from pathlib import Path

import pytest

from lean_env import Candidate, LeanPool, Verifier
from prover.benchmarks.catalogue import load
from prover.benchmarks.lean_files import lean_files
from prover.sources import UserInputError


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".lean")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_folder_gives_its_open_theorems_in_order_of_the_paths(tmp_path: Path) -> None:
    write(
        tmp_path, b__z="theorem z : True := sorry", a="theorem y : True := by sorry\ntheorem x : True := trivial",
        b="theorem w : True", _done="theorem v : True := trivial",
    )  # fmt: skip
    benchmark = load(str(tmp_path))
    assert [row.name for row in benchmark.rows] == ["y", "w", "z"]
    assert [row.label for row in benchmark.rows] == [f"{tmp_path}/{x}" for x in ("a.lean:1", "b.lean:1", "b/z.lean:1")]
    assert benchmark.complaints == ()
    assert benchmark.name == tmp_path.name


def test_hidden_folders_and_built_ones_are_left_out(tmp_path: Path) -> None:
    for name in (".lake/packages/m", ".git", "build", "lake-packages/m", "src"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "A.lean").write_text("theorem a : True := sorry")
    (tmp_path / "lakefile.lean").write_text("theorem b : True := sorry")
    assert [path.relative_to(tmp_path).as_posix() for path in lean_files(tmp_path)] == ["src/A.lean"]


def test_a_name_in_two_files_is_told_apart_by_the_file(tmp_path: Path) -> None:
    write(tmp_path, w1__s="theorem a : 1 = 1 := sorry\ntheorem b : True := sorry", w2__s="theorem a : 2 = 2 := sorry")
    rows = load(str(tmp_path)).rows
    assert [row.name for row in rows] == ["w1/s:a", "b", "w2/s:a"]
    assert [row.theorem.name for row in rows] == ["a", "b", "a"]
    assert [row.statement for row in rows] == ["theorem a : 1 = 1", "theorem b : True", "theorem a : 2 = 2"]


def test_a_name_twice_in_one_file_is_told_apart_by_the_line(tmp_path: Path) -> None:
    text = "namespace A\ntheorem a : 1 = 1 := sorry\nend A\nnamespace B\ntheorem a : 2 = 2 := sorry\nend B"
    write(tmp_path, f=text)
    names = ["f:2:a", "f:5:a"]
    assert [row.name for row in load(str(tmp_path)).rows] == names
    assert [row.name for row in load(str(tmp_path / "f.lean")).rows] == names


def test_a_lake_project_gives_its_proved_theorems_too(tmp_path: Path) -> None:
    write(
        tmp_path,
        P="import P.Basic",
        P__Basic="open Nat\n/-- doc -/\n@[simp] theorem a : 1 = 1 := rfl\nlemma b : 2 = 2 := by\n  sorry\n"
        "example : True := trivial\ntheorem c : 3 = 3 := rfl",
    )
    (tmp_path / "lakefile.toml").write_text('name = "p"')
    rows = load(str(tmp_path)).rows
    assert [(row.name, row.split, row.statement) for row in rows] == [
        ("a", "proved", "theorem a : 1 = 1"),
        ("b", "open", "theorem b : 2 = 2"),
        ("c", "proved", "theorem c : 3 = 3"),
    ]
    # What is proved stands before what comes later; what is open does not, and no theorem before itself.
    assert rows[0].header == "open Nat"
    assert "theorem a" in rows[2].header
    assert "theorem b" not in rows[2].header
    assert "theorem c" not in rows[2].header
    assert [row.name for row in load(str(tmp_path), split="open").rows] == ["b"]
    (tmp_path / "lakefile.toml").unlink()
    assert [(row.name, row.split) for row in load(str(tmp_path)).rows] == [("b", "")]


def test_the_header_is_for_rows_without_one(tmp_path: Path) -> None:
    write(tmp_path, a="theorem a : True := sorry", b="import Lean\ntheorem b : True := sorry")
    assert [row.header for row in load(str(tmp_path), header="open Nat").rows] == ["open Nat", "import Lean"]
    assert load(str(tmp_path / "a.lean"), header="open Nat").rows[0].header == "open Nat"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "has no .lean file in it."),
        ({"a": "theorem a : True := trivial"}, "has 1 .lean file, and no theorem with `sorry` in its proof in it."),
        ({"a": "", "b": "def x := 1"}, "has 2 .lean files, and no theorem with `sorry` in its proof in them."),
    ],
)
def test_a_folder_without_a_sorry(tmp_path: Path, files: dict[str, str], said: str) -> None:
    write(tmp_path, **files)
    with pytest.raises(UserInputError) as caught:
        load(str(tmp_path))
    assert str(caught.value) == f"{tmp_path} {said}"


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_taken(tmp_path: Path) -> None:
    write(tmp_path, a="theorem a : True := sorry", c="")
    (tmp_path / "b.lean").write_bytes(b"theorem \xff")
    benchmark = load(str(tmp_path))
    assert len(benchmark.rows) == 1
    assert benchmark.complaints == (f"{tmp_path}/b.lean is not UTF-8 text (byte 8); save it as UTF-8.",)


def test_lean_takes_the_rows_by_their_names_in_lean(tmp_path: Path, pool: LeanPool, verifier: Verifier) -> None:
    write(
        tmp_path, x="theorem a : 1 = 1 := sorry", y="def two := 2\nnamespace N\ntheorem a : two = 2 := sorry\nend N",
        z="theorem helper : 3 = 3 := rfl\ntheorem c : 3 = 3 := by exact helper",
    )  # fmt: skip
    (tmp_path / "lakefile.toml").write_text('name = "p"')
    rows = load(str(tmp_path)).rows
    assert [row.name for row in rows] == ["x:a", "y:a", "helper", "c"]
    for row in rows:
        assert verifier.verify(row.theorem, Candidate("rfl")).reward == 1
    # A theorem is not in its own header; that before it is.
    assert verifier.verify(rows[3].theorem, Candidate("helper")).reward == 1
    assert verifier.verify(rows[2].theorem, Candidate("helper")).reward == 0

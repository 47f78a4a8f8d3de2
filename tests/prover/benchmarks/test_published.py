"""Benchmarks of others: the pins, and readers of the formats in which they are published."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from prover.benchmarks.catalogue import load
from prover.benchmarks.fetching import copied
from prover.benchmarks.json_rows import from_json_lines
from prover.benchmarks.published import minif2f_topic, pin_of, published_named, read_proofnet, read_putnambench
from prover.benchmarks.row import Row
from prover.sources import UserInputError

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "minif2f"
COPIES = {"minif2f": "minif2f_lean4_yangky11.jsonl", "minif2f-deepseek": "minif2f_deepseek_v15.jsonl"}
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not beside the project")


@needs_shared
@pytest.mark.parametrize("name", COPIES)
def test_the_shared_copy_is_the_pinned_one(name: str) -> None:
    benchmark = load(name, SHARED / COPIES[name])
    assert len(benchmark.rows) == 488
    assert [row.name for row in benchmark.rows] == sorted(row.name for row in benchmark.rows)
    assert {row.lineage for row in benchmark.rows} == {published_named(name).lineage}  # type: ignore[union-attr]
    assert all("import Mathlib" in row.header and ":=" not in row.statement[-4:] for row in benchmark.rows)
    assert len(load(name, SHARED / COPIES[name], "valid").rows) == 244
    assert load(name, SHARED / COPIES[name], "valid").name == f"{name}/valid"


@needs_shared
def test_the_tree_of_lean_files_gives_the_same_rows_as_the_prepared_copy(tmp_path: Path) -> None:
    for line in (SHARED / COPIES["minif2f"]).read_text().splitlines():
        row = json.loads(line)
        path = tmp_path / row["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(row["header"] + row["formal_statement"])
    (tmp_path / "MiniF2F" / "Minif2fImport.lean").write_text("import Mathlib")
    prepared = load("minif2f", SHARED / COPIES["minif2f"])
    for folder in (tmp_path, tmp_path / "MiniF2F"):
        assert load("minif2f", folder).hash == prepared.hash
        assert load("minif2f", folder).rows[0].lineage == prepared.rows[0].lineage
    only = load("minif2f", tmp_path / "MiniF2F" / "Valid")
    assert len(only.rows) == 244
    assert only.rows[0].lineage == "yangky11/miniF2F-lean4 (unpinned copy)"


@needs_shared
def test_one_changed_character_is_an_unpinned_copy(tmp_path: Path) -> None:
    text = (SHARED / COPIES["minif2f"]).read_text()
    (tmp_path / "copy.jsonl").write_text(text.replace("15 ≤ f x", "16 ≤ f x", 1))
    benchmark = load("minif2f", tmp_path / "copy.jsonl")
    assert {row.lineage for row in benchmark.rows} == {"yangky11/miniF2F-lean4 (unpinned copy)"}


@needs_shared
def test_known_defects_are_noted_per_lineage() -> None:
    notes = {
        name: {row.name: row.note for row in load(name, SHARED / COPIES[name]).rows if row.note} for name in COPIES
    }
    # 11 in yangky11's lineage, of which three are right in DeepSeek's: SOURCES.md beside the shared copies.
    assert [len(notes[name]) for name in COPIES] == [11, 8]
    own = {"mathd_algebra_208", "mathd_algebra_289", "mathd_algebra_433"}
    assert notes["minif2f"].keys() - notes["minif2f-deepseek"].keys() == own
    assert notes["minif2f"]["mathd_algebra_208"] == "known defect: false as written"


def test_the_pin_sees_every_change_but_not_the_order() -> None:
    a, b = Row("a", "theorem a : True", "import Init", "test"), Row("b", "theorem b : True")
    pin = pin_of([a, b])
    # sha256 of [["a", "test", "import Init", "theorem a : True"], ["b", "", "", "theorem b : True"]]
    assert pin == "5fa33bf7dcb2b2f3a93c4e095a13aaebeb3adb2afd05b2396af03287164d49a8"
    assert pin_of([b, a]) == pin
    changes = [{"name": "c"}, {"split": ""}, {"header": "import Std"}, {"statement": "theorem a : False"}]
    assert all(pin_of([replace(a, **change), b]) != pin for change in changes)
    assert pin_of([replace(a, label="x", lineage="y", header="import Init\n"), b]) == pin


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("mathd_algebra_208", "mathd_algebra"), ("mathd_numbertheory_3", "mathd_numbertheory"),
        ("aimeII_2020_p6", "aime"), ("aime_1983_p1", "aime"), ("amc12a_2002_p21", "amc"), ("imo_1967_p3", "imo"),
        ("imosl_2007_algebra_p6", "imo"), ("induction_sum_odd", "induction"), ("algebra_sqineq_at2malt1", "algebra"),
        ("numbertheory_x5neqy2p4", "numbertheory"), ("putnam_1962_a1", "other"),
    ],
)  # fmt: skip
def test_the_topic_of_a_problem_of_minif2f(name: str, topic: str) -> None:
    assert minif2f_topic(name) == topic


def test_proofnet() -> None:
    def row(name: str, statement: str, split: str) -> str:
        header = "import Mathlib\n\nopen Finset\nopen scoped BigOperators\n\n"
        keys = {"name": name, "split": split, "informal_prefix": "/-- Prove it.-/\n", "formal_statement": statement}
        return json.dumps({**keys, "goal": "⊢ True", "header": header})

    text = "\n".join(
        [
            row("exercise_1_2", "theorem exercise_1_2\n(n : ℕ)\n: n = n :=", "valid"),
            row("exercise_1_3", "theorem exercise_1_3 {f : ℕ → ℕ} (hf : f 0 = 0) :\n  f 0 = 0 :=", "test"),
            row("exercise_1_2", "theorem exercise_1_2 (G : Type*) [Group G] : True :=", "test"),
        ]
    )
    rows, complaints = read_proofnet({"datasets/proofnet.jsonl": text})
    assert complaints == []
    assert [(row.name, row.theorem.name, row.split) for row in rows] == [
        ("exercise_1_2", "exercise_1_2", "valid"),
        ("exercise_1_3", "exercise_1_3", "test"),
        ("2:exercise_1_2", "exercise_1_2", "test"),
    ]
    assert rows[0].statement == "theorem exercise_1_2\n(n : ℕ)\n: n = n"
    assert rows[0].header == "import Mathlib\n\nopen Finset\nopen scoped BigOperators"


ANSWER = """import Mathlib

open Set

abbrev putnam_2031_b2_solution : Set (ℕ → ℕ) := sorry
-- {f : ℕ → ℕ | f 0 = 1}
/--
Find every $f$ (there are -- some).
-/
theorem putnam_2031_b2
    (f : ℕ → ℕ) :
    f 0 = 1 ↔ f ∈ putnam_2031_b2_solution :=
  sorry
"""


def test_putnambench_with_its_answers() -> None:
    plain = "import Mathlib\n\n/-- Show it. -/\ntheorem putnam_2031_a1 : 1 = 1 :=\nsorry\n"
    lost = ANSWER.replace("b2", "b3").replace("-- {f : ℕ → ℕ | f 0 = 1}\n", "")
    two = ANSWER.replace("b2", "b4").replace(
        "/--\nFind", "noncomputable abbrev putnam_2031_b4_solution' : ℕ := sorry\n-- (0 - 3 : ℕ)\n/--\nFind"
    )
    files = {
        f"lean4/src/putnam_2031_{k}.lean": v for k, v in {"b4": two, "b3": lost, "b2": ANSWER, "a1": plain}.items()
    }
    rows, complaints = read_putnambench(files)
    assert [(row.name, row.topic, row.note) for row in rows] == [
        ("putnam_2031_a1", "A1", ""),
        ("putnam_2031_b2", "B2", "answer filled in"),
        ("putnam_2031_b4", "B4", "answer filled in"),
    ]
    assert rows[1].header == (
        "import Mathlib\n\nopen Set\n\nabbrev putnam_2031_b2_solution : Set (ℕ → ℕ) := {f : ℕ → ℕ | f 0 = 1}"
    )
    assert rows[1].statement == ("theorem putnam_2031_b2\n    (f : ℕ → ℕ) :\n    f 0 = 1 ↔ f ∈ putnam_2031_b2_solution")
    assert rows[2].header.endswith("\nnoncomputable abbrev putnam_2031_b4_solution' : ℕ := (0 - 3 : ℕ)")
    assert complaints == ["lean4/src/putnam_2031_b3.lean:9: putnam_2031_b3 asks for an answer that is not in its file."]


def test_a_folder_with_putnambench_in_it(tmp_path: Path) -> None:
    for place in ("lean4/src", "lean/src"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "putnam_2031_b2.lean").write_text(ANSWER)
    (tmp_path / "lean4" / "src" / "putnam_2031_b2_sol.lean").write_text(ANSWER)
    for folder in (tmp_path, tmp_path / "lean4", tmp_path / "lean4" / "src"):
        (row,) = load("putnambench", folder).rows
        assert (row.name, row.lineage) == ("putnam_2031_b2", "trishullab/PutnamBench (unpinned copy)")


def test_a_folder_with_something_else_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.lean").write_text("theorem a : True := sorry")
    for name in ("minif2f", "minif2f-deepseek", "proofnet", "putnambench"):
        published = published_named(name)
        assert published is not None
        with pytest.raises(UserInputError, match=rf"{tmp_path} .*is not {name}.*\.$"):
            copied(published, tmp_path)


def test_the_answer_of_one_problem_is_not_taken_from_its_theorem() -> None:
    text = "abbrev a_solution : ℕ := sorry\ntheorem putnam_2031_a2 : 1 = a_solution := sorry\n-- 5"
    rows, complaints = read_putnambench({"src/putnam_2031_a2.lean": text})
    assert (rows, len(complaints)) == ([], 1)


def test_rows_are_those_of_the_general_reader() -> None:
    text = json.dumps({"name": "x", "statement": "theorem x : True", "split": "test"})
    assert read_proofnet({"f": text}) == from_json_lines(text, "f")

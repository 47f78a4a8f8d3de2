"""Expert iteration without Lean: settings, what earlier rounds came to, and theorems that overlap."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prover.benchmarks.row import Row
from prover.runs.attempt import Attempt
from prover.runs.run import Run
from prover.sources import UserInputError
from rl.expert_iteration.config import ExpertIterationConfig, Searching, names_model, with_model
from rl.expert_iteration.history import History, history
from rl.expert_iteration.theorems import theorems_of
from search import Spent

TEN = Path(__file__).parents[1] / "data" / "ten.jsonl"


def config(**given):
    return ExpertIterationConfig(**{"theorems": ("a.jsonl",), "out": Path("out"), **given})


@pytest.mark.parametrize(
    ("policy", "read"),
    [
        ("model", "hf:a/b"),
        ("model+portfolio", "hf:a/b+portfolio"),
        ("0.3*portfolio + 0.7*model", "0.3*portfolio + 0.7*hf:a/b"),
        ("portfolio", "portfolio"),
        ("hf:some/model", "hf:some/model"),
        ("hf:model+portfolio", "hf:model+portfolio"),
    ],
)
def test_the_model_in_a_policy(policy, read):
    assert with_model(policy, "a/b") == read
    assert names_model(policy) == (policy != read)


def test_settings_that_make_no_sense():
    bad: list[tuple[dict[str, Any], str]] = [
        ({"theorems": ()}, "--theorems"),
        ({"split": "valid"}, "nothing is to be learned"),
        ({"rounds": 0}, "--rounds has to be at least 1"),
        ({"theorems_per_round": 0}, "--theorems-per-round has to be"),
        ({"proved_share": 1.5}, "--proved-share"),
        ({"policy": "portfolio"}, "--policy has to name the model"),
        ({"policy": "nonsense+model"}, "--policy is"),
        ({"first_policy": "model"}, "yet to be made"),
    ]
    for given, said in bad:
        with pytest.raises(UserInputError, match=said):
            config(**given)
    with pytest.raises(UserInputError, match="--search is"):
        Searching(search="depth-first")
    assert config(first_policy="model", base="folder").first_policy == "model"


def run(names, rewards, problems=None, labels=None):
    rows = tuple(Row(name, f"theorem {name} : True", label=(labels or {}).get(name, "")) for name in names)
    made = tuple(Attempt(place, 0, 0, reward, "proved", Spent()) for place, reward in rewards)
    return Run(Path(), {}, {}, rows, problems or {}, made)


def test_what_earlier_rounds_came_to():
    first = run(["a", "b", "c", "d"], [(0, 1), (1, 0), (1, 0), (3, None)], problems={2: "Unknown constant"})
    second = run(["b", "d"], [(0, 1), (1, 0)])
    negated = run(["d_negation", "e_negation"], [(0, 1), (1, 0)], labels={"d_negation": "d", "e_negation": "e"})
    found = history([first, second], [negated])
    assert found == History({"a": 1, "b": 2, "d": 2}, frozenset("ab"), frozenset("d"), {"c": "Unknown constant"})
    assert found.dropped == {"c", "d"}
    assert history([], []) == History()


def rows_of(path, *statements, split=""):
    lines = [
        json.dumps({"name": text.split()[1], "formal_statement": text + " := by sorry", "split": split}) + "\n"
        for text in statements
    ]
    with path.open("a") as file:
        file.writelines(lines)
    return str(path)


def test_splits_of_one_source(tmp_path):
    source = rows_of(tmp_path / "core.jsonl", "theorem a (n : Nat) : n = n", "theorem b : 1 = 1", split="train")
    rows_of(tmp_path / "core.jsonl", *(f"theorem v{n} : {n} < {n + 1}" for n in range(30)), split="valid")
    given = config(theorems=(source,), out=tmp_path / "out", valid_sample=7)
    found = theorems_of(given)
    assert [row.name for row in found.training] == ["a", "b"]
    assert {row.split for row in found.valid.rows} == {"valid"}
    assert len(found.valid.rows) == 7
    assert theorems_of(replace(given, training=given.training)).valid.hash == found.valid.hash
    assert theorems_of(replace(given, seed=1)).valid.hash != found.valid.hash


def test_what_overlaps_is_refused_with_the_list(tmp_path):
    train = rows_of(tmp_path / "train.jsonl", "theorem a (n : Nat) : n + 1 = 1 + n", "theorem b : 1 = 1")
    valid = rows_of(tmp_path / "valid.jsonl", "theorem other (m : Nat) :  m + 1 = 1 + m")
    given = config(theorems=(train,), valid=valid, out=tmp_path / "out")
    with pytest.raises(UserInputError, match=r"theorem is in valid\.jsonl or minif2f-core too: a \(as other\)"):
        theorems_of(given)
    (listed,) = map(json.loads, (tmp_path / "out" / "overlap.jsonl").read_text().splitlines())
    assert (listed["theorem"], listed["held_out"]) == ("a", "other")
    assert [row.name for row in theorems_of(replace(given, drop_overlap=True)).training] == ["b"]


def test_a_source_without_splits_is_not_its_own_valid_part(tmp_path):
    given = config(theorems=(str(TEN),), out=tmp_path / "out")
    with pytest.raises(UserInputError, match="it has no splits, or other theorems with --valid"):
        theorems_of(given)
    twice = config(theorems=(str(TEN), str(TEN)), out=tmp_path / "out")
    with pytest.raises(UserInputError, match="both hold the same theorem, swap"):
        theorems_of(twice)

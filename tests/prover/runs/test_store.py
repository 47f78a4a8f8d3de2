"""The store of a run: what is written is there, other settings and other writers are refused, shards are joined."""

import json
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import filelock
import pytest

from prover.benchmarks.row import Row
from prover.runs import store as store_module
from prover.runs.attempt import Attempt
from prover.runs.settings import Settings, as_json
from prover.runs.store import FILE, LOCK, begun, merge, open_store, read_messages, read_run, read_tree
from prover.sources import UserInputError
from search import Spent

SETTINGS = Settings(
    "four", "h", "portfolio", "best-first", "BestFirst()", 2, None, 100, 5.0, 1, 0, "wasm 4.28.0 38f3c0c4", "0.1.0"
)
ROWS = [Row(name, f"theorem {name} : True", topic="logic", label=f"four.jsonl:{i}") for i, name in enumerate("abcd", 1)]
PLACED = list(enumerate(ROWS))


def attempt(theorem: int, number: int, reward: int | None = 1) -> Attempt:
    return Attempt(
        theorem,
        number,
        7 * theorem + number,
        reward,
        "proved" if reward else "budget",
        Spent(1, 2, 3, 4, 5.5, 0.25),
        "by trivial" if reward else None,
        "said",
        "proved" if reward else "",
        ("propext",) if reward else (),
        ({"line": 1, "column": 2, "message": "⊢ α"},),
        '{"version": 1}',
        1000.5,
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    with open_store(tmp_path / "run", as_json(SETTINGS), PLACED, {"cores": 2}) as store:
        store.add_problem(3, "line 1: unknown")
        store.add_problem(0, "")
        session = store.begin_session(2)
        store.add(attempt(1, 0))
        store.add(attempt(0, 1, None))
        store.note_session(session, 10.0, 15.0)
        assert store.problems() == {0: "", 3: "line 1: unknown"}
        assert store.finished() == {(0, 1): None, (1, 0): 1}
        run = read_run(tmp_path / "run")  # another reader, while it is being written
    assert run == read_run(tmp_path / "run")
    assert run.rows == tuple(replace(row) for row in ROWS)
    assert (run.settings, run.environment, run.problems) == (as_json(SETTINGS), {"cores": 2}, {3: "line 1: unknown"})
    kept = [replace(attempt(0, 1, None), tree=None, messages=()), replace(attempt(1, 0), tree=None, messages=())]
    assert list(run.attempts) == kept
    assert [(s.seconds, s.busy_seconds, s.workers) for s in run.sessions] == [(10.0, 15.0, 2)]
    assert read_tree(tmp_path / "run", 1, 0) == '{"version": 1}'
    assert read_messages(tmp_path / "run", 0, 1) == ({"line": 1, "column": 2, "message": "⊢ α"},)
    assert read_tree(tmp_path / "run", 2, 0) is None


def test_no_attempt_twice_and_all_or_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path, as_json(SETTINGS), PLACED, {}) as store:
        store.add(attempt(1, 0))
        with pytest.raises(sqlite3.IntegrityError):
            store.add(attempt(1, 0, 0))
        assert store.finished() == {(1, 0): 1}
        store.add(attempt(2, 0))
    assert len(read_run(tmp_path).attempts) == 2


def test_unscored_attempts_can_be_made_again(tmp_path: Path) -> None:
    with open_store(tmp_path, as_json(SETTINGS), PLACED, {}) as store:
        store.add(attempt(0, 0, None))
        store.add(attempt(1, 0, 0))
        assert store.forget_unscored() == 1
        store.add(attempt(0, 0))
        assert store.finished() == {(0, 0): 1, (1, 0): 0}


def test_other_settings_are_refused_and_named(tmp_path: Path) -> None:
    with open_store(tmp_path, as_json(SETTINGS), PLACED, {}):
        pass
    other = replace(SETTINGS, seed=1, budget_seconds=6.0)
    with pytest.raises(UserInputError) as refused, open_store(tmp_path, as_json(other), PLACED, {}):
        pass
    assert "the budget seconds was 5.0 and is 6.0; the seed was 0 and is 1" in str(refused.value)
    assert begun(tmp_path) == as_json(SETTINGS)


def test_one_writer(tmp_path: Path) -> None:
    with (
        filelock.FileLock(tmp_path / LOCK),
        pytest.raises(UserInputError, match="being written by another process"),
        open_store(tmp_path, as_json(SETTINGS), PLACED, {}),
    ):
        pass


def test_a_run_that_was_ended_before_it_began_is_begun(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / FILE).close()
    assert begun(tmp_path) is None
    with pytest.raises(UserInputError, match="holds no run"):
        read_run(tmp_path)
    with open_store(tmp_path, as_json(SETTINGS), PLACED, {}) as store:
        assert len(store.rows()) == 4


@pytest.mark.parametrize("data", [b"no database, but text that is long enough to look like one" * 99, b"SQLite"])
def test_a_damaged_file_is_a_sentence(tmp_path: Path, data: bytes) -> None:
    (tmp_path / FILE).write_bytes(data)
    with pytest.raises(UserInputError, match="cannot be used: file is not a database"):
        read_run(tmp_path)


def test_another_version_is_refused(tmp_path: Path) -> None:
    with open_store(tmp_path, {**as_json(SETTINGS), "version": 99}, PLACED, {}):
        pass
    with pytest.raises(UserInputError, match="version 99 of the format; version 1 can be read"):
        read_run(tmp_path)


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="holds no run"):
        read_run(tmp_path / "nothing")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserInputError, match="cannot be written"), open_store(tmp_path / "file" / "x", {}, [], {}):
        pass


def test_shards_are_joined_in_the_order_of_the_benchmark(tmp_path: Path) -> None:
    folders = []
    for i in range(2):
        folders.append(tmp_path / f"shard{i}")
        shard = as_json(replace(SETTINGS, shard=f"{i + 1}/2"))
        with open_store(folders[-1], shard, [p for p in PLACED if p[0] % 2 == i], {"cores": i}) as store:
            store.add(replace(attempt(1, 0), proof=f"by shard{i}"))  # `c` in the first, `d` in the second
            store.add_problem(0, f"problem {i}")
            store.note_session(store.begin_session(2), 1.0 + i, 2.0)
    run = merge(folders[::-1], tmp_path / "joined")
    assert [row.name for row in run.rows] == ["a", "b", "c", "d"]
    assert {(run.rows[a.theorem].name, a.proof) for a in run.attempts} == {("c", "by shard0"), ("d", "by shard1")}
    assert run.problems == {0: "problem 0", 1: "problem 1"}
    assert run.settings == as_json(SETTINGS)
    assert sorted(s.seconds for s in run.sessions) == [1.0, 2.0]
    assert read_tree(tmp_path / "joined", 2, 0) == '{"version": 1}'
    with pytest.raises(UserInputError, match="holds a run already"):
        merge(folders, tmp_path / "joined")
    with pytest.raises(UserInputError, match=r"shards 1/2: 2/2 missing"):
        merge(folders[:1], tmp_path / "half")
    with pytest.raises(UserInputError, match="2/2 missing"):
        merge([folders[0], folders[0]], tmp_path / "half")
    with open_store(tmp_path / "third", as_json(replace(SETTINGS, shard="1/3")), PLACED[:1], {}):
        pass
    with pytest.raises(UserInputError, match="shards 1/2, 1/3, 2/2: one of them twice, or of another division"):
        merge([*folders, tmp_path / "third"], tmp_path / "half")
    with open_store(tmp_path / "other", as_json(replace(SETTINGS, seed=5, shard="2/2")), PLACED[1::2], {}):
        pass
    with pytest.raises(UserInputError, match=r"is no shard of the run in .*the seed was 0 and is 5"):
        merge([folders[0], tmp_path / "other"], tmp_path / "half")
    assert begun(tmp_path / "half") is None


def test_a_merge_that_fails_leaves_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for i, folder in enumerate(folders):
        with open_store(folder, as_json(replace(SETTINGS, shard=f"{i + 1}/2")), PLACED[i::2], {}) as store:
            store.add(attempt(0, 0))

    def fail(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(store_module, "_copy", fail)
        with pytest.raises(KeyboardInterrupt):
            merge(folders, tmp_path / "joined")
    assert begun(tmp_path / "joined") is None
    assert len(merge(folders, tmp_path / "joined").attempts) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "joined"]


def test_shards_that_are_empty_or_being_written_can_be_joined(tmp_path: Path) -> None:
    with open_store(tmp_path / "b", as_json(replace(SETTINGS, shard="2/2")), [], {}):
        pass
    with open_store(tmp_path / "a", as_json(replace(SETTINGS, shard="1/2")), PLACED, {}) as store:
        store.add(attempt(0, 0))
        assert len(merge([tmp_path / "a", tmp_path / "b"], tmp_path / "joined").attempts) == 1
        store.add(attempt(1, 0))
    with open_store(tmp_path / "joined", as_json(SETTINGS), PLACED, {}) as store:
        store.add(attempt(1, 0))  # it is not there yet, in no table


def test_a_run_in_a_folder_that_can_only_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may be allowed to write anywhere; so it is only said that the folder is such a one."""
    with open_store(tmp_path, as_json(SETTINGS), PLACED, {}) as store:
        store.add(attempt(1, 0))
    monkeypatch.setattr(store_module, "_can_share", lambda file: False)
    assert len(read_run(tmp_path).attempts) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [LOCK, FILE]


FILLING = """
import resource, sys
from dataclasses import replace
from pathlib import Path
from prover.runs.store import open_store
from prover.sources import UserInputError
from tests.prover.runs.test_store import PLACED, SETTINGS, as_json, attempt
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    with open_store(Path(sys.argv[1]), as_json(SETTINGS), PLACED, {}) as store:
        for number in range(1000):
            store.add(replace(attempt(0, number), proof="x" * 5000))
            print(number, flush=True)
except UserInputError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
"""


def test_a_disk_that_fills_loses_nothing_that_was_finished(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk: the system refuses the write in the same way."""
    most = str(300_000)
    done = subprocess.run(
        [sys.executable, "-c", FILLING, str(tmp_path), most], capture_output=True, text=True, cwd=Path.cwd()
    )
    assert done.returncode == 2, done.stderr
    assert "cannot be written" in done.stderr
    assert "the same command goes on" in done.stderr
    finished = [int(line) for line in done.stdout.split()]
    assert 5 < len(finished) < 1000
    kept = [a.number for a in read_run(tmp_path).attempts]
    assert kept[: len(finished)] == finished
    with open_store(tmp_path, as_json(SETTINGS), PLACED, {}) as store:
        store.add(attempt(1, 0))
        assert len(store.finished()) == len(kept) + 1


def test_settings_as_json_are_plain() -> None:
    assert json.loads(json.dumps(as_json(SETTINGS))) == as_json(SETTINGS)
    assert SETTINGS.budget.seconds == 5.0

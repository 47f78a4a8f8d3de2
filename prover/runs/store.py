"""The store of a run: one SQLite file, in which every attempt is durable before the next one begins."""

import json
import os
import shutil
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import filelock

from prover.benchmarks.row import Row
from prover.runs.attempt import Attempt
from prover.runs.run import Run, Session
from prover.runs.settings import VERSION, differences, refuse_other_settings
from prover.sources import UserInputError
from search import Spent

FILE = "run.sqlite"
LOCK = "run.lock"

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE theorem (
    number INTEGER PRIMARY KEY,     -- from 0, in this run
    place INTEGER NOT NULL,         -- from 0, in the whole benchmark
    name TEXT NOT NULL UNIQUE, statement TEXT NOT NULL, header TEXT NOT NULL, split TEXT NOT NULL, topic TEXT NOT NULL,
    lineage TEXT NOT NULL, licence TEXT NOT NULL, note TEXT NOT NULL, label TEXT NOT NULL, hash TEXT NOT NULL,
    problem TEXT                    -- null: not looked at yet; empty: it elaborates; else why it cannot be attempted
) STRICT;
CREATE TABLE attempt (
    theorem INTEGER NOT NULL REFERENCES theorem, number INTEGER NOT NULL, seed INTEGER NOT NULL,
    reward INTEGER,                 -- null: unscored
    stopped TEXT NOT NULL, proof TEXT, message TEXT NOT NULL, stage TEXT NOT NULL, axioms TEXT NOT NULL,
    samples INTEGER NOT NULL, tokens INTEGER NOT NULL, lean_calls INTEGER NOT NULL, nodes INTEGER NOT NULL,
    seconds REAL NOT NULL, lean_seconds REAL NOT NULL, finished REAL NOT NULL,
    PRIMARY KEY (theorem, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE detail (               -- what is large and seldom read; compressed JSON
    theorem INTEGER NOT NULL, number INTEGER NOT NULL, messages BLOB, tree BLOB,
    PRIMARY KEY (theorem, number)
) STRICT;
CREATE TABLE session (
    number INTEGER PRIMARY KEY, began REAL NOT NULL, seconds REAL NOT NULL, busy_seconds REAL NOT NULL,
    workers INTEGER NOT NULL
) STRICT;
"""
ROW_FIELDS = ("name", "statement", "header", "split", "topic", "lineage", "licence", "note", "label")
SPENT = ("samples", "tokens", "lean_calls", "nodes", "seconds", "lean_seconds")


class Store:
    """A run that this process alone writes. Thread safe. Made by `open_store`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def rows(self) -> tuple[Row, ...]:
        """The run's theorems; their places here are the numbers by which attempts name them."""
        with self._lock:
            return _rows(self._connection)

    def problems(self) -> dict[int, str]:
        """Of the theorems that were looked at, why they cannot be attempted; empty text where they can."""
        with self._lock:
            found = self._connection.execute("SELECT number, problem FROM theorem WHERE problem IS NOT NULL")
            return dict(found.fetchall())

    def add_problem(self, theorem: int, problem: str) -> None:
        """What came of a look at a statement; empty: it elaborates."""
        with self._writing() as connection:
            connection.execute("UPDATE theorem SET problem = ? WHERE number = ?", (problem, theorem))

    def finished(self) -> dict[tuple[int, int], int | None]:
        """The reward of each attempt that is there, by theorem and number."""
        with self._lock:
            found = self._connection.execute("SELECT theorem, number, reward FROM attempt")
            return {(theorem, number): reward for theorem, number, reward in found}

    def add(self, attempt: Attempt) -> None:
        """Keeps one attempt, for good when this returns.

        Raises:
            sqlite3.IntegrityError: it is there already.
        """
        with self._writing() as connection:
            _insert_attempt(connection, attempt)

    def forget_unscored(self) -> int:
        """Takes the unscored attempts out, so that they are made again; returns how many there were."""
        with self._writing() as connection:
            unscored = "SELECT theorem, number FROM attempt WHERE reward IS NULL"
            connection.execute(f"DELETE FROM detail WHERE (theorem, number) IN ({unscored})")
            return connection.execute("DELETE FROM attempt WHERE reward IS NULL").rowcount

    def begin_session(self, workers: int) -> int:
        """Notes that work at the run begins; returns the session's number."""
        with self._writing() as connection:
            row = (time.time(), 0.0, 0.0, workers)
            sql = "INSERT INTO session (began, seconds, busy_seconds, workers) VALUES (?, ?, ?, ?)"
            return connection.execute(sql, row).lastrowid or 0

    def note_session(self, number: int, seconds: float, busy_seconds: float) -> None:
        """How long the session has worked by now, and its workers together."""
        with self._writing() as connection:
            sql = "UPDATE session SET seconds = ?, busy_seconds = ? WHERE number = ?"
            connection.execute(sql, (seconds, busy_seconds, number))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, all or nothing, on disk when it ends."""
        with self._lock, self._connection as connection:
            yield connection


@contextmanager
def open_store(
    folder: Path,
    settings: Mapping[str, Any],
    rows: Sequence[tuple[int, Row]],
    environment: Mapping[str, Any],
) -> Iterator[Store]:
    """The run in `folder`, begun if there is none, gone on with if its settings are these.

    `rows` are the theorems, each with its place in the whole benchmark.

    Raises:
        UserInputError: another process writes it, it has other settings, or it cannot be written.
    """
    with only_writer(folder), _connected(folder / FILE) as connection:
        found = _meta(connection)
        if not found:
            _create(connection, settings, rows, environment)
        else:
            refuse_other_settings(folder, found["settings"], settings)
        try:
            yield Store(connection)
        except sqlite3.OperationalError as error:
            raise UserInputError(
                f"{folder / FILE} cannot be written ({error}); what was finished is kept, and the same command goes on."
            ) from error


def begun(folder: Path) -> Mapping[str, Any] | None:
    """The settings of the run in the folder, if there is one.

    Raises:
        UserInputError: it is damaged, or of another version.
    """
    if not (folder / FILE).exists():
        return None
    with _connected(folder / FILE, read_only=True) as connection:
        found = _meta(connection)
        return found["settings"] if found else None


def read_run(folder: Path) -> Run:
    """The run in this folder, also while another process works on it.

    Raises:
        UserInputError: there is none, or it is damaged or of another version.
    """
    with _moment(folder) as connection:
        meta = _meta(connection)
        problems = connection.execute("SELECT number, problem FROM theorem WHERE problem != ''").fetchall()
        columns = f"theorem, number, seed, reward, stopped, {', '.join(SPENT)}, proof, message, stage, axioms, finished"
        found = connection.execute(f"SELECT {columns} FROM attempt ORDER BY theorem, number")
        attempts = tuple(_attempt(row) for row in found)
        sessions = connection.execute("SELECT began, seconds, busy_seconds, workers FROM session ORDER BY number")
        return Run(
            folder,
            meta["settings"],
            meta["environment"],
            _rows(connection),
            dict(problems),
            attempts,
            tuple(Session(*row) for row in sessions),
        )


def read_tree(folder: Path, theorem: int, number: int) -> str | None:
    """The proof graph of one attempt as JSON, if it was kept."""
    return _read_detail(folder, "tree", theorem, number)


def read_messages(folder: Path, theorem: int, number: int) -> tuple[dict[str, Any], ...]:
    """Lean's messages about the last claim of one attempt."""
    text = _read_detail(folder, "messages", theorem, number)
    return tuple(json.loads(text)) if text else ()


def read_hashes(folder: Path) -> tuple[str, ...]:
    """The hash of each theorem's statement, as it was when the run began."""
    with _reading(folder) as connection:
        return tuple(hash for (hash,) in connection.execute("SELECT hash FROM theorem ORDER BY number"))


def merge(folders: Sequence[Path], out: Path) -> Run:
    """Joins the shards of one run into a new run in `out`, which can be gone on with as a whole.

    Raises:
        UserInputError: they are not the shards 1 to n of one run, or `out` holds a run already.
    """
    runs = [read_run(folder) for folder in folders]
    first = runs[0].settings
    for run in runs[1:]:
        if changed := differences(first, run.settings, frozenset({"shard"})):
            raise UserInputError(f"{run.folder} is no shard of the run in {folders[0]}: {'; '.join(changed)}.")
    shards = sorted(str(run.settings["shard"]) for run in runs)
    count = int(shards[0].split("/")[1])
    wanted = sorted(f"{i}/{count}" for i in range(1, count + 1))
    if shards != wanted:
        missing = [shard for shard in wanted if shard not in shards]
        said = f"{', '.join(missing)} missing" if missing else "one of them twice, or of another division"
        raise UserInputError(f"These are the shards {', '.join(shards)}: {said}.")
    if begun(out) is not None:
        raise UserInputError(f"{out} holds a run already; name another folder with --out.")
    settings = {**first, "shard": "1/1"}
    environment = {**runs[0].environment, "merged": [run.environment for run in runs]}
    # Beside it and then in its place: an interrupted merge leaves nothing that looks like a run.
    unfinished = out.with_name(f".{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with ExitStack() as stack:
            sources = [stack.enter_context(_moment(folder)) for folder in folders]
            placed = sorted((place, row.name, row) for source in sources for place, row in _placed(source))
            number_of = {name: number for number, (_, name, _) in enumerate(placed)}
            rows = [(place, row) for place, _, row in placed]
            with open_store(unfinished, settings, rows, environment) as store, store._writing() as connection:
                for source in sources:
                    _copy(source, [number_of[row.name] for _, row in _placed(source)], connection)
        out.mkdir(parents=True, exist_ok=True)
        (unfinished / FILE).replace(out / FILE)
    except OSError as error:
        raise UserInputError(f"{out} cannot be written: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return read_run(out)


def _copy(source: sqlite3.Connection, numbers: Sequence[int], connection: sqlite3.Connection) -> None:
    """Puts everything of a shard into the joined run, where its theorems have these numbers."""
    for number, problem in source.execute("SELECT number, problem FROM theorem"):
        connection.execute("UPDATE theorem SET problem = ? WHERE number = ?", (problem, numbers[number]))
    for table in ("attempt", "detail"):
        for row in source.execute(f"SELECT * FROM {table}"):
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO {table} VALUES ({marks})", (numbers[row[0]], *row[1:]))
    columns = "began, seconds, busy_seconds, workers"
    for row in source.execute(f"SELECT {columns} FROM session"):
        connection.execute(f"INSERT INTO session ({columns}) VALUES (?, ?, ?, ?)", row)


@contextmanager
def _moment(folder: Path) -> Iterator[sqlite3.Connection]:
    """The run as it is at one moment, whatever is written to it meanwhile."""
    with _reading(folder) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM meta").fetchone()  # the moment is that of the first reading
        yield connection


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """While this is open no other process writes the run in `folder`, which is made if need be; may be nested.

    Raises:
        UserInputError: another process does, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / LOCK, blocking=False, is_singleton=True):
            yield
    except filelock.Timeout:
        raise UserInputError(f"{folder} is being written by another process; one run has one writer.") from None
    except OSError as error:
        if error.filename is None or not str(error.filename).startswith(str(folder)):
            raise
        raise UserInputError(f"{folder} cannot be written: {error.strerror or error}.") from None


@contextmanager
def _connected(file: Path, read_only: bool = False) -> Iterator[sqlite3.Connection]:
    mode = "rwc" if not read_only else "ro" if _can_share(file) else "ro&immutable=1"
    target = f"{file.absolute().as_uri()}?mode={mode}"
    try:
        with closing(sqlite3.connect(target, uri=True, timeout=30, check_same_thread=False)) as connection:
            if not read_only:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
            yield connection
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError):
            raise
        raise UserInputError(f"{file} cannot be used: {error}.") from error


def _can_share(file: Path) -> bool:
    """Whether SQLite can put its shared memory beside the file. Where it cannot, as in an archive, nobody writes."""
    return os.access(file.parent, os.W_OK) or Path(f"{file}-wal").exists()


@contextmanager
def _reading(folder: Path) -> Iterator[sqlite3.Connection]:
    if not (folder / FILE).is_file():
        raise UserInputError(f"{folder} holds no run.")
    with _connected(folder / FILE, read_only=True) as connection:
        if not _meta(connection):
            raise UserInputError(f"{folder} holds no run: it was ended before it began.")
        yield connection


def _meta(connection: sqlite3.Connection) -> dict[str, Any]:
    """Settings and environment; empty where nothing was written yet."""
    tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone()
    if not tables[0]:
        return {}
    found = {key: json.loads(value) for key, value in connection.execute("SELECT key, value FROM meta")}
    version = found["settings"].get("version")
    if version != VERSION:
        raise UserInputError(f"This run was written in version {version} of the format; version {VERSION} can be read.")
    return found


def _create(
    connection: sqlite3.Connection,
    settings: Mapping[str, Any],
    rows: Sequence[tuple[int, Row]],
    environment: Mapping[str, Any],
) -> None:
    columns = ("number", "place", *ROW_FIELDS, "hash")
    values = [(i, place, *(getattr(row, key) for key in ROW_FIELDS), row.hash) for i, (place, row) in enumerate(rows)]
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for statement in TABLES.split(";\n"):
            connection.execute(statement)
        sql = f"INSERT INTO theorem ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        connection.executemany(sql, values)
        meta = {"settings": settings, "environment": environment}
        found = [(key, json.dumps(value, ensure_ascii=False)) for key, value in meta.items()]
        connection.executemany("INSERT INTO meta VALUES (?, ?)", found)


def _rows(connection: sqlite3.Connection) -> tuple[Row, ...]:
    found = connection.execute(f"SELECT {', '.join(ROW_FIELDS)} FROM theorem ORDER BY number")
    return tuple(Row(*row) for row in found)


def _placed(connection: sqlite3.Connection) -> list[tuple[int, Row]]:
    places = [place for (place,) in connection.execute("SELECT place FROM theorem ORDER BY number")]
    return list(zip(places, _rows(connection), strict=True))


def _insert_attempt(connection: sqlite3.Connection, attempt: Attempt) -> None:
    spent = asdict(attempt.spent)
    values = {
        "theorem": attempt.theorem,
        "number": attempt.number,
        "seed": attempt.seed,
        "reward": attempt.reward,
        "stopped": attempt.stopped,
        "proof": attempt.proof,
        "message": attempt.message,
        "stage": attempt.stage,
        "axioms": json.dumps(attempt.axioms),
        "finished": attempt.finished,
        **{key: spent[key] for key in SPENT},
    }
    sql = f"INSERT INTO attempt ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"
    connection.execute(sql, tuple(values.values()))
    messages = json.dumps(attempt.messages, ensure_ascii=False) if attempt.messages else None
    if messages or attempt.tree:
        detail = (attempt.theorem, attempt.number, _packed(messages), _packed(attempt.tree))
        connection.execute("INSERT INTO detail VALUES (?, ?, ?, ?)", detail)


def _attempt(row: tuple[Any, ...]) -> Attempt:
    theorem, number, seed, reward, stopped, *spent = row[: 5 + len(SPENT)]
    proof, message, stage, axioms, finished = row[5 + len(SPENT) :]
    known = () if axioms == "[]" else tuple(json.loads(axioms))
    return Attempt(
        theorem, number, seed, reward, stopped, Spent(*spent), proof, message, stage, known, finished=finished
    )


def _read_detail(folder: Path, column: str, theorem: int, number: int) -> str | None:
    with _reading(folder) as connection:
        sql = f"SELECT {column} FROM detail WHERE theorem = ? AND number = ?"
        found = connection.execute(sql, (theorem, number)).fetchone()
    return zlib.decompress(found[0]).decode() if found and found[0] else None


def _packed(text: str | None) -> bytes | None:
    return None if text is None else zlib.compress(text.encode())

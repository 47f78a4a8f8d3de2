"""`prover verify`: judges the rows of a JSON lines file, and answers one row each, in order."""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from lean_env import Candidate, Theorem, Verdict, Verifier
from prover.commands.lean import WorkersOption, lean_road, open_pool
from prover.lean_file import Declaration, declarations, is_private, statement_pieces
from prover.lean_text import code_tokens
from prover.sources import FULL, UserInputError, decoded, numbered_rows, read_text

KINDS = ("proof", "code")
NO_SANDBOX = (
    "prover: the native Lean runs without a sandbox: there is no bubblewrap that works here, and a candidate's code can"
    " read and write whatever you can"
)


@dataclass(frozen=True)
class Row:
    """A line of the file: what to judge, or in `complaint` why it cannot be. `id` is the row's own, whatever it is."""

    line: int
    id: Any = None
    theorem: Theorem | None = None
    candidate: Candidate | None = None
    complaint: str = ""


def verify(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE.jsonl",
            help="Rows with id, name, statement, kind (proof or code), text, and perhaps header; - for standard input.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="OUT.jsonl", help="Write the answers here, not to standard output.")
    ] = None,
    lean: Annotated[str, typer.Option("--lean", metavar="wasm|native", help="Which Lean judges.")] = "wasm",
    workers: WorkersOption = None,
    row_seconds: Annotated[
        float, typer.Option("--row-seconds", min=0.1, help="Wall clock for one row; a row that exceeds it is unscored.")
    ] = 60.0,
    recheck: Annotated[
        bool,
        typer.Option(
            "--recheck",
            help="Judge what was accepted once more, in a process that only judges (native: by leanchecker, too).",
        ),
    ] = False,
) -> None:
    """Judge proofs: one row of answer each, in order.

    Exit code 0 when every row was judged, whatever the verdicts; 2 when a row, the file or the set-up is bad.
    """
    lean_road(lean)
    text = decoded(sys.stdin.buffer.read(), "standard input") if file == "-" else read_text(Path(file))
    label = "standard input" if file == "-" else file
    rows = read_rows(text, label)
    good = [row for row in rows if row.theorem is not None]
    with _writer(out) as sink:
        if good:
            with (
                open_pool(lean, workers, len(good)) as pool,
                closing(Verifier(pool, recheck=recheck)) as verifier,
                _bar(len(rows)) as bar,
            ):
                if pool.road.sandbox == "none":
                    typer.echo(NO_SANDBOX, err=True)
                unscored = _answer(rows, verifier, row_seconds, sink, bar)
        else:
            unscored = _answer(rows, None, row_seconds, sink, _NoBar())
    for row in rows:
        if row.complaint:
            typer.echo(f"prover: {row.complaint}", err=True)
    if unscored:
        typer.echo(f"prover: {unscored} of {len(rows)} rows are unscored; their messages say why", err=True)
    if len(good) < len(rows):
        raise typer.Exit(2)


def read_rows(text: str, label: str) -> list[Row]:
    """The rows of the file, the bad ones included, in order."""
    rows = []
    for line, data in numbered_rows(text, label):
        if isinstance(data, str):
            rows.append(Row(line, complaint=data))
        else:
            rows.append(_row(line, data, f"{label}, line {line}"))
    return rows


def _row(line: int, data: dict[str, Any], where: str) -> Row:
    identity, header, kind = data.get("id"), data.get("header"), data.get("kind", "proof")
    for key in ("name", "statement", "text"):
        if not isinstance(data.get(key), str) or (key != "text" and not data[key].strip()):
            return Row(line, identity, complaint=f"{where}: `{key}` has to be text.")
    if not isinstance(header, str | None):
        return Row(line, identity, complaint=f"{where}: `header` has to be text.")
    if kind not in KINDS:
        return Row(line, identity, complaint=f"{where}: `kind` is `proof` or `code`, not {json.dumps(kind)}.")
    statement = data["statement"]
    found = only_declaration(statement)
    if found and kind == "code" and is_private(statement, found):
        why = "a `private` theorem in code cannot be looked up by its name"
        advice = "leave the word out of `statement`, or use the kind `proof`"
        return Row(line, identity, complaint=f"{where}: {why}: {advice}.")
    theorem = Theorem(data["name"], core_statement(statement, data["name"]), header or "")
    return Row(line, identity, theorem, Candidate(data["text"], kind))


def only_declaration(statement: str) -> Declaration | None:
    """The declaration that the statement consists of; None if there is none, or anything but comments before it."""
    found = declarations(statement)
    return found[0] if len(found) == 1 and not code_tokens(statement[: found[0].documented]) else None


def core_statement(statement: str, name: str) -> str:
    """The statement as core Lean takes it: `theorem` for `lemma`, without a `:= by sorry` at its end.

    Attributes, doc comments and modifiers go too: they are no part of what the theorem says, `private` hides it, and
    others ask for what is not there. Blanks stand in for what comes before the statement, so that a message about it
    says where the user wrote it.
    """
    found = only_declaration(statement)
    if found is None:
        return statement
    parts: list[str] = []
    at: int | None = 0
    for piece in statement_pieces(statement, found, name):
        if at is not None:
            parts.append(re.sub(r"[^\n]", " ", statement[at : piece.offset]))
        parts.append(piece.text)
        at = piece.offset + len(piece.text) if piece.own else None
    return "".join(parts)


def _answer(
    rows: Sequence[Row], verifier: Verifier | None, seconds: float, sink: IO[str], bar: "_NoBar | _RowBar"
) -> int:
    """Writes the answers in the order of the rows, each as soon as those before it are there; counts the unscored."""
    good = [index for index, row in enumerate(rows) if row.theorem is not None]
    ready: dict[int, dict[str, Any]] = {i: _complaint(row) for i, row in enumerate(rows) if row.theorem is None}
    written = unscored = 0

    def write() -> int:
        at = written
        while at in ready:
            sink.write(_line(ready.pop(at)))
            at += 1
        sink.flush()
        bar.advance(at - written)
        return at

    written = write()
    if verifier is not None:
        pairs = ((rows[i].theorem, rows[i].candidate) for i in good)
        stream = verifier.stream(((t, c) for t, c in pairs if t and c), wall_seconds=seconds)
        for index, verdict in stream:
            unscored += verdict.reward is None
            ready[good[index]] = answer(rows[good[index]], verdict)
            written = write()
    return unscored


def _line(fields: dict[str, Any]) -> str:
    line = json.dumps(fields, ensure_ascii=False) + "\n"
    try:
        line.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can write and UTF-8 cannot
        return json.dumps(fields) + "\n"
    return line


def answer(row: Row, verdict: Verdict) -> dict[str, Any]:
    """The row of answer for a verdict."""
    return {
        "id": row.id,
        "reward": verdict.reward,
        "stage": verdict.stage,
        "message": verdict.message,
        "axioms": list(verdict.axioms),
        "seconds": round(verdict.seconds, 6),
        "lean": asdict(verdict.lean) if verdict.lean else None,
    }


def _complaint(row: Row) -> dict[str, Any]:
    fields = {"id": row.id, "reward": None, "stage": "input", "message": row.complaint}
    return {**fields, "axioms": [], "seconds": 0.0, "lean": None}


@contextmanager
def _writer(out: Path | None) -> Iterator[IO[str]]:
    if out is None:
        yield sys.stdout
        return
    try:
        sink = out.open("w", encoding="utf-8")
    except OSError as error:
        raise UserInputError(f"{out} cannot be written: {error.strerror or error}.") from None
    try:
        with sink:
            yield sink
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise UserInputError(f"{out} cannot be written: {error.strerror}.") from None


class _NoBar:
    def advance(self, rows: int) -> None:
        """Nothing to show it on."""


class _RowBar:
    def __init__(self, bar: Bar, total: int) -> None:
        self.bar, self.task = bar, bar.add_task("judging", total=total)

    def advance(self, rows: int) -> None:
        self.bar.advance(self.task, rows)


@contextmanager
def _bar(total: int) -> Iterator[_NoBar | _RowBar]:
    """A progress bar on standard error, if that is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _NoBar()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        yield _RowBar(bar, total)

"""Where theorems come from: text on the command line, standard input, `.lean` files and `.jsonl` files."""

import errno
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lean_env.errors import LeanEnvError, StatementError
from lean_env.theorem import Theorem
from prover.lean_file import (
    Declaration,
    Piece,
    declarations,
    header_before,
    statement_pieces,
    user_offset,
    with_proofs,
)
from prover.lean_text import code_tokens, line_and_column, offset_of

# Errors of a disk that takes no more, and of a path that cannot be used; other ones of the system's are faults of ours.
FULL = frozenset([errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO])
UNUSABLE = frozenset([errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.EROFS])


class UserInputError(LeanEnvError):
    """Something that the user gave cannot be used; the message is one sentence that says what to do about it."""


@dataclass(frozen=True)
class LeanText:
    """A text with theorems in it. `label` is how messages name it: a path, `<text>`, or `FILE.jsonl:3`."""

    label: str
    text: str
    extra_header: str = ""
    is_file: bool = False
    declarations: tuple[Declaration, ...] = ()

    def completed(self, proofs: Mapping[int, str]) -> str:
        """The whole text as a file, with the proofs put in: it compiles, with a warning for each `sorry` left."""
        body = with_proofs(self.text, self.declarations, proofs)
        return f"{self.extra_header.rstrip()}\n\n{body}" if self.extra_header.strip() else body


@dataclass(frozen=True)
class Problem:
    """A theorem that is to be proved, and its place: the `index`-th declaration of `source`."""

    theorem: Theorem
    source: LeanText
    index: int
    pieces: tuple[Piece, ...] = field(repr=False)

    @property
    def name(self) -> str:
        return self.theorem.name

    @property
    def line(self) -> int:
        """The line of the source that the theorem begins in."""
        return line_and_column(self.source.text, self.source.declarations[self.index].keyword)[0]

    def given(self, proofs: Mapping[int, str]) -> Theorem:
        """The theorem with those earlier ones of its source in its header that `proofs` proves."""
        header = header_before(self.source.text, self.source.declarations, self.index, proofs)
        parts = [part for part in (self.source.extra_header.rstrip(), header) if part.strip()]
        return Theorem(self.theorem.name, self.theorem.statement, "\n".join(parts))

    def explain(self, error: StatementError) -> str:
        """Lean's message with line and column in the user's own text."""
        if error.in_header and self.source.extra_header.strip():
            return f"{self.source.label}: in its header, line {error.line}, column {error.column}: {error.message}"
        if error.in_header:
            line, column = error.line, error.column
        else:
            statement = self.theorem.statement
            offset = user_offset(self.pieces, offset_of(statement, error.line, error.column))
            line, column = line_and_column(self.source.text, offset)
        return f"{self.source.label}:{line}:{column}: {error.message}"


@dataclass(frozen=True)
class Read:
    """What a source held: problems in order, and one sentence for every row that could not be used."""

    problems: tuple[Problem, ...]
    complaints: tuple[str, ...] = ()


def read_source(argument: str, standard_input: bytes | None = None) -> Read:
    """The theorems that an argument of `prover prove` means.

    `argument` is `-` (then `standard_input` is read), a `.jsonl` or `.lean` file, `FILE.lean:NAME`, or theorem text.

    Raises:
        UserInputError: it means nothing that can be proved.
    """
    if argument == "-":
        return Read(tuple(from_text(decoded(standard_input or b"", "standard input"), "<stdin>")))
    path, name = _path_and_name(argument)
    if path is None:
        return Read(tuple(from_text(argument, "<text>")))
    text = read_text(path)
    if path.suffix == ".jsonl":
        return from_rows(text, str(path), name)
    return Read(tuple(from_lean_file(text, str(path), name)))


def read_text(path: Path) -> str:
    """The text of a file that has some."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserInputError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise UserInputError(f"{path} is a folder; name a file in it.") from None
    except OSError as error:
        raise UserInputError(f"{path} cannot be read: {error.strerror or error}.") from None
    return decoded(data, str(path))


def decoded(data: bytes, label: str) -> str:
    """UTF-8 text that is not blank, with `\\n` at the ends of its lines."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserInputError(f"{label} is not UTF-8 text (byte {error.start}); save it as UTF-8.") from None
    if not text.strip():
        raise UserInputError(f"{label} is empty; it should hold a theorem.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def from_text(text: str, label: str, extra_header: str = "") -> list[Problem]:
    """The theorems of a text that still want a proof; `:= by sorry` at the end of one may be missing."""
    source = LeanText(label, text, extra_header, declarations=tuple(declarations(text)))
    found = _problems(source, [i for i, d in enumerate(source.declarations) if d.is_open])
    if found:
        return found
    if source.declarations:
        raise UserInputError(f"{label}: the theorem already has a proof; put `sorry` in its place to have one found.")
    shown = " ".join(text.split())
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    raise UserInputError(f"`{shown}` is neither a file nor a theorem such as `theorem t (n : Nat) : n + 0 = n`.")


def from_lean_file(text: str, label: str, name: str | None = None) -> list[Problem]:
    """The theorems of a `.lean` file with `sorry` in their proofs, or the one called `name`, whatever its proof is."""
    source = LeanText(label, text, is_file=True, declarations=tuple(declarations(text)))
    if name is not None:
        named = [i for i, d in enumerate(source.declarations) if d.name == name]
        named = named or [i for i, d in enumerate(source.declarations) if d.name.split(".")[-1] == name.split(".")[-1]]
        if not named:
            known = ", ".join(d.name for d in source.declarations if d.name)[:200]
            raise UserInputError(f"{label} has no theorem {name}" + (f"; it has {known}." if known else "."))
        if not source.declarations[named[-1]].is_open:
            raise UserInputError(f"{label}: {name} has a proof already; put `sorry` in its place to have one found.")
        return _problems(source, named[-1:])
    found = _problems(source, [i for i, d in enumerate(source.declarations) if d.is_open])
    if not found:
        raise UserInputError(f"{label} has no theorem with `sorry` in its proof, so there is nothing to prove.")
    return found


def from_rows(text: str, label: str, name: str | None = None) -> Read:
    """The theorems of JSON lines with `name`, `formal_statement` or `statement`, perhaps `header`, and other keys."""
    problems: list[Problem] = []
    complaints: list[str] = []
    for number, row in numbered_rows(text, label):
        if isinstance(row, str):
            complaints.append(row)
            continue
        try:
            problem = _from_row(row, f"{label}:{number}")
        except UserInputError as error:
            complaints.append(str(error))
            continue
        if name is None or name in (problem.name, row.get("name")):
            problems.append(problem)
    if name is not None and not problems:
        raise UserInputError(f"{label} has no theorem {name}.")
    return Read(tuple(problems), tuple(complaints))


def numbered_rows(text: str, label: str) -> list[tuple[int, dict[str, Any] | str]]:
    """(line number, object) of every line that is not blank; in the place of a bad one stands the sentence about it."""
    rows: list[tuple[int, dict[str, Any] | str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            rows.append((number, f"{label}, line {number}: not JSON ({reason})."))
            continue
        good = isinstance(row, dict)
        rows.append((number, row if good else f"{label}, line {number}: not a JSON object but {_kind(row)}."))
    return rows


def _refuse_constant(name: str) -> None:
    raise ValueError(f"`{name}` is no number")


def _from_row(row: Mapping[str, Any], label: str) -> Problem:
    key = "formal_statement" if row.get("formal_statement") is not None else "statement"
    statement, header, name = row.get(key), row.get("header") or "", row.get("name")
    if not isinstance(statement, str) or not statement.strip():
        raise UserInputError(f"{label}: no text under `formal_statement` or `statement`.")
    if not isinstance(header, str) or not isinstance(name, str | None):
        raise UserInputError(f"{label}: `header` and `name` have to be text.")
    problems = from_text(statement, label, header)
    return next((problem for problem in problems if problem.name == name), problems[-1])


def _path_and_name(argument: str) -> tuple[Path | None, str | None]:
    """`FILE`, `FILE:NAME`, or (None, None) for theorem text."""
    for suffix in (".lean", ".jsonl"):
        if argument.endswith(suffix) and not argument[: -len(suffix)].endswith(("\n", " ")) and "\n" not in argument:
            return Path(argument), None
        at = argument.rfind(suffix + ":")
        if at >= 0 and "\n" not in argument and ":=" not in argument:
            return Path(argument[: at + len(suffix)]), argument[at + len(suffix) + 1 :].strip()
    words = argument.split()
    if len(words) == 1 and ("/" in argument or "." in argument or (len(argument) < 200 and Path(argument).exists())):
        return Path(argument), None
    if not words:
        raise UserInputError(
            "The theorem is empty; give its text, a .lean file, a .jsonl file, or - for standard input."
        )
    return None, None


def _problems(source: LeanText, indices: Sequence[int]) -> list[Problem]:
    taken = {token.text for token in code_tokens(source.text)} if indices else set()
    found = []
    for i in indices:
        declaration = source.declarations[i]
        name = declaration.name or _fresh_name(taken, i + 1)
        pieces = statement_pieces(source.text, declaration, name)
        statement = "".join(piece.text for piece in pieces)
        draft = Problem(Theorem(name, statement), source, i, pieces)
        found.append(Problem(draft.given({}), source, i, pieces))
    return found


def _fresh_name(taken: set[str], number: int) -> str:
    """A name for an `example` that nothing in its text has."""
    name = f"example_{number}"
    while name in taken:
        name += "'"
    return name


def _kind(value: Any) -> str:
    return {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}.get(type(value), "a number")

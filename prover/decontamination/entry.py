"""The texts that are compared, of a training row or of a benchmark's, and how a training set is read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lean_env import Theorem
from prover.benchmarks.plain import plain_theorem
from prover.benchmarks.row import Row, lean_name
from prover.lean_file import Declaration, declarations, header_before, statement_pieces
from prover.sources import UserInputError, numbered_rows

STATEMENT_KEYS = ("formal_statement", "statement")
INFORMAL_KEYS = ("informal_statement", "informal_prefix")
PROOF_KEY = "proof"


@dataclass(frozen=True)
class Entry:
    """What one row says. `label` is how messages name it, such as `FILE.jsonl:3`.

    `statement` is Lean text up to but without `:=`; it may be empty. `formal` are all the row's statements and proofs,
    those of lemmas before the theorem too.
    """

    name: str
    label: str
    statement: str = ""
    header: str = ""
    formal: tuple[str, ...] = ()
    informal: str = ""

    @property
    def theorem(self) -> Theorem:
        return Theorem(lean_name(self.name), self.statement, self.header)


@dataclass(frozen=True)
class Line:
    """A line of a training set as it stands in the file, line break included; `entry` is None for a blank one."""

    raw: bytes
    entry: Entry | None


def benchmark_entry(row: Row) -> Entry:
    """What a benchmark's row says."""
    return Entry(row.name, row.label or row.name, row.statement, row.header, (row.statement,), row.informal)


def training_lines(data: bytes, label: str) -> list[Line]:
    """The lines of a JSONL training set.

    A row has its theorem under `formal_statement` or `statement`, with a proof or without, perhaps `header`, `name`,
    `proof`, `informal_statement` or `informal_prefix`, and any other keys.

    Raises:
        UserInputError: a row cannot be read: what it says cannot be compared, so it could not be kept either.
    """
    parts = data.split(b"\n")
    raws = [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
    lines = [Line(raw, _entry(raw, number, label)) for number, raw in enumerate(raws, 1)]
    if not any(line.entry for line in lines):
        raise UserInputError(f"{label} is empty; it should hold a theorem in each line.")
    return lines


def kept_bytes(lines: Sequence[Line], removed: frozenset[int]) -> bytes:
    """The lines without the removed rows, which are numbered from 0 without regard to blank lines."""
    kept, place = [], 0
    for line in lines:
        if line.entry is None:
            kept.append(line.raw)
            continue
        if place not in removed:
            kept.append(line.raw)
        place += 1
    return b"".join(kept)


def _entry(raw: bytes, number: int, label: str) -> Entry | None:
    where = f"{label}, line {number}"
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserInputError(f"{where}: not UTF-8 text (byte {error.start}); save the file as UTF-8.") from None
    if not text.strip():
        return None
    ((_, row),) = numbered_rows(" ".join(text.splitlines()), where)
    if isinstance(row, str):
        raise UserInputError(row.replace(", line 1: ", ": ", 1))
    return entry_of(row, f"{label}:{number}")


def entry_of(row: Mapping[str, Any], label: str) -> Entry:
    """What a training row says.

    Raises:
        UserInputError: neither formal nor informal text is in it, or what is there is no text.
    """
    keys = (*STATEMENT_KEYS, "header", "name", PROOF_KEY, *INFORMAL_KEYS)
    for key in keys:
        if not isinstance(row.get(key), str | None):
            raise UserInputError(f"{label}: `{key}` has to be text, not {json.dumps(row[key])[:40]}.")
    texts = {key: row.get(key) or "" for key in keys}
    text = next((texts[key] for key in STATEMENT_KEYS if texts[key].strip()), "")
    informal = "\n".join(texts[key] for key in INFORMAL_KEYS if texts[key].strip())
    if not text.strip() and not informal:
        raise UserInputError(f"{label}: no text under `formal_statement`, `statement` or `informal_statement`.")
    proof = (texts[PROOF_KEY],) if texts[PROOF_KEY].strip() else ()
    plain = plain_theorem(text)
    if plain:
        name, statement = plain
        return Entry(name, label, statement, texts["header"], (statement, *proof), informal)
    found = declarations(text)
    if not found:
        return Entry(texts["name"], label, text.strip(), texts["header"], (text, *proof)[not text.strip() :], informal)
    named = [i for i, declaration in enumerate(found) if declaration.name == texts["name"]]
    at = (named or [len(found) - 1])[-1]
    name = found[at].name or "example_1"
    statement = _statement(text, found[at])
    parts = (texts["header"].rstrip(), header_before(text, found, at, {}))
    header = "\n".join(part for part in parts if part.strip())
    formal = [part for d in found for part in (_statement(text, d), text[d.proof_start : d.end]) if part]
    return Entry(name, label, statement, header, (*formal, *proof), informal)


def _statement(text: str, found: Declaration) -> str:
    return "".join(piece.text for piece in statement_pieces(text, found, found.name or "example_1"))

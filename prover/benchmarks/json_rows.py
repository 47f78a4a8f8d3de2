"""Rows from JSON lines: `name`, `statement` or `formal_statement`, and what else is known of a theorem."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from prover.benchmarks.plain import plain_theorem
from prover.benchmarks.row import Row, lean_name
from prover.sources import UserInputError, from_text, numbered_rows

KEYS = ("split", "topic", "lineage", "licence", "note")


def from_json_lines(text: str, label: str, header: str = "") -> tuple[list[Row], list[str]]:
    """The rows of a JSON lines text, and a sentence for each line that is none.

    A statement may end with `:=`, `:= by` and `sorry`, and may bring definitions before it, which go into its header.
    `header` is that of rows without one. A row whose `name` is not the one in its statement is called `name:theorem`.

    Raises:
        UserInputError: no line is a row, or some rows import something and others have no header.
    """
    rows: list[Row] = []
    complaints: list[str] = []
    for number, line in numbered_rows(text, label):
        if isinstance(line, str):
            complaints.append(line)
            continue
        try:
            rows.append(_row(line, f"{label}:{number}", header))
        except UserInputError as error:
            complaints.append(str(error))
        except UnicodeEncodeError:
            complaints.append(f"{label}:{number}: half of a surrogate pair, which is no text.")
    if not rows:
        first = f": {complaints[0]}" if complaints else "."
        raise UserInputError(f"{label} has no row that can be used{first}")
    bare = [row for row in rows if not row.header]
    if bare and any("import " in row.header for row in rows):
        few = "1 row has" if len(bare) == 1 else f"{len(bare)} rows have"
        raise UserInputError(
            f"{label}: {few} no header (the first is {bare[0].label}) while others import something; "
            "give them one, in the file or with --header."
        )
    return rows, complaints


def to_json_lines(rows: Iterable[Row]) -> str:
    """The rows as `from_json_lines` reads them."""
    return "".join(
        json.dumps(
            {
                "name": row.name,
                "split": row.split,
                "topic": row.topic,
                "header": row.header,
                "formal_statement": row.statement,
                **{key: getattr(row, key) for key in ("lineage", "licence", "note") if getattr(row, key)},
            },
            ensure_ascii=False,
        )
        + "\n"
        for row in rows
    )


def _row(data: Mapping[str, Any], label: str, header: str) -> Row:
    key = "formal_statement" if data.get("formal_statement") is not None else "statement"
    statement, own_header, name = data.get(key), data.get("header") or "", data.get("name")
    if not isinstance(statement, str) or not statement.strip():
        raise UserInputError(f"{label}: no text under `formal_statement` or `statement`.")
    if not isinstance(own_header, str) or not isinstance(name, str | None):
        raise UserInputError(f"{label}: `header` and `name` have to be text.")
    found = plain_theorem(statement)
    if found:
        lean, statement = found
        own_header = own_header.rstrip()
    else:
        problems = from_text(statement, label, own_header)
        wanted = lean_name(name) if name else ""
        problem = next((problem for problem in problems if problem.name == wanted), problems[-1])
        if not name and not problem.source.declarations[problem.index].name:
            raise UserInputError(f"{label}: there is no `name`, and the statement has none either.")
        lean, statement, own_header = problem.name, problem.theorem.statement, problem.theorem.header
    if not name or lean_name(name) == lean:
        name = name or lean
    else:
        name = f"{name}:{lean}"
    # The American spelling is the usual one in data of others.
    more = {key: _text(data, key, label) for key in KEYS} | {
        "licence": _text(data, "licence" if data.get("licence") else "license", label)
    }
    more["informal"] = _text(data, "informal_statement" if data.get("informal_statement") else "informal_prefix", label)
    row = Row(name, statement, own_header if own_header.strip() else header, label=label, **more)
    "".join((row.name, row.statement, row.header, *more.values())).encode()  # it is to be written some day
    return row


def _text(data: Mapping[str, Any], key: str, label: str) -> str:
    value = data.get(key)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    raise UserInputError(f"{label}: `{key}` has to be text.")

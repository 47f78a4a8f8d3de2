"""Rows from Lean files: one file, a folder of them, or a Lake project."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from prover.benchmarks.names import qualified
from prover.benchmarks.row import Row
from prover.lean_file import declarations, header_before, statement_pieces
from prover.lean_text import line_and_column
from prover.sources import UserInputError, from_lean_file, read_text

LAKE_FILES = ("lakefile.lean", "lakefile.toml")
BUILT = {"build", "lake-packages", "__pycache__", "node_modules"}
OPEN, PROVED = "open", "proved"


def from_lean_text(text: str, label: str, header: str = "") -> list[Row]:
    """The theorems of a Lean text with `sorry` in their proofs; `header` is that of rows before which nothing stands.

    Raises:
        UserInputError: there is none.
    """
    return [
        Row(
            problem.name,
            problem.theorem.statement,
            problem.theorem.header if problem.theorem.header.strip() else header,
            label=f"{label}:{problem.line}",
        )
        for problem in from_lean_file(text, label)
    ]


def from_folder(folder: Path, header: str = "") -> tuple[list[Row], list[str]]:
    """The theorems of the `.lean` files below a folder, by path, and a sentence for each file that cannot be read.

    Of a plain folder they are those with `sorry` in their proofs. A folder with a lakefile is a Lake project, all of
    whose theorems are taken: those with `sorry` have the split `open`, those with a proof, which is to be found again,
    the split `proved`; what stands before a theorem in its file, earlier ones with their proofs included, is its
    header. Hidden folders and what Lake builds and downloads are left out.

    Raises:
        UserInputError: there is no theorem.
    """
    is_project = any((folder / name).is_file() for name in LAKE_FILES)
    rows: list[Row] = []
    files: list[str] = []
    complaints: list[str] = []
    paths = list(lean_files(folder))
    for path in paths:
        try:
            text = read_text(path)
        except UserInputError as error:
            # An empty file is nothing to complain of: a project has some.
            complaints += [] if path.is_file() and path.stat().st_size == 0 else [str(error)]
            continue
        found = _all_theorems(text, str(path), header) if is_project else _open_theorems(text, str(path), header)
        rows += found
        files += [path.relative_to(folder).with_suffix("").as_posix()] * len(found)
    if not rows:
        if not paths:
            raise UserInputError(f"{folder} has no .lean file in it.")
        wanted = "" if is_project else " with `sorry` in its proof"
        raise UserInputError(f"{folder} has {_count(paths)}, and no theorem{wanted} in {_them(paths)}.")
    return qualified(rows, files), complaints


def lean_files(folder: Path) -> Iterator[Path]:
    """The Lean files below a folder, sorted by path, without lakefiles, hidden folders and what Lake has built."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in BUILT]
        found += [
            Path(place, name) for name in names if name.endswith(".lean") and not name.startswith((".", "lakefile."))
        ]
    yield from sorted(found, key=lambda path: path.relative_to(folder).with_suffix("").parts)


def _open_theorems(text: str, label: str, header: str) -> list[Row]:
    if not any(declaration.is_open for declaration in declarations(text)):
        return []
    return from_lean_text(text, label, header)


def _all_theorems(text: str, label: str, header: str) -> list[Row]:
    found = declarations(text)
    rows = []
    for i, declaration in enumerate(found):
        if not declaration.name:
            continue  # an `example` is none of the project's theorems
        before = header_before(text, found, i, {})
        rows.append(
            Row(
                declaration.name,
                "".join(piece.text for piece in statement_pieces(text, declaration, declaration.name)),
                before if before.strip() else header,
                OPEN if declaration.is_open else PROVED,
                label=f"{label}:{line_and_column(text, declaration.keyword)[0]}",
            )
        )
    return rows


def _count(paths: Sequence[Path]) -> str:
    return "1 .lean file" if len(paths) == 1 else f"{len(paths)} .lean files"


def _them(paths: Sequence[Path]) -> str:
    return "it" if len(paths) == 1 else "them"

"""Benchmarks by name and by path, and the list of those that have a name."""

import difflib
import importlib.resources
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from prover.benchmarks.entry import Entry
from prover.benchmarks.fetching import copied, kept, kept_at
from prover.benchmarks.json_rows import from_json_lines
from prover.benchmarks.lean_files import from_folder, from_lean_text
from prover.benchmarks.listing import show_entries
from prover.benchmarks.names import qualified, refuse_duplicates
from prover.benchmarks.published import PUBLISHED, Published, Read, minif2f_topic, published_named
from prover.benchmarks.row import Benchmark, Row
from prover.sources import UserInputError, read_text

CORE = "minif2f-core"
CORE_LINEAGE = "yangky11/miniF2F-lean4 @ 5746b7d6c478, restated"
CORE_LICENCE = "MIT (Meta Platforms) and Apache-2.0 (openai/miniF2F)"
NAMES = (CORE, *(published.name for published in PUBLISHED))


def catalogue() -> list[Entry]:
    """Every benchmark that has a name."""
    core = Entry(CORE, 123, CORE_LINEAGE, CORE_LICENCE, "core Lean", True)
    return [core, *(_entry(published) for published in PUBLISHED)]


def listing(console: Console) -> None:
    """Shows the benchmarks that have a name."""
    show_entries(catalogue(), console)


def load(argument: str, data: Path | None = None, split: str | None = None, header: str = "") -> Benchmark:
    """The benchmark that `argument` means: a name, a `.jsonl` or `.lean` file, or a folder.

    `data` is a copy to take instead of what was fetched, for a name. With `split` only its rows are taken. `header` is
    that of rows that have none. What a folder means is said in `lean_files.from_folder`.

    Raises:
        UserInputError: there is no such benchmark, nothing in it can be used, a name stands twice in it, or it has no
            such split.
    """
    published = published_named(argument)
    if data is not None and published is None:
        raise UserInputError(f"--data goes with {_listed([known.name for known in PUBLISHED])}, not with {argument}.")
    if argument == CORE:
        name, (rows, complaints) = CORE, _core()
    elif published is not None:
        name, (rows, complaints) = published.name, copied(published, data) if data else kept(published)
    else:
        path = _path(argument)
        name, (rows, complaints) = path.resolve().name, _from_path(path, header)
    refuse_duplicates(rows)
    if split is not None:
        rows = _of_split(rows, split, argument)
        name = f"{name}/{split}"
    rows = [row if row.header.strip() else replace(row, header=header) for row in rows]
    return Benchmark(name, tuple(rows), tuple(complaints))


def _core() -> Read:
    file = importlib.resources.files("prover").joinpath("data", "minif2f_core_valid.jsonl")
    rows, complaints = from_json_lines(file.read_text(encoding="utf-8"), file.name)
    known = {"lineage": CORE_LINEAGE, "licence": CORE_LICENCE}
    return [replace(row, topic=minif2f_topic(row.name), **known) for row in rows], complaints


def _path(argument: str) -> Path:
    path = Path(argument).expanduser()
    if os.path.exists(path):  # no error where the text of a theorem is too long for a name
        return path
    if "/" in argument or path.suffix in (".jsonl", ".lean", ".json"):
        raise UserInputError(f"There is no file or folder {argument}.")
    near = difflib.get_close_matches(argument.lower(), NAMES, 3, 0.5) or NAMES
    raise UserInputError(
        f"There is no benchmark, file or folder `{argument}`; benchmarks with a name are {_listed(near)}"
        f"{'' if len(near) == len(NAMES) else ' and others (prover bench --list)'}, any other is named by its path."
    )


def _from_path(path: Path, header: str) -> Read:
    if path.is_dir():
        return from_folder(path, header)
    if path.suffix == ".jsonl":
        return from_json_lines(read_text(path), str(path), header)
    if path.suffix == ".lean":
        rows = from_lean_text(read_text(path), str(path), header)
        return qualified(rows, [path.stem] * len(rows)), []
    raise UserInputError(f"{path} is neither a .jsonl file, a .lean file nor a folder.")


def _of_split(rows: Sequence[Row], split: str, argument: str) -> list[Row]:
    found = [row for row in rows if row.split == split]
    if not found:
        known = sorted({row.split for row in rows if row.split})
        raise UserInputError(
            f"{argument} has no split `{split}`; " + (f"it has {_listed(known)}." if known else "it has no splits.")
        )
    return found


def _entry(published: Published) -> Entry:
    here = kept_at(published).is_file()
    return Entry(
        published.name,
        published.count,
        published.lineage,
        published.licence,
        published.needs,
        here,
        "" if here else f"prover data fetch {published.name}",
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

"""A report on disk: report.html, report.md, report.json, and the trees that the page cannot hold."""

import json
from collections.abc import Callable
from pathlib import Path

from prover.reports.details import ReadMessages, ReadTree
from prover.reports.facts import Report, report_json
from prover.reports.markdown import markdown
from prover.reports.page import page
from prover.sources import UserInputError

HTML, MARKDOWN, JSON, TREES = "report.html", "report.md", "report.json", "trees"


def write_report(report: Report, out: Path, read_tree: ReadTree, read_messages: ReadMessages) -> list[Path]:
    """Writes the files into the folder `out`, which is made if need be; returns their paths, the page's first.

    Raises:
        UserInputError: the folder cannot be written.
    """
    made = page(report, read_tree, read_messages)
    texts: dict[Path, Callable[[], str]] = {
        out / HTML: lambda: made.text,
        out / MARKDOWN: lambda: markdown(report),
        out / JSON: lambda: json.dumps(report_json(report), ensure_ascii=False, separators=(",", ":")) + "\n",
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            _write(path, text())
        if made.trees:
            (out / TREES).mkdir(exist_ok=True)
        for old in {path.name for path in (out / TREES).glob("*.json")} - {name for name, _ in made.trees}:
            (out / TREES / old).unlink()  # an earlier report's
        for name, tree in made.trees:
            _write(out / TREES / name, tree)
    except OSError as error:
        raise UserInputError(f"{error.filename or out} cannot be written: {error.strerror or error}.") from None
    return list(texts)


def _write(path: Path, text: str) -> None:
    """Half of a surrogate pair, which text from elsewhere may hold and UTF-8 cannot, becomes a question mark."""
    path.write_bytes(text.encode("utf-8", "replace"))

"""The page: one HTML file with everything in it, below five million bytes, that asks nothing of any network."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from prover.reports.charts import charts
from prover.reports.details import Details, LeftOut, ReadMessages, ReadTree, details, embedded
from prover.reports.document import distinct, document
from prover.reports.facts import Report, Theorem
from prover.reports.table import table_of

LIMIT = 4_900_000  # bytes
TABLE = 1_500_000
SLACK = 2_000
MOST_NAMES = 40
ROW_TAGS, CELL_TAGS = 180, 70  # bytes, no less than they are


@dataclass(frozen=True)
class Page:
    """The text of the page, and the trees that are not whole in it: (name of a file, JSON)."""

    text: str
    trees: tuple[tuple[str, str], ...]


def page(report: Report, read_tree: ReadTree, read_messages: ReadMessages, limit: int = LIMIT) -> Page:
    """The page of a report, in at most `limit` bytes, unless figures, plots and settings alone are more."""
    environment = Environment(
        loader=PackageLoader("prover.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html")
    shown = _rows_that_fit(report, min(TABLE, limit // 3))
    fixed = _fixed(report, shown, environment)
    every = sum(len(run.run.attempts) for run in report.runs) + len(report.theorems)
    widest = Details({}, LeftOut(every, every, every, every, every))
    room = limit - SLACK - len(template.render(**fixed, **_varying(widest)).encode("utf-8", "replace"))
    found = details(report, shown, max(0, room), read_tree, read_messages)
    return Page(template.render(**fixed, **_varying(found)), tuple(found.trees))


def _varying(found: Details) -> dict[str, Any]:
    return {"data": Markup(embedded(found.data)), "left_out": found.left_out.words()}


def _fixed(report: Report, shown: Sequence[Theorem], environment: Environment) -> dict[str, Any]:
    assert environment.loader
    columns, rows = table_of(report, shown)
    style, script = (Markup(environment.loader.get_source(environment, name)[0]) for name in ("page.css", "page.js"))
    return {
        **document(report),
        "style": style,
        "script": script,
        "places": {theorem.row.name: place for place, theorem in enumerate(shown)},
        "most_names": MOST_NAMES,
        "plots": [(plot, Markup(plot.svg)) for plot in charts(report)],
        "columns": columns,
        "rows": rows,
        "topics": distinct(theorem.row.topic for theorem in shown),
        "outcomes": distinct(found.outcome for theorem in shown for found in theorem.found if found),
    }


def _rows_that_fit(report: Report, room: int) -> list[Theorem]:
    """As many theorems as the table has room for, in their order."""
    cells = 6 if len(report.runs) == 1 else 1 + len(report.runs)
    shown = []
    for theorem in report.theorems:
        texts = escape(theorem.row.name + theorem.row.topic).encode("utf-8", "replace")
        room -= len(texts) + ROW_TAGS + cells * CELL_TAGS
        if room < 0:
            break
        shown.append(theorem)
    return shown

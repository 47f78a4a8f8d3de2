"""The report as Markdown: its figures and tables, without plots, proofs and trees."""

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from prover.reports.document import document
from prover.reports.facts import Report
from prover.reports.table import table_of

SPECIAL = re.compile(r"([\\`*_\[\]<>|~#&$])")


def markdown(report: Report) -> str:
    """The text of report.md."""
    environment = Environment(  # escapes by itself: what is not Markup becomes plain text of Markdown
        loader=PackageLoader("prover.reports"),
        autoescape=False,
        undefined=StrictUndefined,
        finalize=_written,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = code
    template = environment.get_template("report.md")
    columns, rows = table_of(report, report.theorems)
    return template.render(**document(report), columns=columns, rows=rows) + "\n"


def plain(text: str) -> str:
    """The text on one line, with nothing in it that Markdown would read as its own."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> Markup:
    """The text as a block of code, whatever it holds."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return Markup(f"{fence}\n{text}\n{fence}")


def _written(value: Any) -> Any:
    return value if isinstance(value, Markup) else plain(str(value))

"""What the page and Markdown say alike: title, headlines, figures, comparison, topics, settings, environment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from prover.reports.facts import Report, environment_words, percent, settings_words
from prover.reports.words import compared_words, figures, headline

MOST_DIFFERENCES = 50


@dataclass(frozen=True)
class Line:
    """A line of a table with a column for each run; `differ`: the runs do not agree on it."""

    key: str
    values: tuple[str, ...]

    @property
    def differ(self) -> bool:
        return len(set(self.values)) > 1


def document(report: Report) -> dict[str, Any]:
    """The values that both templates are filled with."""
    runs = report.runs
    return {
        "title": title(report),
        "runs": runs,
        "headlines": [headline(run) for run in runs],
        "figures": figures(runs),
        "most_differences": MOST_DIFFERENCES,
        "compared": [(each, compared_words(each)) for each in report.compared],
        "topic_lines": topic_lines(report),
        "settings": side_by_side([dict(settings_words(run.run.settings)) for run in runs]),
        "environment": side_by_side([dict(environment_words(run.run.environment)) for run in runs]),
        "commands": distinct(str(run.run.environment.get("command", "")) for run in runs),
    }


def title(report: Report) -> str:
    """What the report is about."""
    of = ", ".join(distinct(str(run.run.settings.get("benchmark", "")) for run in report.runs)) or "a benchmark"
    if len(report.runs) == 1:
        settings = report.runs[0].run.settings
        return f"{of}: {settings.get('policy', 'a policy')} with {settings.get('search', 'a search')}"
    return f"{of}: {len(report.runs)} runs compared"


def topic_lines(report: Report) -> list[Line]:
    """What each run proved of each topic."""
    by_run = [{group.name: group for group in run.summary.topics} for run in report.runs]
    lines = []
    for name in dict.fromkeys(name for groups in by_run for name in groups):
        found = [groups.get(name) for groups in by_run]
        said = (f"{each.solved} of {each.theorems}: {percent(each.solved_share)}" if each else "" for each in found)
        lines.append(Line(name or "no topic", tuple(said)))
    return lines


def side_by_side(columns: Sequence[dict[str, str]]) -> list[Line]:
    """A line for every key of any run."""
    keys = dict.fromkeys(key for column in columns for key in column)
    return [Line(key, tuple(column.get(key, "") for column in columns)) for key in keys]


def distinct(values: Iterable[str]) -> list[str]:
    """Those that are not empty, each once, in order."""
    return [value for value in dict.fromkeys(values) if value]

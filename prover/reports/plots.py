"""Plots as inline SVG, the same bytes for the same numbers, whose colours are the page's own (light and dark)."""

import html
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

# Colours that stand for the page's: matplotlib knows no CSS variables.
INK, LINE = "#c0de00", "#c0de01"
SERIES = tuple(f"#c0de1{n}" for n in range(6))
VARIABLES = {INK: "--ink", LINE: "--line", **{colour: f"--series-{n}" for n, colour in enumerate(SERIES)}}
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: small, and read aloud
    "text.parse_math": False,  # a topic may hold a dollar sign
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": LINE,
    "grid.linewidth": 0.5,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.minor.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
}
WIDTH, HEIGHT = 4.4, 3.1  # inches: about a phone's width, so that text keeps its size there
MOST_POINTS = 250
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)))


@dataclass(frozen=True)
class Curve:
    """Points with ascending `x`; `low` and `high` are the band, empty for none."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


@dataclass(frozen=True)
class Bars:
    """A group of bars: one value, with its interval, for each of the plot's names; None where there is none."""

    label: str
    values: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()


@dataclass(frozen=True)
class Counts:
    """How many lie between each two of the edges."""

    label: str
    counts: Sequence[int]


@dataclass(frozen=True)
class Plot:
    """An SVG element with a title and a description for those who do not see it."""

    title: str
    caption: str
    svg: str


def curves(
    key: str,
    title: str,
    caption: str,
    across: str,
    up: str,
    found: Sequence[Curve],
    *,
    step: bool,
    log: bool = False,
    whole: bool = True,
) -> Plot:
    """Curves over one another, in percent: `step` for counts that jump, points joined by lines otherwise.

    `whole`: between two whole numbers of `across` there is nothing.
    """

    def draw(axes: Axes) -> None:
        for number, curve in enumerate(found):
            colour, dash = SERIES[number % len(SERIES)], DASHES[number % len(DASHES)]
            keep = _thinned(len(curve.x))
            x, y = [curve.x[i] for i in keep], [100 * curve.y[i] for i in keep]
            if step:
                axes.plot(x, y, drawstyle="steps-post", color=colour, linestyle=dash, label=curve.label)
            else:
                mark = "o" if len(x) < 20 else ""
                axes.plot(x, y, marker=mark, markersize=3.5, color=colour, linestyle=dash, label=curve.label)
            if curve.low and curve.high:
                low, high = ([100 * side[i] for i in keep] for side in (curve.low, curve.high))
                fill: Literal["post"] | None = "post" if step else None
                axes.fill_between(
                    x, low, high, step=fill, color=colour, alpha=0.16 if len(found) == 1 else 0.1, linewidth=0
                )
        axes.set_ylim(0, 102)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
        if log:
            room = 1 if step else 1.15  # for the marks
            _logarithmic(axes, min(c.x[0] for c in found) / room, max(c.x[-1] for c in found) * room)
        else:
            axes.set_xlim((0, max(curve.x[-1] for curve in found)) if step else None)
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=whole))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axes.set_xlabel(across)
        axes.set_ylabel(up)

    return _plot(key, title, caption, draw, len(found))


def histogram(
    key: str,
    title: str,
    caption: str,
    across: str,
    up: str,
    edges: Sequence[float],
    found: Sequence[Counts],
    *,
    stacked: bool,
) -> Plot:
    """Counts over edges on a logarithmic axis: bars upon one another, or outlines over one another."""

    def draw(axes: Axes) -> None:
        below = [0] * (len(edges) - 1)
        widths = [right - left for left, right in pairwise(edges)]
        for number, one in enumerate(found):
            colour = SERIES[number % len(SERIES)]
            if not stacked:
                dash = DASHES[number % len(DASHES)]
                axes.stairs(one.counts, edges, color=colour, linestyle=dash, linewidth=1.6, label=one.label)
                axes.stairs(one.counts, edges, color=colour, fill=True, alpha=0.12)
                continue
            axes.bar(
                edges[:-1], one.counts, widths, below, align="edge", color=colour, alpha=0.85 if number == 0 else 0.35,
                label=one.label, linewidth=0,
            )  # fmt: skip
            below = [low + count for low, count in zip(below, one.counts, strict=True)]
        _logarithmic(axes, edges[0], edges[-1])
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.set_xlabel(across)
        axes.set_ylabel(up)

    return _plot(key, title, caption, draw, len(found))


def bars(key: str, title: str, caption: str, across: str, names: Sequence[str], found: Sequence[Bars]) -> Plot:
    """Bars from left to right, in percent, in groups below one another, with whiskers for the intervals."""
    thick = 0.8 / max(1, len(found))

    def draw(axes: Axes) -> None:
        for number, group in enumerate(found):
            there = [i for i, value in enumerate(group.values) if value is not None]
            places = [i + (number - (len(found) - 1) / 2) * thick for i in there]
            values = [100 * (group.values[i] or 0) for i in there]
            axes.barh(
                places, values, thick * 0.92, color=SERIES[number % len(SERIES)], alpha=0.75, label=group.label,
                linewidth=0,
            )  # fmt: skip
            if group.low and group.high:
                low, high = ([100 * (side[i] or 0) for i in there] for side in (group.low, group.high))
                axes.hlines(places, low, high, color=INK, linewidth=1)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(0, 102)
        axes.tick_params("y", length=0)
        axes.grid(False, axis="y")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
        axes.set_xlabel(across)

    height = max(1.6, 0.8 + len(names) * (0.13 + 0.14 * len(found)))
    return _plot(key, title, caption, draw, len(found), height)


def _logarithmic(axes: Axes, low: float, high: float) -> None:
    """A logarithmic axis across, with numbers at powers of ten, and between them where there are few."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.set_xlim(low, high)
    axes.minorticks_off()  # there are many, nobody sees them, and they take half of the time


def _thinned(points: int) -> list[int]:
    """At most about MOST_POINTS places, evenly spread, with the first and the last one."""
    if points <= MOST_POINTS:
        return list(range(points))
    return sorted({round(i * (points - 1) / (MOST_POINTS - 1)) for i in range(MOST_POINTS)})


def _plot(
    key: str, title: str, caption: str, draw: Callable[[Axes], None], series: int, height: float = HEIGHT
) -> Plot:
    with style.context(["default", {**STYLE, "svg.hashsalt": key}]):  # whatever the user has set for other plots
        figure = Figure((WIDTH, height + (0.2 * ((series + 1) // 2) if series > 1 else 0)), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        if series > 1:
            figure.legend(loc="outside upper left", ncols=2, handlelength=2.4)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return Plot(title, caption, _inline(out.getvalue(), key, title, caption))


def _inline(text: str, key: str, title: str, caption: str) -> str:
    """The SVG element alone: named, its ids its own in the page, its colours the page's."""
    body = text[text.index(">", text.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r"font-family: [^;\"]*; ", "", body)
    body = re.sub(r'\b(id="|xlink:href="#|url\(#)', rf"\g<1>{key}-", body)
    body = re.sub(r"(?<=: )#c0de[01][0-9](?=[;\"])", lambda found: f"var({VARIABLES[found[0]]})", body)
    view = re.search(r'viewBox="([-0-9. ]+)"', text)
    head = (
        f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{view[1] if view else ""}" role="img" '
        f'aria-labelledby="{key}-title {key}-caption"><title id="{key}-title">{html.escape(title)}</title>'
        f'<desc id="{key}-caption">{html.escape(caption)}</desc>'
    )
    return head + re.sub(r"\s*\n\s*", "\n", body)

"""The curves of runs as one figure, a plot for each metric. Needs matplotlib."""

import io
import math
from collections.abc import Mapping, Sequence

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rl.runs.curves import Curve, smoothed

COLUMNS, WIDTH, HEIGHT = 3, 4.2, 2.6  # inches, of one plot
NOISY = 60  # points: from here on a smoothed line is drawn over them
COLOURS = ("#0b62a4", "#d1495b", "#2e8540", "#8757a5", "#b8860b", "#4d4d4d")
DASHES = ("-", "--", ":", "-.")
STYLE = {
    "svg.hashsalt": "prover-rl",  # the same bytes for the same numbers
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}


def draw(runs: Mapping[str, Sequence[Curve]], metrics: Sequence[str], form: str) -> bytes:
    """A plot for each metric with a line for each run that has it; `form` is `png` or `svg`, which the bytes are."""
    columns = min(COLUMNS, len(metrics))
    rows = math.ceil(len(metrics) / columns)
    with style.context(["default", STYLE]):  # whatever the user has set for other plots
        figure = Figure((WIDTH * columns, HEIGHT * rows + (0.4 if len(runs) > 1 else 0)), layout="constrained")
        grid = list(figure.subplots(rows, columns, squeeze=False).flat)
        for axes, metric in zip(grid, metrics, strict=False):
            axes.set_title(metric)
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            for number, curves in enumerate(runs.values()):
                for curve in curves:
                    if curve.metric == metric:
                        _line(axes, curve, COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)])
        for axes in grid[len(metrics) :]:
            axes.set_visible(False)
        for axes in grid[max(0, len(metrics) - columns) : len(metrics)]:
            axes.set_xlabel("step")
        if len(runs) > 1:
            lines = [
                grid[0].plot([], [], color=COLOURS[i % len(COLOURS)], linestyle=DASHES[i % len(DASHES)])[0]
                for i in range(len(runs))
            ]
            figure.legend(lines, list(runs), loc="outside upper left", ncols=columns)
        dated = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
        out = io.BytesIO()
        figure.savefig(out, format=form, dpi=150, metadata=dated)
    return out.getvalue()


def _line(axes: Axes, curve: Curve, colour: str, dash: str) -> None:
    if len(curve.steps) < NOISY:
        mark = "o" if len(curve.steps) < 20 else ""
        axes.plot(curve.steps, curve.values, color=colour, linestyle=dash, marker=mark, markersize=3)
        return
    axes.plot(curve.steps, curve.values, color=colour, alpha=0.25, linewidth=0.8)
    axes.plot(curve.steps, smoothed(curve.values, len(curve.values) // 20), color=colour, linestyle=dash)

"""Which plots a report has, and the numbers that go into each."""

from collections.abc import Sequence
from math import floor, log10

from prover.reports.facts import Report, Reported
from prover.reports.plots import Bars, Counts, Curve, Plot, bars, curves, histogram
from prover.reports.words import RESOURCE_WORDS

MOST_TOPICS = 20
NAME_LENGTH = 28
PER_DECADE = 4  # bars of the histogram for each power of ten


def charts(report: Report) -> list[Plot]:
    """The plots of which there is anything to draw."""
    runs = report.runs
    found = [_solved(runs, resource) for resource in RESOURCE_WORDS]
    return [plot for plot in [*found, _passes(runs), _times(runs), _topics(runs)] if plot]


def _solved(runs: Sequence[Reported], resource: str) -> Plot | None:
    """Solved against budget. On a logarithmic axis nothing is at 0, so there a curve begins before its first proof."""
    found: list[Curve] = []
    for run in runs:
        curve = next((each for each in run.summary.curves if each.resource == resource), None)
        if curve and curve.theorems:
            solved = [count / curve.theorems for count in curve.solved]
            found.append(Curve(short(run.label), curve.budget, solved, curve.low, curve.high))
    positive = [x for curve in found for x in curve.x if x > 0]
    if not positive:
        return None
    first, last = min(positive), max(positive)
    log = last > 30 * first
    left = 0.7 * first if log else 0.0
    right = (1.2 if log else 1.05) * last
    found = [_spread(curve, left, right) for curve in found]
    words = RESOURCE_WORDS[resource]
    caption = f"Share of the theorems that have a proof within so many {words} each, with the 95 % interval."
    title = f"Proved against {words}"
    return curves(
        f"solved-{resource}",
        title,
        caption,
        f"{words} a theorem",
        "proved",
        found,
        step=True,
        log=log,
        whole="seconds" not in resource,
    )


def _spread(curve: Curve, left: float, right: float) -> Curve:
    """The curve from `left` to `right`: it stays where it ends, for a larger budget adds nothing to it."""
    x = [*(max(each, left) for each in curve.x), right]
    y, low, high = ([*values, values[-1]] for values in (curve.y, curve.low, curve.high))
    return Curve(curve.label, x, y, low, high)


def _passes(runs: Sequence[Reported]) -> Plot | None:
    found = []
    for run in runs:
        there = [(each.k, each.estimate) for each in run.summary.passes if each.estimate]
        if there:
            found.append(
                Curve(
                    short(run.label),
                    [k for k, _ in there],
                    [estimate.value for _, estimate in there],
                    [estimate.low for _, estimate in there],
                    [estimate.high for _, estimate in there],
                )
            )
    if max((len(curve.x) for curve in found), default=0) < 2:
        return None  # one attempt a theorem: pass@1 is among the figures
    caption = "The chance that at least one of k attempts proves a theorem, averaged, with the 95 % interval."
    log = max(curve.x[-1] for curve in found) > 16
    return curves("pass", "pass@k", caption, "k, attempts at a theorem", "pass@k", found, step=False, log=log)


def _times(runs: Sequence[Reported]) -> Plot | None:
    """The wall clock that each theorem took; with one run, proved ones and others upon one another."""
    times = [
        {
            outcome: [f.spent("seconds") for f in run.found if f.outcome == outcome]
            for outcome in ("proved", "not proved")
        }
        for run in runs
    ]
    every = [max(s, 0.001) for run in times for group in run.values() for s in group]
    if not every:
        return None
    edges = _edges(min(every), max(every))
    if len(runs) == 1:
        found = [Counts(outcome, _counted(times[0][outcome], edges)) for outcome in ("proved", "not proved")]
        caption = "Theorems by the wall clock until their first proof, or until the last attempt where there is none."
    else:
        found = [
            Counts(short(run.label), _counted(time["proved"], edges)) for run, time in zip(runs, times, strict=True)
        ]
        caption = "Proved theorems by the wall clock until their first proof."
    across = "wall-clock seconds"
    stacked = len(runs) == 1
    return histogram("times", "Time for a theorem", caption, across, "theorems", edges, found, stacked=stacked)


def _edges(low: float, high: float) -> list[float]:
    first, last = floor(PER_DECADE * log10(low)) - 1, floor(PER_DECADE * log10(high)) + 2  # an empty one at each end
    return [10 ** (i / PER_DECADE) for i in range(first, last + 1)]


def _counted(values: Sequence[float], edges: Sequence[float]) -> list[int]:
    counts = [0] * (len(edges) - 1)
    first = round(PER_DECADE * log10(edges[0]))
    for value in values:
        counts[floor(PER_DECADE * log10(max(value, 0.001))) - first] += 1
    return counts


def _topics(runs: Sequence[Reported]) -> Plot | None:
    """The largest topics, most theorems first."""
    sizes: dict[str, int] = {}
    for run in runs:
        for group in run.summary.topics:
            sizes[group.name] = max(sizes.get(group.name, 0), group.theorems)
    names = sorted((name for name, size in sizes.items() if size), key=lambda name: -sizes[name])[:MOST_TOPICS]
    if not names:
        return None
    found = []
    for run in runs:
        by_name = {group.name: group.solved_share for group in run.summary.topics}
        shares = [by_name.get(name) for name in names]
        found.append(
            Bars(
                short(run.label),
                [share.value if share else None for share in shares],
                [share.low if share else None for share in shares],
                [share.high if share else None for share in shares],
            )
        )
    left = len([size for size in sizes.values() if size]) - len(names)
    caption = "Share of the theorems of each topic that are proved (how many there are), with the 95 % interval."
    caption += f" {left} smaller topics are left out; the JSON file has them." if left else ""
    shown = [f"{short(name) or 'no topic'} ({sizes[name]})" for name in names]
    return bars("topics", "Topics", caption, "proved", shown, found)


def short(text: str) -> str:
    """A name that fits beside a plot."""
    text = " ".join(text.split())
    return text if len(text) <= NAME_LENGTH else text[: NAME_LENGTH - 1] + "…"

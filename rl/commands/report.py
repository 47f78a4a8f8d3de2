"""`prover-rl report`: the curves of runs as a table and one figure, for who has no TensorBoard at hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from prover.outputs import check_writable, write_whole
from prover.sources import UserInputError
from rl.runs.curves import Curve, read_curves

FORMS = (".png", ".svg")


def command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs; each is a line of its own.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The figure, .png or .svg (default: curves.png in the first run)."),
    ] = None,
    metrics: Annotated[
        str | None, typer.Option("--metrics", metavar="A,B", help="Only those whose names begin so (default: all).")
    ] = None,
) -> None:
    """Show what runs came to: their metrics as a table, and their curves as one figure.

    A run that is being made can be looked at too.
    """
    path = out or runs[0] / "curves.png"
    form = path.suffix.lower()
    if form not in FORMS:
        raise UserInputError(f"--out {path}: a figure is a .png or a .svg file.")
    found = {name: read_curves(folder) for name, folder in zip(_names(runs), runs, strict=True)}
    chosen = _chosen(found, metrics)
    check_writable(path)
    from rl.runs.figure import draw

    write_whole(path, draw(found, chosen, form[1:]))
    Console(highlight=False).print(_table(found, chosen))
    typer.echo(f"wrote {path}")


def _names(runs: Sequence[Path]) -> list[str]:
    """What each run is called: the end of its path, as much of it as tells it from the others."""
    whole = [run.resolve() for run in runs]
    if len(set(whole)) < len(whole):
        raise UserInputError("The same run is named twice.")
    depth = 1
    while len({path.parts[-depth:] for path in whole}) < len(whole):
        depth += 1
    return ["/".join(path.parts[-depth:]) for path in whole]


def _chosen(runs: Mapping[str, Sequence[Curve]], metrics: str | None) -> list[str]:
    """The metrics to show, in the order of the first run that has them."""
    known = list(dict.fromkeys(curve.metric for curves in runs.values() for curve in curves))
    if metrics is None:
        return known
    beginnings = tuple(part.strip() for part in metrics.split(",") if part.strip())
    for beginning in beginnings:
        if not any(name.startswith(beginning) for name in known):
            raise UserInputError(f"No metric begins with `{beginning}`; there are {', '.join(known)}.")
    return [name for name in known if name.startswith(beginnings)]


def _table(runs: Mapping[str, Sequence[Curve]], metrics: Sequence[str]) -> Table:
    """A row for each metric of each run: its first and last value, its least and greatest and their steps."""
    table = Table(box=None, pad_edge=False)
    table.add_column("metric", overflow="fold")
    if len(runs) > 1:
        table.add_column("run", overflow="fold")
    for name in ("first", "last", "step", "least", "at", "greatest", "at"):
        table.add_column(name, justify="right")
    for metric in metrics:
        for name, curves in runs.items():
            for curve in curves:
                if curve.metric == metric:
                    table.add_row(metric, *([name] if len(runs) > 1 else []), *_row(curve))
    return table


def _row(curve: Curve) -> list[str]:
    least, greatest = (pick(range(len(curve.values)), key=curve.values.__getitem__) for pick in (min, max))
    numbers = [f"{curve.values[place]:.4g}" for place in (0, -1, least, greatest)]
    steps = [str(curve.steps[place]) for place in (-1, least, greatest)]
    return [numbers[0], numbers[1], steps[0], numbers[2], steps[1], numbers[3], steps[2]]

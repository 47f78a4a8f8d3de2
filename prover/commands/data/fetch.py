"""`prover data fetch`: takes a benchmark of others from its home, once."""

from pathlib import Path
from typing import Annotated

import typer

from prover.benchmarks.catalogue import CORE, NAMES
from prover.benchmarks.fetching import copied, fetch_benchmark, keep, kept, kept_at
from prover.benchmarks.json_rows import to_json_lines
from prover.benchmarks.published import PUBLISHED, published_named
from prover.commands.setup import install_progress
from prover.sources import UserInputError


def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"{', '.join(known.name for known in PUBLISHED)}.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write NAME.jsonl into this folder instead of the user's cache."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="PATH", help="Take a copy, a file or a folder, instead of the network."),
    ] = None,
) -> None:
    """Fetch a benchmark from its public home at a pinned commit, check it, and keep it for `prover bench NAME`."""
    published = published_named(name)
    if name == CORE:
        raise UserInputError(f"{CORE} is part of this program; there is nothing to fetch.")
    if published is None:
        raise UserInputError(f"There is no benchmark {name}; known are {', '.join(NAMES)}.")
    if out is not None and out.exists() and not out.is_dir():
        raise UserInputError(f"{out} is a file; --out names a folder.")
    target = kept_at(published) if out is None else out / f"{name}.jsonl"
    if data is not None:
        rows, complaints = copied(published, data)
        if rows[0].lineage != published.lineage:
            typer.echo(f"prover: {data} is not {published.lineage}, or cannot be checked: an unpinned copy", err=True)
        keep(target, to_json_lines(rows))
    elif out is None and target.is_file():
        rows, complaints = kept(published)
    else:
        with install_progress() as show:
            rows, complaints = fetch_benchmark(published, target, show)
    for complaint in complaints:
        typer.echo(f"prover: {complaint}", err=True)
    typer.echo(f"{name}: {len(rows)} theorems ({rows[0].lineage}) in {target}")

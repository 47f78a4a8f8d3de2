"""`prover data core`: writes the theorems of the installed core library that can be stated before their own module."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from prover.commands.lean import WorkersOption, open_pool
from prover.corpus.build import build
from prover.corpus.entry import SPLITS
from prover.outputs import check_writable

REASONS = {
    "own": "mention what their own module defines",
    "internal": "are internal",
    "private": "are private",
    "generated": "were made by Lean for a type or a function",
    "instance": "are instances",
    "field": "are fields of structures",
    "unreadable": "have no text that reads back as the same",
    "repeated": "say what an earlier one says",
}


def core(
    out: Annotated[Path, typer.Option("--out", metavar="FILE.jsonl", help="Where to write them.")] = Path("core.jsonl"),
    workers: WorkersOption = None,
    prefix: Annotated[
        str,
        typer.Option("--modules", metavar="PREFIX", help="Only this module and those below it, Init.Data.List say."),
    ] = "Init",
) -> None:
    """Write the theorems of core Lean as a corpus: one JSON line each, with its split.

    A theorem is kept if it can be stated where its own module begins, with nothing but that module's imports. What was
    found is kept in FILE.jsonl.part until all is there: the same command goes on after an interruption.
    """
    check_writable(out)
    with open_pool("wasm", workers, workers or os.cpu_count() or 1) as pool:
        built = build(pool, out, prefix, Console(stderr=True))
    shares = ", ".join(f"{built.splits.get(split, 0):,} {split}" for split in SPLITS)
    typer.echo(f"{built.theorems:,} theorems of {built.modules} modules written to {out}: {shares}", err=True)
    for reason, sentence in REASONS.items():
        if built.left_out.get(reason):
            typer.echo(f"left out: {built.left_out[reason]:,} {sentence}", err=True)

"""`prover-rl harvest`: pairs to learn from, out of the proofs that runs have found."""

from collections.abc import Sequence
from dataclasses import astuple
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prover.commands.lean import WorkersOption, open_pool
from prover.outputs import check_writable
from prover.sources import UserInputError
from rl.data.harvest import Taken, harvest
from rl.data.pairs import Pair, theorems_of
from rl.data.replayed import replayed, without_steps
from rl.data.tried import tried

COLUMNS = ("tried", "proved", "left\nout", "proofs", "steps", "step-\nless")


def command(
    folders: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Folders of runs of `prover bench` or of learning.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="PAIRS.parquet", help="A new file of pairs, or one to add to.")],
    keep: Annotated[
        int | None,
        typer.Option("--keep", metavar="K", min=1, help="Of a theorem only the K shortest different proofs."),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option("--split", metavar="NAME", help="Only theorems of this split; can be given again."),
    ] = None,
    tried_each: Annotated[
        int | None,
        typer.Option(
            "--tried", metavar="K", min=1, help="Not proofs: of each state K tactics that ran, wherever they led."
        ),
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Have Lean run proofs whose steps are not known, for their states.")
    ] = False,
    workers: WorkersOption = None,
) -> None:
    """Take what can be learned from accepted proofs: (state, tactic) pairs of their steps, (statement, proof) pairs.

    Theorems of the splits valid and test are refused unless --split names them. The table says of each run how many of
    the proved theorems are left out as of other splits, and how many of the proofs are stepless: which states their
    tactics were run on is not known. With --replay Lean runs those again.

    With --tried it takes what searches have tried and Lean has run, of theorems that are not held out unless --split
    names some. No judge has seen these pairs; `prover-rl sft --learn-tried` learns first from them what tactics look
    like.
    """
    # Here and not above: the help needs no pyarrow.
    from rl.data.parquet import append_pairs, read_pairs

    check_writable(out)
    if out.exists():
        read_pairs(out)  # refused before the work if it is something else
    if workers is not None and not replay:
        raise UserInputError("--workers is for --replay; without it no Lean is asked.")
    if tried_each is not None:
        if keep is not None:
            raise UserInputError("--keep is about proofs, and --tried takes what is none; give one of them.")
        if replay:
            raise UserInputError("--replay is about proofs, and --tried takes what is none; give one of them.")
        ran = list(tried(folders, tried_each, split or None))
        if not ran:
            raise UserInputError("These runs have kept no trees of theorems that could be taken; nothing was written.")
        new, count = append_pairs(out, ran)
        typer.echo(f"{len(ran)} tactics that ran, {new} of them new in {out}, which holds {count}")
        return
    found = harvest(folders, split or None, keep)
    for complaint in found.complaints:
        typer.echo(f"prover-rl: {complaint}", err=True)
    console = Console(highlight=False)
    console.print(_table(found.taken, console.width))
    if not found.pairs:
        raise UserInputError("These runs have no accepted proof that could be taken; nothing was written.")
    pairs: list[Pair] = list(found.pairs)
    if replay and (stepless := without_steps(pairs)):
        with open_pool("wasm", workers, len(stepless)) as pool:
            steps = list(replayed(stepless, pool))
        pairs += chain.from_iterable(filter(None, steps))
        lost = steps.count(None)
        told = f"; Lean was lost on {lost} others, which the same command tries once more" if lost else ""
        typer.echo(f"{sum(map(bool, steps))} of {len(stepless)} proofs without steps were run again{told}")
    new, count = append_pairs(out, pairs)
    theorems = len(theorems_of(found.pairs))
    typer.echo(f"{len(pairs)} pairs of {theorems} theorems, {new} of them new in {out}, which holds {count}")


def _table(taken: Sequence[Taken], width: int) -> Table:
    """A row for each run. The end of its path tells it from the others, and stays where there is little room."""
    rows = [(str(folder), *map(str, counts)) for folder, *counts in map(astuple, taken)]
    headings = [max(map(len, name.split("\n"))) for name in COLUMNS]
    columns = [max(least, *(len(row[i]) for row in rows)) for i, least in enumerate(headings, 1)]
    room = max(20, width - sum(columns) - 2 * len(columns))
    table = Table(box=None, pad_edge=False)
    table.add_column("run", overflow="fold")
    for name in COLUMNS:
        table.add_column(name, justify="right")
    for path, *counts in rows:
        table.add_row(escape(path if len(path) <= room else f"…{path[1 - room :]}"), *counts)
    return table

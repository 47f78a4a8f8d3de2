"""`prover bench report`: what runs of a benchmark came to, as a page, as Markdown and as JSON."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lean_env import Verifier
from prover.commands.lean import WorkersOption, lean_road, open_pool
from prover.reports.check import Check, Told, check, proof_texts
from prover.runs.run import Run
from prover.runs.store import read_hashes, read_messages, read_run, read_tree
from prover.sources import UserInputError

if TYPE_CHECKING:
    from prover.reports.facts import Report

FEW = 3


def report(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Runs of `prover bench`; others are compared with the first.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to write (default: the first run's folder).")
    ] = None,
    check_proofs: Annotated[
        bool, typer.Option("--check", help="Judge every proof again from its text; exit code 1 on any difference.")
    ] = False,
    exclude_invalid: Annotated[
        bool,
        typer.Option("--exclude-invalid", help="Leave statements that do not elaborate out of what is counted."),
    ] = False,
    lean: Annotated[
        str | None,
        typer.Option("--lean", metavar="wasm|native", help="Which Lean judges again (default: the one of the run)."),
    ] = None,
    workers: WorkersOption = None,
) -> None:
    """Write report.html, which needs nothing but a browser, report.md and report.json.

    Exit code 0, 1 when --check finds a difference, 2 for bad input.
    """
    if lean is not None:
        lean_road(lean)
    _need_extra()
    target = out or folders[0]
    if target.exists() and not target.is_dir():
        raise UserInputError(f"{target} is a file; --out names a folder.")
    runs = [read_run(folder) for folder in folders]
    checks = [_checked(each, lean, workers) for each in runs] if check_proofs else []
    from prover.reports.facts import gather
    from prover.reports.words import check_words, headline
    from prover.reports.write import write_report

    made: Report = gather(runs, checks, exclude_invalid)
    written = write_report(made, target, read_tree, read_messages)
    for run in made.runs:
        said = f"{run.label}: {headline(run)}"
        typer.echo(said + (f" Judged again: {check_words(run)}." if run.check else ""))
    typer.echo(f"written: {', '.join(str(path) for path in written)}")
    differing = [run for run in made.runs if run.check and run.check.differences]
    for run in differing:
        assert run.check
        typer.echo(f"prover: {difference_sentence(run.label, run.check)}", err=True)
    if differing:
        raise typer.Exit(1)


def difference_sentence(label: str, found: Check) -> str:
    """Which theorems differ, the first few by name."""
    named = "; ".join(str(difference) for difference in found.differences[:FEW])
    more = len(found.differences) - FEW
    return f"{label}, judged again, is not what it says: {named}" + (
        f"; and {more} more, in the report" if more > 0 else ""
    )


def _need_extra() -> None:
    """Says before anything is done that the page could not be made after it."""
    for module in ("jinja2", "matplotlib"):
        try:
            importlib.import_module(module)
        except ImportError:
            raise UserInputError(
                f"A report needs {module}, which is not installed; pip install 'lean-rl-prover[report]' brings it."
            ) from None


def _checked(run: Run, lean: str | None, workers: int | None) -> Check:
    """The check of one run, by the Lean that judged it unless another one is named."""
    hashes = read_hashes(run.folder)
    texts = proof_texts(run)
    if not texts:
        return check(run, None, hashes)
    road = lean or str(run.settings["lean"]).split(" ")[0]
    with open_pool(road, workers, len(texts)) as pool, _bar() as told:
        return check(run, Verifier(pool), hashes, told)


@contextmanager
def _bar() -> Iterator[Told]:
    """Shows on standard error, if that is a terminal, how many texts were judged."""
    console = Console(stderr=True)
    columns = (TextColumn("judging again"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)

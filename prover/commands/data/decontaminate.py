"""`prover data decontaminate`: a training set without what is in a benchmark, and a report of what was removed."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from prover.benchmarks import catalogue
from prover.commands.lean import WorkersOption, lean_road, open_pool
from prover.decontamination.criteria import compare, together
from prover.decontamination.elaborated import Form, forms
from prover.decontamination.entry import Entry, benchmark_entry, kept_bytes, training_lines
from prover.decontamination.ngrams import SHORTEST
from prover.decontamination.report import Comparison, as_json, show
from prover.line_a_minute import line_a_minute
from prover.outputs import check_writable, write_whole
from prover.sources import UserInputError


def decontaminate(
    train: Annotated[
        str,
        typer.Argument(
            metavar="TRAIN.jsonl",
            help="Rows with formal_statement or statement, and any other keys; - for standard input.",
        ),
    ],
    bench: Annotated[str, typer.Argument(metavar="BENCH", help="A benchmark, by name or by path.")],
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="CLEAN.jsonl", help="Write the rows that are kept; - for standard output."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="REPORT.json", help="Write what was removed, and why.")
    ] = None,
    gram: Annotated[
        int,
        typer.Option(
            "--gram", metavar="N", min=SHORTEST, help="So many tokens in common with a benchmark row are too many."
        ),
    ] = 10,
    elaborate: Annotated[
        bool,
        typer.Option("--elaborate/--no-elaborate", help="Have Lean elaborate the statements and compare their types."),
    ] = True,
    lean: Annotated[str, typer.Option("--lean", metavar="wasm|native", help="Which Lean elaborates.")] = "wasm",
    workers: WorkersOption = None,
) -> None:
    """Remove from a training set what is in a benchmark; the rows that are kept stay as they are, byte for byte.

    Exit code 0 when the rows were compared, whatever came out; 2 for bad input or a bad set-up.
    """
    lean_road(lean)
    written = [Path(out)] if out not in (None, "-") else []
    for path in [*written, *([report] if report else [])]:
        check_writable(path)
    lines = training_lines(*_read(train))
    rows = [line.entry for line in lines if line.entry]
    benchmark = catalogue.load(bench)
    for complaint in benchmark.complaints:
        typer.echo(f"prover: {complaint}", err=True)
    entries = [benchmark_entry(row) for row in benchmark.rows]
    train_forms: Sequence[Form] = ()
    bench_forms: Sequence[Form] = ()
    if elaborate:
        train_forms, bench_forms = elaborated_forms(rows, entries, lean, workers)
    found = Comparison(
        "standard input" if train == "-" else train,
        rows,
        benchmark.name,
        benchmark.hash,
        entries,
        gram,
        together(compare(rows, entries, gram, train_forms, bench_forms)),
        benchmark.complaints,
        lean if elaborate else None,
        train_forms,
        bench_forms,
    )
    if out is not None:
        kept = kept_bytes(lines, frozenset(found.removed))
        if out == "-":
            sys.stdout.buffer.write(kept)
            sys.stdout.buffer.flush()
        else:
            write_whole(Path(out), kept)
    if report is not None:
        write_whole(report, (json.dumps(as_json(found), ensure_ascii=True, indent=1) + "\n").encode())
    show(found, Console(stderr=True, soft_wrap=True, highlight=False))


def elaborated_forms(
    train: Sequence[Entry], bench: Sequence[Entry], lean: str, workers: int | None
) -> tuple[list[Form], list[Form]]:
    """The fingerprints of both sides. Of a benchmark of which nothing elaborates the training set has nothing, too."""
    theorems = [entry.theorem for entry in train]
    with open_pool(lean, workers, len(train) + len(bench)) as pool:
        with _counted("benchmark", len(bench)) as advance:
            of_bench = forms(pool, [entry.theorem for entry in bench], advance)
        if not any(form.digest for form in of_bench):
            return [], of_bench
        with _counted("training set", len(train)) as advance:
            return forms(pool, theorems, advance), of_bench


def _read(train: str) -> tuple[bytes, str]:
    if train == "-":
        return sys.stdin.buffer.read(), "standard input"
    try:
        return Path(train).read_bytes(), train
    except FileNotFoundError:
        raise UserInputError(f"There is no file {train}.") from None
    except IsADirectoryError:
        raise UserInputError(f"{train} is a folder; name a file in it.") from None
    except OSError as error:
        raise UserInputError(f"{train} cannot be read: {error.strerror or error}.") from None


@contextmanager
def _counted(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Shows how many statements are elaborated: a bar on a terminal, elsewhere a line a minute."""
    console = Console(stderr=True)
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
            task = bar.add_task(f"elaborating the {what}", total=total)
            yield lambda count: bar.advance(task, count)
        return
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count

    with line_a_minute(lambda: f"elaborating the {what}: {done} of {total}", console):
        yield advance

"""`prover prove`: theorems in, proofs that Lean has checked out."""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lean_env import (
    Candidate,
    LeanPool,
    StatementError,
    Theorem,
    UnknownImportError,
    Verifier,
    WorkerLost,
)
from prover.commands.lean import lean_road, open_pool
from prover.portfolio import PortfolioPolicy
from prover.progress import Progress, progress
from prover.proof_file import proof_file
from prover.proving import prove as prove_one
from prover.report import Outcome, as_json, progress_line, show, summary
from prover.sources import LeanText, Problem, UserInputError, read_source
from search import Budget, SearchEvent, SearchResult, Spent

INTERRUPTED = 130


@dataclass
class Work:
    """What the threads share: which proofs of which source are known, and whether to stop."""

    proofs: dict[int, dict[int, str]] = field(default_factory=dict)  # id of the source -> declaration -> proof
    used: dict[int, dict[int, str]] = field(default_factory=dict)  # problem -> the earlier proofs in its header
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def known(self, source: LeanText) -> dict[int, str]:
        with self.lock:
            return dict(self.proofs.get(id(source), {}))

    def found(self, problem: Problem, proof: str) -> None:
        with self.lock:
            self.proofs.setdefault(id(problem.source), {})[problem.index] = proof


def prove(
    source: Annotated[
        str,
        typer.Argument(
            metavar="THEOREM|FILE|-",
            help="The text of a theorem; a .lean file (all its `sorry`s, or FILE.lean:NAME); a .jsonl file with name "
            "and formal_statement; - for standard input.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.lean", help="Write a Lean file that compiles as it stands.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object a theorem.")] = False,
    budget_seconds: Annotated[
        float, typer.Option("--budget-seconds", min=0, help="Wall clock for one theorem.")
    ] = 60.0,
    budget_calls: Annotated[
        int | None, typer.Option("--budget-calls", min=0, help="Lean calls for one theorem (default: no limit).")
    ] = None,
    lean: Annotated[str, typer.Option("--lean", metavar="wasm|native", help="Which Lean proves and judges.")] = "wasm",
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Lean processes (default: one a core).")
    ] = None,
) -> None:
    """Prove theorems; real Lean judges every proof, whole, before it is shown.

    Exit code 0 when all were proved, 1 when one was not within its budget, 2 for bad input or a bad set-up.
    """
    lean_road(lean)
    read = read_source(source, sys.stdin.buffer.read() if source == "-" else None)
    for complaint in read.complaints:
        typer.echo(f"prover: {complaint}", err=True)
    if out is not None:
        _check_writable(out)
    budget = Budget(lean_calls=budget_calls, seconds=budget_seconds)
    if not read.problems:
        raise typer.Exit(2)
    console = Console(stderr=True)
    printer = _Printer(json_output)
    interrupted = False
    with (
        open_pool(lean, workers, len(read.problems)) as pool,
        progress(len(read.problems), budget.seconds, console) as display,
    ):
        runner = _Runner(read.problems, pool, budget, display)
        try:
            for outcome in runner.outcomes():
                with display.paused():
                    printer.add(outcome)
        except KeyboardInterrupt:
            interrupted = True
            runner.interrupt()
    printer.rest()
    outcomes = printer.outcomes
    if out is not None:
        _write(out, proof_file(read.problems, outcomes))
    if len(read.problems) > 1 or interrupted or out is not None:
        typer.echo(summary(outcomes, len(read.problems), interrupted, out), err=True)
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if read.complaints or any(outcome.error for outcome in outcomes):
        raise typer.Exit(2)
    if not all(outcome.proved for outcome in outcomes):
        raise typer.Exit(1)


class _Printer:
    """Prints outcomes in the order of the input, each as soon as those before it are there."""

    def __init__(self, json_output: bool) -> None:
        self.json_output = json_output
        self.waiting: dict[int, Outcome] = {}
        self.outcomes: list[Outcome] = []
        self.next = 0

    def add(self, outcome: Outcome) -> None:
        self.waiting[outcome.number] = outcome
        while self.next in self.waiting:
            self._print(self.waiting.pop(self.next))
            self.next += 1

    def rest(self) -> None:
        """What is known although something before it is not: after an interruption."""
        for number in sorted(self.waiting):
            self._print(self.waiting.pop(number))

    def _print(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        if outcome.error:
            typer.echo(f"prover: {outcome.error}", err=True)
        if self.json_output:
            typer.echo(as_json(outcome))
        elif not outcome.error:
            show(outcome, Console(soft_wrap=True, highlight=False))


class _Runner:
    """Spreads the problems over the workers of the pool, a thread for each worker."""

    def __init__(self, problems: Sequence[Problem], pool: LeanPool, budget: Budget, display: Progress) -> None:
        self.problems, self.pool, self.budget, self.display = problems, pool, budget, display
        self.work = Work()
        self.executor = ThreadPoolExecutor(pool.size, thread_name_prefix="prove")

    def outcomes(self) -> Iterator[Outcome]:
        """The outcomes as they come. Waits in short naps, so that Ctrl-C is heard."""
        running: dict[Future[Outcome], int] = {
            self.executor.submit(self._attempt, number): number for number in range(len(self.problems))
        }
        try:
            while running:
                done, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in sorted(done, key=running.__getitem__):
                    del running[future]
                    outcome = future.result()
                    self.display.ended(outcome.number, "" if outcome.error else progress_line(outcome))
                    yield outcome
        finally:
            self.work.stop.set()
            self.executor.shutdown(wait=False, cancel_futures=True)

    def interrupt(self) -> None:
        """Ends every attempt at once. Lean is not waited for: its processes are ended."""
        self.work.stop.set()
        self.pool.close()

    def _attempt(self, number: int) -> Outcome:
        problem = self.problems[number]
        earlier = self.work.known(problem.source)
        theorem = problem.given(earlier) if problem.source.is_file else problem.theorem

        def on_event(event: SearchEvent) -> None:
            self.display.event(number, event)

        try:
            if self.work.stop.is_set():
                raise WorkerLost("interrupted")
            check_statement(self.pool, theorem)
            self.display.started(number, problem.name)
            result = prove_one(theorem, self.pool, PortfolioPolicy(), self.budget, on_event, self.work.stop)
        except UnknownImportError as error:
            hint = "; Mathlib and what needs it are there with `--lean native` (see `prover setup --native`)"
            said = problem.explain(error).split(" No directory", 1)[0]  # what follows are folders inside of Lean
            return Outcome(number, problem, error=said + (hint if self.pool.road.name == "wasm" else ""))
        except StatementError as error:
            return Outcome(number, problem, error=problem.explain(error))
        except WorkerLost as error:
            if self.work.stop.is_set():
                return Outcome(number, problem, SearchResult(None, Spent(), "interrupted"))
            return Outcome(number, problem, error=f"{problem.source.label}: {error}")
        if result.proof is not None:
            result = self._still_good(problem, earlier, result)
        return Outcome(number, problem, result)

    def _still_good(self, problem: Problem, earlier: dict[int, str], result: SearchResult) -> SearchResult:
        """The result, if the proof also stands after the theorems of its file that were proved meanwhile.

        One of them may be a `simp` lemma: with it in the file, another proof may not go through as it did without.
        """
        assert result.proof is not None
        if problem.source.is_file:
            now = {i: proof for i, proof in self.work.known(problem.source).items() if i < problem.index}
            if now != {i: proof for i, proof in earlier.items() if i < problem.index}:
                verdict = Verifier(self.pool).verify(problem.given(now), Candidate(result.proof))
                if not verdict.proved:
                    return replace(result, proof=None, verdict=verdict, stopped="exhausted")
        self.work.found(problem, result.proof)
        return result


STRICT = "set_option relaxedAutoImplicit false in\n"


def check_statement(pool: LeanPool, theorem: Theorem) -> None:
    """Raises what is wrong with a theorem that a person typed.

    Lean takes an unknown word in a signature, `Natt` say, for a variable over anything. Here it is a slip of the pen,
    unless the header asks for it. One letter, as in `(x : α)`, is a variable.

    Raises:
        StatementError: it does not elaborate, or mentions an unknown word.
    """
    pool.check_statement(theorem)
    if "relaxedAutoImplicit" in theorem.header:
        return
    try:
        pool.check_statement(replace(theorem, statement=STRICT + theorem.statement))
    except StatementError as error:
        raise StatementError(error.message, error.line - 1, error.column, error.in_header) from error


def _check_writable(out: Path) -> None:
    """Says before the work begins that its result could not be written after it."""
    if out.is_dir() or not out.parent.is_dir():
        raise UserInputError(
            f"{out} cannot be written: " + ("it is a folder." if out.is_dir() else "there is no such folder.")
        )
    if not os.access(out if out.exists() else out.parent, os.W_OK):
        raise UserInputError(f"{out} cannot be written: permission denied.")


def _write(out: Path, text: str) -> None:
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserInputError(f"{out} cannot be written: {error.strerror or error}.") from None

"""`prover prove`: theorems in, proofs that Lean has checked out."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
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
from lean_env.negation import negation
from prover.algorithms import Search, plan_named
from prover.commands.lean import ProvingLeanOption, lean_road, open_pool
from prover.commands.policy_options import (
    BaseUrlOption,
    MaxTokensOption,
    PolicyOption,
    PromptOption,
    RedrawsOption,
    SamplesOption,
    TemperatureOption,
    TopPOption,
)
from prover.commands.search_options import (
    BudgetCallsOption,
    BudgetSamplesOption,
    BudgetSecondsOption,
    RoundsOption,
    SearchOption,
)
from prover.outputs import check_writable, write_whole
from prover.policies.losses import with_losses
from prover.policies.plan import plan_policy
from prover.policies.spec import Options
from prover.progress import Progress, progress
from prover.proof_file import proof_file
from prover.proving import prove as prove_one
from prover.proving import shortened
from prover.report import Outcome, as_json, progress_line, show, summary
from prover.sources import LeanText, Problem, UserInputError, read_source
from search import Budget, ProofGraph, SearchEvent, SearchResult, Spent
from search.graph.drawn import to_dot, to_graphml
from search.graph.stored import to_json

INTERRUPTED = 130
INTERRUPTED_SECONDS = 3.0
WORKERS_ON_FEW = 4
TREES: dict[str, Callable[[ProofGraph], str]] = {".json": to_json, ".dot": to_dot, ".graphml": to_graphml}


@dataclass(frozen=True)
class Wanted:
    """How every theorem is to be attempted."""

    search: Search
    seed: int = 0
    disprove: bool = False
    shorten: bool = True


@dataclass
class Work:
    """What the threads share: which proofs of which source are known, and whether to stop."""

    proofs: dict[int, dict[int, str]] = field(default_factory=dict)  # id of the source -> declaration -> proof
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
    budget_seconds: BudgetSecondsOption = 60.0,
    budget_calls: BudgetCallsOption = None,
    budget_samples: BudgetSamplesOption = None,
    search: SearchOption = "best-first",
    rounds: RoundsOption = None,
    policy: PolicyOption = None,
    prompt: PromptOption = None,
    base_url: BaseUrlOption = None,
    temperature: TemperatureOption = None,
    top_p: TopPOption = None,
    max_tokens: MaxTokensOption = None,
    samples: SamplesOption = None,
    redraws: RedrawsOption = None,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="With one worker the same seed gives the same search.")
    ] = 0,
    disprove: Annotated[
        bool, typer.Option("--disprove", help="Try the negation too, under the same budget, and say which was proved.")
    ] = False,
    shorten: Annotated[
        bool, typer.Option("--shorten/--no-shorten", help="Make what was proved shorter, within the budget.")
    ] = True,
    tree: Annotated[
        Path | None,
        typer.Option(
            "--tree", metavar="FILE", help="Write the proof graph of one theorem, as FILE.json, .dot or .graphml."
        ),
    ] = None,
    lean: ProvingLeanOption = "wasm",
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", metavar="N", min=1, help="Lean processes, shared out among the theorems (default: one a core)."
        ),
    ] = None,
) -> None:
    """Prove theorems; real Lean judges every proof, whole, before it is shown.

    Exit code 0 when all were proved, 1 when one was not within its budget, 2 for bad input or a bad set-up.
    """
    lean_road(lean)
    algorithm = plan_named(search, rounds)
    options = Options(prompt, base_url, temperature, max_tokens, samples, top_p, redraws)
    planned = plan_policy(policy, options, algorithm)
    read = read_source(source, sys.stdin.buffer.read() if source == "-" else None)
    for complaint in read.complaints:
        typer.echo(f"prover: {complaint}", err=True)
    if out is not None:
        check_writable(out)
    if not read.problems:
        raise typer.Exit(2)
    if tree is not None:
        _check_tree(tree, len(read.problems))
    budget = Budget(budget_samples, budget_calls, budget_seconds)
    # Several workers on one theorem are of less and less use, and each costs a gigabyte.
    usable = max(len(read.problems), workers or WORKERS_ON_FEW)
    console = Console(stderr=True)
    printer = _Printer(json_output)
    interrupted, ended = False, list[Outcome]()
    with (
        planned.open() as policies,
        open_pool(lean, workers, usable) as pool,
        progress(len(read.problems), budget.seconds, console) as display,
    ):
        wanted = Wanted(Search(algorithm, policies.make), seed, disprove, shorten)
        runner = _Runner(read.problems, pool, budget, display, wanted)
        try:
            for outcome in runner.outcomes():
                with display.paused():
                    printer.add(outcome)
        except KeyboardInterrupt:
            interrupted = True
            ended = runner.interrupt(policies.stop)
    printer.rest()
    for sentence in policies.lost():
        typer.echo(f"prover: {sentence}", err=True)
    outcomes = printer.outcomes
    if tree is not None:
        _write_tree(tree, [*outcomes, *ended])
    if out is not None:
        write_whole(out, proof_file(read.problems, outcomes))
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
    """Spreads the problems over the workers of the pool: one each, or several where there are fewer problems."""

    def __init__(
        self, problems: Sequence[Problem], pool: LeanPool, budget: Budget, display: Progress, wanted: Wanted
    ) -> None:
        self.problems, self.pool, self.budget, self.display, self.wanted = problems, pool, budget, display, wanted
        self.work = Work()
        self.at_once = min(pool.size, len(problems))
        self.executor = ThreadPoolExecutor(self.at_once, thread_name_prefix="prove")
        self.running: dict[Future[Outcome], int] = {}

    def outcomes(self) -> Iterator[Outcome]:
        """The outcomes as they come. Waits in short naps, so that Ctrl-C is heard."""
        running = self.running
        running |= {self.executor.submit(self._attempt, number): number for number in range(len(self.problems))}
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

    def interrupt(self, stop_policies: Callable[[], None]) -> list[Outcome]:
        """Ends every attempt at once, and gives what they came to. Neither Lean nor a model is waited for."""
        self.work.stop.set()
        self.pool.close()
        working = {future for future in self.running if not future.cancelled()}
        end, left = time.monotonic() + INTERRUPTED_SECONDS, working
        while left and time.monotonic() < end:
            stop_policies()  # again and again: a thread may just have been about to ask
            _, left = wait(left, timeout=0.2)
        ended = [future for future in working - left if not future.cancelled()]
        return [future.result() for future in ended if not future.exception()]

    def _workers(self, number: int) -> int:
        """How many of the pool's workers work on a problem."""
        share, more = divmod(self.pool.size, self.at_once)
        return share + (number < more)

    def _attempt(self, number: int) -> Outcome:
        problem, wanted = self.problems[number], self.wanted
        earlier, policy = self.work.known(problem.source), wanted.search.policy(wanted.seed)
        theorem = problem.given(earlier) if problem.source.is_file else problem.theorem

        def on_event(event: SearchEvent) -> None:
            self.display.event(number, event)

        try:
            if self.work.stop.is_set():
                raise WorkerLost("interrupted")
            check_statement(self.pool, theorem)
            opposite = negation(self.pool, theorem) if wanted.disprove else None
            self.display.started(number, problem.name)
            result = prove_one(
                theorem, self.pool, policy, self.budget, on_event, self.work.stop,
                wanted.search.algorithm, self._workers(number), wanted.seed, opposite,
            )  # fmt: skip
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
        if wanted.shorten:
            proved = opposite if opposite and result.side == "negation" else theorem
            result = shortened(proved, self.pool, self.budget, result, self.work.stop)
        if result.proof is not None and result.side == "statement":
            result = self._still_good(problem, earlier, result)
        return Outcome(number, problem, with_losses(result, policy), negation=opposite)

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


def _check_tree(tree: Path, theorems: int) -> None:
    """Says before the work begins that there will be no tree to write, or nowhere to write it."""
    if tree.suffix not in TREES:
        raise UserInputError(f"--tree writes a FILE.json, FILE.dot or FILE.graphml, not `{tree}`.")
    if theorems != 1:
        raise UserInputError(f"--tree is for one theorem, and here are {theorems}: name one, as in FILE.lean:NAME.")
    check_writable(tree)


def _write_tree(tree: Path, outcomes: Sequence[Outcome]) -> None:
    graph = next((outcome.result.graph for outcome in outcomes if outcome.result), None)
    if graph is None:
        typer.echo(f"prover: {tree} was not written: the search did not begin.", err=True)
        return
    write_whole(tree, TREES[tree.suffix](graph))
    states = "1 state" if len(graph.nodes) == 1 else f"{len(graph.nodes)} states"
    typer.echo(f"a tree of {states} written to {tree}", err=True)

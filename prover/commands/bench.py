"""`prover bench`: a prover over a benchmark, unattended; every attempt is kept, and the same command goes on."""

import os
import re
import shlex
import sys
import threading
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from prover.algorithms import Search, plan_named
from prover.benchmarks.catalogue import listing, load
from prover.benchmarks.row import Benchmark
from prover.commands.bench_report import report
from prover.commands.lean import ProvingLeanOption, WorkersOption, lean_road, open_pool
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
from prover.policies.plan import Opened, plan_policy
from prover.policies.spec import Options
from prover.runs.environment import environment, judging, program
from prover.runs.settings import Settings, as_json, refuse_other_settings
from prover.runs.store import begun, merge, only_writer, open_store, read_run
from prover.runs.watched import perform_watched
from prover.sources import UserInputError, read_text
from prover.statistics import summarise

INTERRUPTED = 130


class BenchGroup(TyperGroup):
    """`prover bench BENCH` is `prover bench run BENCH`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


bench = typer.Typer(
    cls=BenchGroup,
    help="Run a prover over a benchmark, unattended: `prover bench BENCH`; see `prover bench run --help`.",
    no_args_is_help=True,
)


@bench.command("run")
def run(
    benchmark: Annotated[
        str,
        typer.Argument(
            metavar="BENCH", help="A name (see --list), a .jsonl or .lean file, a folder of them, a Lake project."
        ),
    ] = "",
    list_them: Annotated[bool, typer.Option("--list", help="List the benchmarks that are known by name.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="The run's folder (default: runs/BENCH-POLICY-SEARCH)."),
    ] = None,
    policy: PolicyOption = None,
    prompt: PromptOption = None,
    base_url: BaseUrlOption = None,
    temperature: TemperatureOption = None,
    top_p: TopPOption = None,
    max_tokens: MaxTokensOption = None,
    samples: SamplesOption = None,
    redraws: RedrawsOption = None,
    search: SearchOption = "best-first",
    rounds: RoundsOption = None,
    attempts: Annotated[int, typer.Option("--attempts", metavar="K", min=1, help="Attempts at each theorem.")] = 1,
    budget_seconds: BudgetSecondsOption = 60.0,
    budget_calls: BudgetCallsOption = None,
    budget_samples: BudgetSamplesOption = None,
    workers: WorkersOption = None,
    workers_per_theorem: Annotated[
        int, typer.Option("--workers-per-theorem", metavar="N", min=1, help="Those that work on one attempt together.")
    ] = 1,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of all attempts together.")] = 0,
    split: Annotated[
        str | None, typer.Option("--split", metavar="NAME", help="Only this part: valid, test, train.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option("--sample", metavar="N", min=1, help="Only so many theorems, drawn by --sample-seed.")
    ] = None,
    sample_seed: Annotated[int, typer.Option("--sample-seed", metavar="N", help="Which ones --sample draws.")] = 0,
    shard: Annotated[
        str, typer.Option("--shard", metavar="I/N", help="Only every N-th theorem, from the I-th; `bench merge` joins.")
    ] = "1/1",
    data: Annotated[
        Path | None, typer.Option("--data", metavar="PATH", help="A copy of the named benchmark's published data.")
    ] = None,
    header: Annotated[
        Path | None,
        typer.Option("--header", metavar="FILE", help="Lean text before rows that have no header."),
    ] = None,
    trees: Annotated[bool, typer.Option("--trees/--no-trees", help="Keep every attempt's proof graph.")] = True,
    retry_unscored: Annotated[
        bool, typer.Option("--retry-unscored", help="Make the attempts again on which Lean or answers were lost.")
    ] = False,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave out rows that cannot be read; the report says how many.")
    ] = False,
    lean: ProvingLeanOption = "wasm",
) -> None:
    """Attempt every theorem of a benchmark; kill it whenever you like, the same command goes on.

    Exit code 0 when every attempt was made, whatever came of it; 2 for bad input; 130 when interrupted.
    """
    if list_them:
        listing(Console(highlight=False))
        return
    if not benchmark:
        raise UserInputError("Name a benchmark, a .jsonl or .lean file or a folder; `prover bench --list` lists names.")
    lean_road(lean)
    algorithm = plan_named(search, rounds)
    options = Options(prompt, base_url, temperature, max_tokens, samples, top_p, redraws)
    planned = plan_policy(policy, options, algorithm)
    index, count = read_shard(shard)
    loaded = load(benchmark, data=data, split=split, header=read_text(header) if header else "")
    refuse_unreadable(loaded, skip_unreadable)
    if sample is not None:
        loaded = loaded.drawn(sample, sample_seed)
    rows = [(place, row) for place, row in enumerate(loaded.rows) if place % count == index]
    folder = out or Path("runs") / folder_name(loaded.name, planned.name, search, shard)
    wanted: dict[str, Any] = {
        "benchmark": loaded.name,
        "benchmark_hash": loaded.hash,
        "policy": planned.text,
        "search": search,
        "options": repr(algorithm),
        "attempts": attempts,
        "budget_samples": budget_samples,
        "budget_calls": budget_calls,
        "budget_seconds": budget_seconds,
        "workers_per_theorem": workers_per_theorem,
        "seed": seed,
        "prover": program(),
        "shard": f"{index + 1}/{count}",
    }
    if found := begun(folder):  # which Lean judges is looked at later, when it has been started
        refuse_other_settings(folder, found, wanted, but=frozenset({"lean", "version"}))
    size = max(workers_per_theorem, workers or os.cpu_count() or 1)
    stop = threading.Event()
    tasks = max(len(rows) * attempts * workers_per_theorem, 1)
    with only_writer(folder), planned.open() as policies, open_pool(lean, size, tasks) as pool:
        version = pool.lean
        settings = Settings(**wanted, lean=judging(version))
        command = shlex.join(["prover", *sys.argv[1:]])
        known = {**environment(version, command), "unreadable": loaded.complaints}
        with open_store(folder, as_json(settings), rows, known) as store:
            if retry_unscored and (forgotten := store.forget_unscored()):
                typer.echo(f"prover: {forgotten} unscored attempts are made again", err=True)

            def say(text: str) -> None:
                typer.echo(f"prover: {text}", err=True)

            made = Search(algorithm, policies.make)
            try:
                perform_watched(store, pool, settings, made, say, stop, trees, policies.stop)
            except KeyboardInterrupt:
                tell_losses(policies)
                typer.echo(f"prover: interrupted; the same command goes on with {folder}", err=True)
                raise typer.Exit(INTERRUPTED) from None
    tell_losses(policies)
    typer.echo(outcome(folder))


bench.command("report")(report)


@bench.command("merge")
def merge_shards(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="The folders of the shards 1/n to n/n.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder of the joined run.")],
) -> None:
    """Join the shards of one run, made on several machines, into a run of the whole benchmark."""
    merge(folders, out)
    typer.echo(outcome(out))


def tell_losses(policies: Opened) -> None:
    """Says how many answers did not come in this session; the store has the count of each attempt."""
    for sentence in policies.lost():
        typer.echo(f"prover: {sentence}", err=True)


def refuse_unreadable(benchmark: Benchmark, skip: bool) -> None:
    """Says what cannot be read; unless it is to be left out, a share of what remains would be none of the benchmark."""
    for complaint in benchmark.complaints:
        typer.echo(f"prover: {complaint}", err=True)
    if benchmark.complaints and not skip:
        count = len(benchmark.complaints)
        raise UserInputError(
            f"{benchmark.name} has {count} that cannot be read; mend that, or leave it out with --skip-unreadable."
        )


def read_shard(text: str) -> tuple[int, int]:
    """`2/4` as (1, 4): which part, from 0, of how many."""
    match = re.fullmatch(r"(\d+)/(\d+)", text.strip())
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise UserInputError(f"--shard is I/N with I from 1 to N, such as 2/4, not `{text}`.")
    return int(match[1]) - 1, int(match[2])


def folder_name(benchmark: str, policy: str, search: str, shard: str) -> str:
    """A folder's name for a run that was given none."""
    words = [benchmark, policy, search] + ([] if shard == "1/1" else [shard])
    return re.sub(r"[^A-Za-z0-9.]+", "-", " ".join(words)).strip("-.")


def outcome(folder: Path) -> str:
    """The last line: what the run came to, counted as its report counts."""
    summary = summarise(read_run(folder))
    counts, share = summary.counts, summary.solved_share
    percent = f" ({100 * share.value:.1f} %)" if share else ""
    parts = [f"{counts.proved} of {counts.judged} theorems proved{percent} in {counts.attempts} attempts"]
    if counts.invalid:
        parts.append(f"{counts.invalid} do not elaborate")
    if counts.unscored_attempts:
        parts.append(f"{counts.unscored_attempts} attempts unscored")
    return f"{'; '.join(parts)}; kept in {folder}, and `prover bench report {shlex.quote(str(folder))}` shows it"

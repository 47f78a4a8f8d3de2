"""`python -m search.benchmark [overhead] [solved] [merging] [paired] [--json]`: all four parts if none is named.

overhead: the search's own Python. solved: theorems proved with real Lean, and where the time goes. merging: equal
states as one node, against none merged. paired: RMaxTS against independent sampling. The policies are named as
module:class, so that this floor need not know those above it; theorems come from a JSON lines file.
"""

import argparse
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lean_env.benchmark.figures import Figure, show
from lean_env.pool import LeanPool
from lean_env.session import ProofSession
from lean_env.theorem import Candidate, Theorem
from lean_env.verdict import Verdict
from lean_env.verifier import Verifier
from search.algorithms.best_first import BestFirst
from search.algorithms.rmaxts import RMaxTS
from search.algorithms.sample import Sample
from search.algorithms.step_mcts import StepMCTS
from search.benchmark import overhead, paired, solved
from search.budget import Budget
from search.driver import Limits
from search.entry import Plan

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("overhead", "solved", "merging", "paired")
PLANS: dict[str, Callable[[], Plan]] = {"best-first": BestFirst, "mcts": StepMCTS}
COUNTS = (8, 32, 128)


def main() -> None:
    options = _options()
    parts = options.parts or PARTS
    figures: list[Figure] = []
    if "overhead" in parts:
        figures += overhead.figures()
    if set(parts) & {"solved", "merging", "paired"}:
        with LeanPool(options.workers) as pool:
            if "solved" in parts:
                figures += _solved(pool, options)
            if "merging" in parts:
                figures += _merging(pool, options)
            if "paired" in parts:
                figures += _paired(pool, options)
    show("search", figures, options.json)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m search.benchmark", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--workers", type=int, default=2, help="Lean processes, all on one theorem")
    parser.add_argument("--seconds", type=float, default=20.0, help="wall clock for one theorem")
    parser.add_argument("--algorithm", choices=PLANS, action="append", help="of `solved`; may be repeated")
    parser.add_argument("--policy", default="prover.portfolio:PortfolioPolicy", help="proposes tactics")
    parser.add_argument("--proof-policy", default="prover.portfolio.grammar:GrammarPolicy", help="completes proofs")
    parser.add_argument("--data", type=Path, default=ROOT / "prover" / "data" / "minif2f_core_valid.jsonl")
    parser.add_argument("--paired-data", type=Path, default=ROOT / "tests" / "data" / "paired.jsonl")
    parser.add_argument("--calls", type=int, default=300, help="of `merging`: Lean calls for one theorem")
    parser.add_argument("--every", type=int, default=1, help="only every so many theorems of the files")
    parser.add_argument("--seeds", type=int, default=3, help="of `paired`")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    return options


def _solved(pool: LeanPool, options: argparse.Namespace) -> list[Figure]:
    figures = []
    for name in options.algorithm or ["best-first"]:
        done = solved.attempt_all(
            solved.theorems(options.data)[:: options.every],
            pool,
            _made(options.policy),
            PLANS[name](),
            Budget(seconds=options.seconds),
            options.workers,
            _told,
        )
        figures += solved.figures(name, done, "60 %")
    return figures


def _merging(pool: LeanPool, options: argparse.Namespace) -> list[Figure]:
    """The same number of Lean calls and one worker for both, so that the clock decides nothing."""
    theorems = solved.theorems(options.data)[:: options.every]
    budget = Budget(lean_calls=options.calls, seconds=None)
    figures = []
    for merge in (True, False):
        done = solved.attempt_all(theorems, pool, _made(options.policy), BestFirst(), budget, 1, _told, merge=merge)
        figures.append(solved.figures("equal states merged" if merge else "none merged", done)[0])
    return figures


def _paired(pool: LeanPool, options: argparse.Namespace) -> list[Figure]:
    verifier = Verifier(pool)

    def judge(theorem: Theorem, proof: str, seconds: float) -> Verdict:
        return verifier.verify(theorem, Candidate(proof), wall_seconds=seconds)

    def report(pair: paired.Pair) -> None:
        print(f"{pair.theorem}, seed {pair.seed}: tree {pair.tree}, alone {pair.alone}", file=sys.stderr, flush=True)

    comparison = paired.compare(
        solved.theorems(options.paired_data)[:: options.every],
        _made(options.proof_policy),
        lambda theorem: ProofSession(pool, theorem),
        judge,
        tree=RMaxTS(heartbeats=12_000),
        alone=Sample(heartbeats=12_000, whole=False),  # a script may be done before its end, here as there
        samples=max(COUNTS),
        seeds=range(options.seeds),
        seconds=120.0,
        workers=options.workers,
        limits=Limits(wall_seconds=10.0),
        report=report,
    )
    theorems = len({pair.theorem for pair in comparison.pairs})
    figures = []
    for count in COUNTS:
        c = paired.compared(comparison.pairs, count)
        detail = (
            f"{theorems} theorems, {c.pairs} pairs ({comparison.lost} cut short); RMaxTS {c.tree}, sampling {c.alone}; "
            f"only the one {c.only_tree}, only the other {c.only_alone}; by seed {c.differences}; p {c.p:.2g}"
        )
        figures.append(Figure(f"more proved by RMaxTS, {count} samples", c.tree - c.alone, "pairs", "> 0", detail))
    return figures


def _made(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)()


def _told(attempted: solved.Attempted) -> None:
    said = f"{attempted.name}: {attempted.stopped}, {attempted.seconds:.1f} s, {attempted.lean_calls} calls"
    print(said, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

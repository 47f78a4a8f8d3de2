"""Runs made in memory for the tests of reports, with trees and messages, and texts that mean harm."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lean_env.goal import Goal, ProofFinished, TacticError, TacticState
from lean_env.theorem import Theorem
from prover.benchmarks.row import Benchmark, Row
from prover.reports.details import ReadMessages, ReadTree
from prover.runs.attempt import Attempt
from prover.runs.run import Run, Session
from prover.runs.settings import Settings, as_json
from prover.runs.store import open_store
from search import ProofGraph, Proposal, Spent
from search.graph.stored import to_json

HARM = "</script><script>document.title='harmed'</script><img src=x onerror=\"document.title='harmed'\">"

ROWS = (
    Row("add_zero'", "theorem add_zero' (n : Nat) : n + 0 = n", topic="addition"),
    Row("or_swap", "theorem or_swap (p q : Prop) (h : p ∨ q) : q ∨ p", topic="logic"),
    Row("hard", "theorem hard (n : Nat) (h : 2 < n) : n * n < 2 ^ (n * n)", topic="powers"),
    Row("lost_one", "theorem lost_one : 1 = 1", topic="logic"),
    Row("not_lean", "theorem not_lean : Natt", topic="addition", note=HARM),
    Row("untouched", "theorem untouched : True", topic="logic"),
)
MESSAGE = {"severity": "error", "line": 2, "column": 4, "message": f"unsolved goals\n⊢ False {HARM}"}


def attempt(
    theorem: int, number: int, reward: int | None, proof: str | None = None, seconds: float = 1.0, **more: Any
) -> Attempt:
    stopped = {1: "proved", 0: "budget", None: "lost"}[reward]
    spent = Spent(samples=3, lean_calls=10, nodes=4, seconds=seconds, lean_seconds=seconds / 2)
    return replace(Attempt(theorem, number, 7, reward, stopped, spent, proof), **more)


ATTEMPTS = (
    attempt(0, 0, 0, seconds=20.0),
    attempt(0, 1, 1, "by simp", seconds=1.5),
    attempt(1, 0, 1, "by\n  cases h with\n  | inl a => exact Or.inr a\n  | inr b => exact Or.inl b", seconds=0.5),
    attempt(1, 1, 1, "h.symm", seconds=0.25),
    attempt(2, 0, 0, seconds=20.0, messages=(MESSAGE,), stage="elaboration"),
    attempt(2, 1, 0, seconds=20.0, message=f"policy {HARM}", messages=(MESSAGE,)),
    attempt(3, 0, None, seconds=3.0),
    attempt(3, 1, None, seconds=3.0),
)


def settings(rows: Sequence[Row], **more: Any) -> dict[str, Any]:
    benchmark = Benchmark("six", tuple(rows))
    known: dict[str, Any] = {
        "benchmark": "six", "benchmark_hash": benchmark.hash, "policy": "portfolio", "search": "best-first",
        "options": "BestFirst()", "attempts": 2, "budget_samples": None, "budget_calls": None, "budget_seconds": 20.0,
        "workers_per_theorem": 1, "seed": 0, "lean": "wasm 4.28.0 38f3c0c4", "prover": "0.1.0",
    }  # fmt: skip
    return as_json(Settings(**{**known, **more}))


def made_run(
    folder: Path,
    made: Sequence[Attempt] = ATTEMPTS,
    rows: Sequence[Row] = ROWS,
    problems: dict[int, str] | None = None,
    **more: Any,
) -> Run:
    """A run in memory, with the trees and messages in its attempts."""
    environment = {
        "command": "prover bench six --attempts 2 --out out",
        "prover": "0.1.0",
        "cores": 2,
        "lean": {"version": "4.28.0", "commit": "38f3c0c4"},
    }
    problems = {4: "line 1: unknown identifier 'Natt'"} if problems is None else problems
    sessions = (Session(1.7e9, 60.0, 90.0, 2),)
    return Run(folder, settings(rows, **more), environment, tuple(rows), problems, tuple(made), sessions)


def stored(run: Run) -> Run:
    """The same run in its folder, written by the store."""
    rows = list(enumerate(run.rows))
    with open_store(run.folder, run.settings, rows, run.environment) as store:
        for number, problem in run.problems.items():
            store.add_problem(number, problem)
        for each in run.attempts:
            store.add(each)
    return run


def reader(*runs: Run) -> tuple[ReadTree, ReadMessages]:
    """`read_tree` and `read_messages` of runs in memory."""
    found = {(run.folder, each.theorem, each.number): each for run in runs for each in run.attempts}
    return (
        lambda folder, theorem, number: found[folder, theorem, number].tree,
        lambda folder, theorem, number: found[folder, theorem, number].messages,
    )


def or_tree(failures: int = 3) -> str:
    """The graph of `or_swap`: `cases h` leaves two goals, each closed; `simp` and others fail, `intro x` leads on.

    Nodes: 0 the root, 1 and 2 the two cases, 3 after `intro x`. Edges in their order: `cases h`, `exact Or.inr a`,
    `exact Or.inl b`, `intro x`, then the failures `fail_0`, ... on the root.
    """
    graph = ProofGraph(Theorem("or_swap", ROWS[1].statement), TacticState((goal("h : p ∨ q\n⊢ q ∨ p"),)))
    root = graph.root
    cases = edge(graph, 0, "cases h")
    graph.succeed(cases, TacticState((goal("a : p\n⊢ q ∨ p"), goal("b : q\n⊢ q ∨ p")), ("cases h",)))
    for number, tactic in ((1, "exact Or.inr a"), (2, "exact Or.inl b")):
        graph.succeed(edge(graph, number, tactic), ProofFinished(("cases h", tactic)))
    graph.succeed(edge(graph, 0, "intro x"), TacticState((goal(f"x : p {HARM}\n⊢ q"),), ("intro x",)))
    for number in range(failures):
        graph.fail(edge(graph, root.number, f"fail_{number}"), TacticError("no progress " + HARM, "error", 0.1))
    return to_json(graph)


def edge(graph: ProofGraph, node: int, tactic: str):
    found = graph.add_edge(graph.nodes[node], Proposal(tactic, -1.0))
    assert found
    return found


def goal(pretty: str) -> Goal:
    return Goal(pretty.split("⊢ ")[-1], pretty=pretty, key=json.dumps(pretty))


def with_trees(attempts: Sequence[Attempt] = ATTEMPTS) -> tuple[Attempt, ...]:
    """The first proof of `or_swap` has a tree."""
    return tuple(replace(a, tree=or_tree()) if (a.theorem, a.number) == (1, 0) else a for a in attempts)

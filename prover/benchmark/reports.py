"""What a report costs over a large run: 1,000 made-up theorems with 100 attempts each, read from a store."""

import tempfile
import time
from pathlib import Path
from random import Random

from lean_env.benchmark.figures import Figure
from lean_env.goal import Goal, ProofFinished, TacticError, TacticState
from lean_env.theorem import Theorem
from prover.benchmarks.row import Benchmark, Row
from prover.reports.facts import gather
from prover.reports.write import HTML, write_report
from prover.runs.attempt import Attempt
from prover.runs.settings import Settings, as_json
from prover.runs.store import open_store, read_messages, read_run, read_tree
from search import ProofGraph, Proposal, Spent
from search.graph.stored import to_json

TOPICS = ("algebra", "number theory", "induction", "inequalities", "sequences", "sets", "lists", "logic")
SHARED_MEMORY = Path("/dev/shm")  # where there is one: a run is durable, and here nothing need be


def figures(theorems: int = 1_000, attempts: int = 100) -> list[Figure]:
    """Seconds for the whole report, with reading the run, and the bytes of its page."""
    base = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=base) as folder:
        run = Path(folder) / "run"
        write_run(run, theorems, attempts)
        gather([read_run(run)])  # what is imported is not measured
        began, before = time.perf_counter(), time.process_time()
        report = gather([read_run(run)])
        gathered = time.perf_counter() - began
        files = write_report(report, Path(folder), read_tree, read_messages)
        seconds, worked = time.perf_counter() - began, time.process_time() - before
        sizes = {path.name: path.stat().st_size / 1e6 for path in files}
    detail = f"{theorems:,} theorems; {worked:.1f} s of processor time; read and counted in {gathered:.1f} s; "
    detail += ", ".join(f"{name} {size:.1f} MB" for name, size in sizes.items())
    return [
        Figure(f"a report over {theorems * attempts:,} attempts", seconds, "s", "10", detail),
        Figure("its page", sizes[HTML], "MB", "5"),
    ]


def write_run(folder: Path, theorems: int, attempts: int, seed: int = 0) -> None:
    """A made-up run: theorems of all difficulties, a tree with the attempt of each that a report shows."""
    random = Random(seed)
    rows = [_row(number, random) for number in range(theorems)]
    benchmark = Benchmark("made up", tuple(rows))
    settings = Settings(
        benchmark=benchmark.name, benchmark_hash=benchmark.hash, policy="portfolio", search="best-first", options="",
        attempts=attempts, budget_samples=None, budget_calls=None, budget_seconds=20.0, workers_per_theorem=1, seed=0,
        lean="wasm 4.28.0 00000000", prover="0",
    )  # fmt: skip
    with open_store(folder, as_json(settings), list(enumerate(rows)), {"command": "prover bench made-up"}) as store:
        for number, row in enumerate(rows):
            chance = random.random() ** 3
            rewards = [_reward(chance, random) for _ in range(attempts)]
            shown = rewards.index(1) if 1 in rewards else attempts - 1
            for i, reward in enumerate(rewards):
                store.add(_attempt(number, i, reward, random, _tree(row.theorem, random) if i == shown else None))


def _row(number: int, random: Random) -> Row:
    variables = " ".join(f"x{i}" for i in range(random.randint(1, 6)))
    facts = "".join(f"\n    (h{i} : x0 * {random.randint(2, 99)} + {i} < 1000)" for i in range(random.randint(0, 5)))
    statement = f"theorem made_up_{number} ({variables} : Nat){facts} :\n  x0 + {number} = {number} + x0"
    return Row(f"made_up_{number}", statement, topic=TOPICS[number % len(TOPICS)], split="valid")


def _reward(chance: float, random: Random) -> int | None:
    return None if random.random() < 0.01 else int(random.random() < chance)


def _attempt(theorem: int, number: int, reward: int | None, random: Random, tree: str | None) -> Attempt:
    calls = random.randint(1, 900)
    spent = Spent(calls // 8 + 1, 0, calls, calls // 3, calls * 0.02 * random.random(), calls * 0.01)
    stopped = {1: "proved", 0: "budget", None: "lost"}[reward]
    proof = "by\n" + "\n".join(f"  have h{i} : x0 = x0 := by rfl" for i in range(random.randint(1, 8))) + "\n  omega"
    said = {"severity": "error", "line": 2, "column": 2, "message": f"unsolved goals\n⊢ x0 + {theorem} = {number} < 7"}
    return Attempt(
        theorem,
        number,
        random.getrandbits(31),
        reward,
        stopped,
        spent,
        proof if reward == 1 else None,
        stage="proved" if reward == 1 else "elaboration" if tree else "",
        axioms=("propext",) if reward == 1 else (),
        messages=(said,) if tree else (),
        tree=tree,
        finished=1.7e9 + number,
    )


def _tree(theorem: Theorem, random: Random, states: int = 40, tactics: int = 8) -> str:
    """A graph with some 40 states and 320 tactics, most of which fail."""
    graph = ProofGraph(theorem, TacticState((_goal(0),)))
    for node in graph.nodes:
        for i in range(tactics):
            edge = graph.add_edge(node, Proposal(f"simp only [Nat.add_comm, h{i}] <;> omega", -float(i)))
            assert edge
            if random.random() < 0.8:
                graph.fail(edge, TacticError("linarith failed to find a contradiction", "error", 0.01))
            elif len(graph.nodes) < states:
                path = (*node.state.path, edge.tactic)
                graph.succeed(edge, TacticState((_goal(len(graph.nodes)),), path))
            else:
                graph.succeed(edge, ProofFinished((*node.state.path, edge.tactic), 0.01))
    return to_json(graph)


def _goal(number: int) -> Goal:
    target = f"x0 + {number} = {number} + x0 ∧ x0 < {number + 1}"
    return Goal(target, pretty=f"x0 x1 x2 : Nat\nh0 : x0 * 7 + 1 < 1000\n⊢ {target}", key=str(number))

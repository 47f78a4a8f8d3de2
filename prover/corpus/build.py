"""Builds the corpus: every module through the pool, each durable before it counts, and one file at the end."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from lean_env import LeanPool
from lean_env.library import Module, modules, theorems
from lean_env.resources import lake_project
from prover.corpus.collect import LOST, Collected, collect
from prover.corpus.entry import row_of, split_of, without_repeats
from prover.corpus.journal import Journal
from prover.corpus.watch import Watch, shown
from prover.outputs import write_whole
from prover.sources import UserInputError


@dataclass(frozen=True)
class Built:
    """How many theorems of how many modules were written, in each split, and how many were left out, by why."""

    modules: int
    splits: Mapping[str, int]
    left_out: Mapping[str, int]

    @property
    def theorems(self) -> int:
        return sum(self.splits.values())


def build(pool: LeanPool, out: Path, prefix: str, console: Console) -> Built:
    """Writes the theorems of the module `prefix` and those below it to `out`, one JSON line each.

    The same Lean writes the same bytes, whoever interrupts it. Until then `OUT.part` has what was found.

    Raises:
        UserInputError: there is no such module, `OUT.part` cannot be used, or Lean was lost on a theorem.
        LeanEnvError: Lean does not start.
    """
    chosen = [module for module in modules(pool) if f"{module.name}.".startswith(f"{prefix}.")]
    if not chosen:
        raise UserInputError(f"No module of core Lean is called {prefix} or lies below it; try Init.Data.List.")
    with Journal(out.with_name(out.name + ".part"), made_with(pool)) as journal:
        _collect_all(pool, chosen, journal, console)
        found = [journal.found[module.name] for module in chosen]
        kept = without_repeats([(module, c.entries) for module, c in zip(chosen, found, strict=True)])
        write_whole(out, "".join(row_of(entry, module) for module, entry in kept))
        journal.remove()
    left_out = sum((Counter(collected.left_out) for collected in found), Counter[str]())
    left_out["repeated"] = sum(len(collected.entries) for collected in found) - len(kept)
    return Built(len(chosen), Counter(split_of(module.name) for module, _ in kept), left_out)


def made_with(pool: LeanPool) -> str:
    """What the result depends on, for the journal: the Lean, and the server that asks it."""
    server = hashlib.sha256((lake_project() / "ProverServer.lean").read_bytes()).hexdigest()
    return f"Lean {pool.lean.version}, commit {pool.lean.commit}, server {server}"


def _collect_all(pool: LeanPool, chosen: Sequence[Module], journal: Journal, console: Console) -> None:
    """Puts all modules into the journal that it lacks, the largest first: no worker is alone at the end."""
    known = {module.name: theorems(pool, module.name) for module in chosen}
    stated = {name: sum(not theorem.made_by for theorem in found) for name, found in known.items()}
    watch = Watch(sum(stated.values()), pool.health)
    todo = []
    for module in chosen:
        if module.name in journal.found:
            watch.already(stated[module.name], len(journal.found[module.name].entries))
        else:
            todo.append(module)
    todo.sort(key=lambda module: -stated[module.name])

    def one(module: Module) -> Collected:
        return collect(pool, module, known[module.name], watch.done)

    lost: list[str] = []
    executor = ThreadPoolExecutor(pool.size, thread_name_prefix="core")
    try:
        with shown(watch, console):
            for future in as_completed([executor.submit(one, module) for module in todo]):
                collected = future.result()
                if LOST in collected.left_out:
                    lost.append(collected.module)
                else:
                    journal.add(collected)
    finally:
        # After an error nobody waits for what still runs: it ends with the pool, which is the caller's.
        executor.shutdown(wait=False, cancel_futures=True)
    if lost:  # what a corpus holds must not depend on a bad day of a machine
        raise UserInputError(
            f"Lean was lost on theorems of {', '.join(sorted(lost))}; the rest is kept, and the same command goes on."
        )

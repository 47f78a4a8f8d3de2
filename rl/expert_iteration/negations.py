"""The negations of theorems as rows of their own, and back."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from lean_env import LeanPool, StatementError, WorkerLost
from lean_env.negation import negation
from prover.benchmarks.row import Row, lean_name


def negations(rows: Iterable[Row], pool: LeanPool) -> tuple[Row, ...]:
    """A row for the negation of each theorem, as Lean writes it, in order; `label` is the name of the theorem's row.

    Left out are those that do not elaborate, those whose negation cannot be written down, and those on which Lean was
    lost: what is not known to be false is attempted again.
    """
    with ThreadPoolExecutor(pool.size, thread_name_prefix="negation") as executor:
        found = list(executor.map(lambda row: _negation(row, pool), rows))
    return tuple(row for row in found if row is not None)


def _negation(row: Row, pool: LeanPool) -> Row | None:
    try:
        other = negation(pool, row.theorem)
    except (StatementError, WorkerLost):
        return None
    # What stands before a `:` tells the row from those of other files.
    place = row.name.removesuffix(lean_name(row.name))
    return replace(row, name=place + other.name, statement=other.statement, label=row.name, informal="")

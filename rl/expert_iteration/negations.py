"""The negations of theorems as rows of their own, and back."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from lean_env import LeanPool, StatementError, WorkerLost
from lean_env.negation import negation
from prover.benchmarks.row import Row, lean_name
from rl.rollouts.lost import JudgeLost


def negations(rows: Iterable[Row], pool: LeanPool) -> tuple[Row, ...]:
    """A row for the negation of each theorem, as Lean writes it, in order; `label` is the name of the theorem's row.

    Left out are those that do not elaborate, those whose negation cannot be written down, and those on which Lean was
    lost: what is not known to be false is attempted again.

    Raises:
        JudgeLost: Lean was lost on each of them.
    """
    with ThreadPoolExecutor(pool.size, thread_name_prefix="negation") as executor:
        found = list(executor.map(lambda row: _negation(row, pool), rows))
    if found and all(isinstance(each, WorkerLost) for each in found):
        raise JudgeLost(f"Lean is lost: {found[0]}")
    return tuple(row for row in found if isinstance(row, Row))


def _negation(row: Row, pool: LeanPool) -> Row | WorkerLost | None:
    try:
        other = negation(pool, row.theorem)
    except StatementError:
        return None
    except WorkerLost as error:
        return error
    # What stands before a `:` tells the row from those of other files.
    place = row.name.removesuffix(lean_name(row.name))
    return replace(row, name=place + other.name, statement=other.statement, label=row.name, informal="")

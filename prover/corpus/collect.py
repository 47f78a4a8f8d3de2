"""Asks Lean for the theorems of one module, as texts in the environment of that module's own imports."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lean_env import LeanPool, WorkerLost
from lean_env.library import LibraryTheorem, Module, Restated, restate
from lean_env.retry import lost_too_often
from prover.corpus.entry import Entry

LOST = "lost"
AT_ONCE = 50  # theorems in one request: what a lost worker costs, at most


@dataclass(frozen=True)
class Collected:
    """A module's theorems. `left_out` counts the others by why: what made them, `own`, `unreadable` or `lost`.

    `own`: they mention what their own module defines. `unreadable`: no text was found that reads back as the same.
    """

    module: str
    entries: tuple[Entry, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)


def collect(
    pool: LeanPool, module: Module, theorems: Sequence[LibraryTheorem], done: Callable[[int, int], None]
) -> Collected:
    """Restates the theorems that somebody stated. `done` is told how many were looked at, and how many of them kept.

    A request that loses its worker is asked again in halves, a single theorem as often as lean_env.retry says.

    Raises:
        LeanEnvError: Lean does not start, or the pool was closed.
    """
    left_out = Counter(theorem.made_by for theorem in theorems if theorem.made_by)
    names = [theorem.name for theorem in theorems if not theorem.made_by]
    todo = [names[i : i + AT_ONCE] for i in range(0, len(names), AT_ONCE)][::-1]
    losses: dict[str, list[WorkerLost]] = {}
    restated: dict[str, Restated] = {}
    while todo:
        # One worker for as long as it lives: another one would have to import the header first.
        with pool.lease() as worker:
            while todo and worker.alive:
                part = todo.pop()
                try:
                    answers = restate(worker, part, module.header)
                except WorkerLost as error:
                    todo += _again(part, error, losses)
                    continue
                restated.update((answer.name, answer) for answer in answers)
                done(len(part), sum(answer.statement is not None for answer in answers))
    entries = []
    for name in names:
        answer = restated.get(name)
        if answer is None:
            left_out[LOST] += 1
        elif answer.statement is None:
            left_out["own" if answer.missing else "unreadable"] += 1
        else:
            entries.append(Entry(name, answer.statement, answer.key))
    return Collected(module.name, tuple(entries), dict(sorted(left_out.items())))


def _again(part: list[str], error: WorkerLost, losses: dict[str, list[WorkerLost]]) -> list[list[str]]:
    """What is still to be asked of a request that lost its worker, the last of it first."""
    if len(part) > 1:
        middle = len(part) // 2
        return [part[middle:], part[:middle]]
    lost = losses.setdefault(part[0], [])
    lost.append(error)
    return [] if lost_too_often(lost) else [part]

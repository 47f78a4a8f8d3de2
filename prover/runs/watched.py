"""Performs a run before somebody's eyes: its progress, the look at every statement, the attempts."""

import threading
from collections.abc import Callable

from rich.console import Console

from lean_env import LeanPool
from prover.algorithms import Search
from prover.runs.perform import Performance
from prover.runs.progress import Board, shown
from prover.runs.settings import Settings
from prover.runs.store import Store


def perform_watched(
    store: Store,
    pool: LeanPool,
    settings: Settings,
    search: Search,
    say: Callable[[str], None],
    stop: threading.Event,
    keep_trees: bool,
    stop_policies: Callable[[], None],
) -> None:
    """Makes what the store lacks, see `Performance`; progress goes to standard error, sentences to `say`.

    Raises:
        KeyboardInterrupt: what is finished is kept.
    """
    board = Board(store.rows(), settings.attempts, store.finished(), pool.health, say)
    board.known_problems(sum(problem != "" for problem in store.problems().values()))
    performance = Performance(store, pool, settings, search, board, stop, keep_trees, stop_policies)
    with shown(board, Console(stderr=True)):
        performance.look()
        performance.attempts()

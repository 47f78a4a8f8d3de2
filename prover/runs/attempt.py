"""One attempt of a run at one theorem, as the store keeps it."""

from dataclasses import dataclass, field
from typing import Any

from search import Spent


@dataclass(frozen=True)
class Attempt:
    """The `number`-th attempt (from 0) at the `theorem`-th row (from 0) of the benchmark.

    `reward` is 1 (proved, judged whole), 0, or None for *unscored*: Lean, or the model, was lost on it. `proof` is the
    text after `:=` of an accepted proof. `stopped` says how the search ended, `message` why if it says so, and `stage`,
    `axioms` and `messages` are the verdict's, of the last claim that was judged, if any. `tree` is the proof graph
    (JSON of `search.graph.stored`), None if it was not kept. `finished` is Unix time in seconds.
    """

    theorem: int
    number: int
    seed: int
    reward: int | None
    stopped: str
    spent: Spent
    proof: str | None = None
    message: str = ""
    stage: str = ""
    axioms: tuple[str, ...] = ()
    messages: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    tree: str | None = field(default=None, repr=False)
    finished: float = 0.0

"""Independent sampling of whole proofs from the root (pass@k, where k is the budget's samples): the baseline.

A proof runs in one piece: what stands of one that fails is of no use to the next.
"""

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from search.graph.proof_graph import ProofGraph
from search.tasks import Complete, Completed, Outcome, Task


@dataclass(frozen=True)
class Sample:
    """`heartbeats` of Lean, in its thousands, for a whole proof, or, unless `whole`, for each of its tactics.

    Tactic by tactic a script counts that is done before its end, as in a tree search: what is left over does no harm.
    It ends after `patience` samples in a row that were empty or had been seen before.
    """

    heartbeats: int = 200_000
    patience: int = 100
    whole: bool = True

    whole_proofs: ClassVar[bool] = True
    split: ClassVar[bool] = False

    def start(self, graph: ProofGraph, random: Random) -> "SampleSearch":
        return SampleSearch(graph, self)


class SampleSearch:
    """Asks for one proof after another."""

    def __init__(self, graph: ProofGraph, options: Sample) -> None:
        self.graph, self.options = graph, options
        self.repeated = 0
        self.ended = False
        self.edges = len(graph.edges)

    def next(self) -> Task | None:
        if self.graph.root.proved or self.ended or self.repeated >= self.options.patience:
            return None
        return Complete(self.graph.root, whole=self.options.whole, heartbeats=self.options.heartbeats)

    def hear(self, outcome: Outcome) -> None:
        if isinstance(outcome, Completed):
            self.ended = outcome.broke_off
            self.repeated = 0 if len(self.graph.edges) > self.edges else self.repeated + 1
            self.edges = len(self.graph.edges)

"""Self-correction: whole proofs, each of which gets a few rounds in which the policy sees what Lean said of the last.

As Goedel-Prover-V2 does (arXiv 2508.03613, section 3): the model's proof and the compiler's messages go into a prompt,
and another proof comes out. Samples are independent otherwise, as in `Sample`. Each sample, corrections included, is
judged at once: one sample and one Lean call of the budget.
"""

from collections import deque
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar

from search.graph.proof_graph import ProofGraph
from search.policy import FailedProof
from search.tasks import Outcome, Task, Write, Written


@dataclass(frozen=True)
class Correct:
    """At most `rounds` corrections follow a sample; 0 is independent sampling.

    It ends after `patience` samples in a row that were empty or had been seen before.
    """

    rounds: int = 2
    patience: int = 100

    whole_proofs: ClassVar[bool] = True
    corrects: ClassVar[bool] = True
    split: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.rounds < 0:
            raise ValueError(f"there cannot be {self.rounds} rounds of correction")

    def start(self, graph: ProofGraph, random: Random) -> "CorrectSearch":
        return CorrectSearch(graph, self)


class CorrectSearch:
    """One sample after another; what waits to be corrected goes before a new one."""

    def __init__(self, graph: ProofGraph, options: Correct) -> None:
        self.graph, self.options = graph, options
        self.waiting: deque[FailedProof] = deque()
        self.repeated = 0
        self.ended = False
        self.edges = len(graph.edges)

    def next(self) -> Task | None:
        if self.graph.root.proved or self.ended or self.repeated >= self.options.patience:
            return None
        return Write(self.waiting.popleft() if self.waiting else None)

    def hear(self, outcome: Outcome) -> None:
        if isinstance(outcome, Written):
            self.ended = self.ended or outcome.broke_off
            self.repeated = 0 if len(self.graph.edges) > self.edges else self.repeated + 1
            self.edges = len(self.graph.edges)
            if outcome.refused is not None and outcome.refused.round < self.options.rounds:
                self.waiting.append(replace(outcome.refused, previous=outcome.task.failed))

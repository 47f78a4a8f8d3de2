"""Critics that need no model, and the scores of a graph's nodes, each worked out once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, inf, isnan, log, log1p

from lean_env.goal import TacticState
from search.graph.proof_graph import Node
from search.policy import Critic


@dataclass(frozen=True)
class FewGoals:
    """Every goal is proved with the same probability, and each without regard to the others."""

    probability: float = 0.5

    def score(self, states: Sequence[TacticState]) -> list[float]:
        each = log(self.probability)
        return [each * len(state.goals) for state in states]


@dataclass(frozen=True)
class SmallGoals:
    """A logistic model of one goal, by the length of Lean's text of it; the goals' log-probabilities are summed.

    A goal of `even` characters is proved as often as not; `slope` is what a doubling of the length takes off its
    log-odds.
    """

    even: float = 120.0
    slope: float = 1.0

    def score(self, states: Sequence[TacticState]) -> list[float]:
        return [sum(self._goal(len(goal.pretty or goal.target)) for goal in state.goals) for state in states]

    def _goal(self, characters: int) -> float:
        odds = self.slope * log(self.even / max(characters, 1)) / log(2)
        # ln(1 / (1 + e^-x)), written so that e^|x| is never formed.
        return -log1p(exp(-odds)) if odds >= 0 else odds - log1p(exp(odds))


class CriticError(ValueError):
    """The critic raised an error, or did not give one number for each state."""


class Scores:
    """A critic's scores of nodes: one call for all that are new, none for those that it has seen."""

    def __init__(self, critic: Critic) -> None:
        self.critic = critic
        self._known: dict[int, float] = {}

    def learn(self, nodes: Iterable[Node]) -> None:
        """Asks the critic about those of the nodes that it was not asked about.

        What is above 0 counts as 0, and what is no number as -inf.

        Raises:
            CriticError: the critic raises an error, or does not give one score for each state.
        """
        unknown = list({node.number: node for node in nodes if node.number not in self._known}.values())
        if unknown:
            try:
                scores = self.critic.score([node.state for node in unknown])
                for node, score in zip(unknown, scores, strict=True):
                    self._known[node.number] = -inf if isnan(score) else min(0.0, score)
            except Exception as error:
                raise CriticError(f"the critic failed: {type(error).__name__}: {error}") from error

    def of(self, node: Node) -> float:
        """The score of a node."""
        if node.number not in self._known:
            self.learn([node])
        return self._known[node.number]

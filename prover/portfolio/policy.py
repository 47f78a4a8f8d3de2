"""The portfolio as a policy: every rule is asked about the main goal, and the weights become probabilities."""

from collections.abc import Callable, Sequence
from math import log

from lean_env.goal import TacticState
from lean_env.theorem import Theorem
from prover.portfolio.arithmetic import arithmetic
from prover.portfolio.closing import closers
from prover.portfolio.common_divisors import common_divisors
from prover.portfolio.features import Features, features
from prover.portfolio.finite import finite
from prover.portfolio.induction import inductions
from prover.portfolio.members import members
from prover.portfolio.rule import Suggestion
from prover.portfolio.steps import steps
from search.policy import Proposal

Rule = Callable[[Features], list[Suggestion]]

RULES: tuple[Rule, ...] = (closers, steps, inductions, arithmetic, finite, common_divisors, members)


def suggestions(goal: Features, rules: Sequence[Rule] = RULES) -> list[Suggestion]:
    """What the rules suggest for a goal, the heaviest first; of several weights for one tactic the largest counts."""
    best: dict[str, float] = {}
    for rule in rules:
        for suggestion in rule(goal):
            if suggestion.weight > best.get(suggestion.tactic, 0.0):
                best[suggestion.tactic] = suggestion.weight
    return [Suggestion(tactic, weight) for tactic, weight in sorted(best.items(), key=lambda item: -item[1])]


class PortfolioPolicy:
    """A `search.TacticPolicy` without a model: deterministic, and the same for every theorem that looks the same."""

    def __init__(self, rules: Sequence[Rule] = RULES) -> None:
        self.rules = rules

    def propose(self, state: TacticState, theorem: Theorem) -> Sequence[Proposal]:
        if not state.goals:
            return []
        found = suggestions(features(state.goals[0], theorem.header, len(state.goals)), self.rules)
        total = sum(suggestion.weight for suggestion in found)
        return [Proposal(s.tactic, log(s.weight / total)) for s in found]

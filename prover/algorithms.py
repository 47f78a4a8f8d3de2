"""The searches that the command line knows by name: an algorithm, and the policy that it searches over."""

from collections.abc import Callable
from dataclasses import dataclass

from prover.portfolio import PortfolioPolicy
from prover.portfolio.grammar import GrammarPolicy
from prover.sources import UserInputError
from search import BestFirst, Plan, ProofPolicy, TacticPolicy
from search.algorithms.beam import Beam
from search.algorithms.deepening import IterativeDeepening
from search.algorithms.rmaxts import RMaxTS
from search.algorithms.sample import Sample
from search.algorithms.step_mcts import StepMCTS


@dataclass(frozen=True)
class Search:
    """An algorithm's options, and what makes a policy of the kind that it wants."""

    algorithm: Plan
    policy: Callable[[], TacticPolicy | ProofPolicy]


SEARCHES = {
    "best-first": Search(BestFirst(), PortfolioPolicy),
    "rmaxts": Search(RMaxTS(), GrammarPolicy),
    "mcts": Search(StepMCTS(), PortfolioPolicy),
    "beam": Search(Beam(), PortfolioPolicy),
    "deepening": Search(IterativeDeepening(), PortfolioPolicy),
    "sample": Search(Sample(), GrammarPolicy),
}


def search_named(name: str) -> Search:
    """The search of that name.

    Raises:
        UserInputError: there is none.
    """
    if name not in SEARCHES:
        *others, last = (f"`{known}`" for known in SEARCHES)
        raise UserInputError(f"--search is {', '.join(others)} or {last}, not `{name}`.")
    return SEARCHES[name]

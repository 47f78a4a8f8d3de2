"""The searches that the command line knows by name, and what each of them asks a policy for."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from prover.prompts.registry import Kind
from prover.sources import UserInputError
from search import BestFirst, Correct, Plan, ProofPolicy, TacticPolicy
from search.algorithms.beam import Beam
from search.algorithms.deepening import IterativeDeepening
from search.algorithms.rmaxts import RMaxTS
from search.algorithms.sample import Sample
from search.algorithms.step_mcts import StepMCTS

Policy = TacticPolicy | ProofPolicy  # one that corrects is a `ProofPolicy`


@dataclass(frozen=True)
class Search:
    """An algorithm's options, and what makes the policy of one attempt from the attempt's seed."""

    algorithm: Plan
    policy: Callable[[int], Policy]


SEARCHES: dict[str, Plan] = {
    "best-first": BestFirst(),
    "rmaxts": RMaxTS(),
    "mcts": StepMCTS(),
    "beam": Beam(),
    "deepening": IterativeDeepening(),
    "sample": Sample(),
    "correct": Correct(),
}


def plan_named(name: str, rounds: int | None = None) -> Plan:
    """The algorithm of that name; with so many `rounds` of correction, if it is one that corrects.

    Raises:
        UserInputError: there is none, or it corrects nothing.
    """
    if name not in SEARCHES:
        *others, last = (f"`{known}`" for known in SEARCHES)
        raise UserInputError(f"--search is {', '.join(others)} or {last}, not `{name}`.")
    plan = SEARCHES[name]
    if rounds is None:
        return plan
    if not isinstance(plan, Correct):
        raise UserInputError(f"--rounds is for --search correct; `{name}` corrects no proofs.")
    return replace(plan, rounds=rounds)


def wanted_of(plan: Plan) -> Kind:
    """What an algorithm asks a policy for; `correction`: proofs, and others in the place of those that failed."""
    if getattr(plan, "corrects", False):
        return "correction"
    return "proof" if getattr(plan, "whole_proofs", False) else "tactic"

"""Asks a model that was just opened for one token, in the words of its prompt family: what is wrong is found at once.

A model without a chat template takes no messages, and one with a template may refuse these.
"""

from dataclasses import replace
from typing import cast

from lean_env.goal import Goal, TacticState
from lean_env.theorem import Theorem
from prover.prompts.family import ProofFamily, TacticFamily
from prover.prompts.registry import Kind, correction_named, family_named
from prover.sampling.sampler import Prompt, Request, Sampler, Settings
from prover.sources import UserInputError
from search import FailedProof, ProofPrompt

THEOREM = Theorem("t", "theorem t : True")
STATE = TacticState((Goal("True", pretty="⊢ True"),))


def probe(sampler: Sampler, family: str, settings: Settings, wanted: Kind) -> None:
    """Draws one token for each prompt of the kind `wanted`.

    Raises:
        UserInputError: an answer does not come.
    """
    tiny = replace(settings, max_tokens=1)
    for sample in sampler.sample([Request(prompt, tiny) for prompt in prompts(family, wanted)]):
        if sample.error:
            why = sample.error.rstrip(".")
            raise UserInputError(f"{sampler.name} cannot be asked as `{family}`: {why[:1].lower()}{why[1:]}.")


def prompts(family: str, wanted: Kind) -> list[Prompt]:
    """The shortest prompts of each sort that a search may ask with."""
    if wanted == "tactic":
        return [cast(TacticFamily, family_named(family)).prompt(STATE, THEOREM)]
    first = cast(ProofFamily, family_named(family)).prompt(ProofPrompt(THEOREM, STATE))
    if wanted == "proof":
        return [first]
    failed = FailedProof("by\n  simp", ({"line": 2, "column": 2, "message": "no"},))
    return [first, correction_named(family).correction(THEOREM, failed)]

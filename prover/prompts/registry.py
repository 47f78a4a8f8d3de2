"""The prompt families by name, which kinds of question each knows, and a guess of the family from a model's name."""

import re
from typing import Literal

from prover.prompts.deepseek_v15 import COT, NON_COT, DeepSeekProverV15
from prover.prompts.family import CorrectionFamily, ProofFamily, TacticFamily
from prover.prompts.kimina import Kimina
from prover.prompts.own import OwnProof, OwnTactic
from prover.prompts.plan_first import GoedelProverV2, PlanFirst
from prover.prompts.steps import GoalsIn
from prover.sources import UserInputError

Kind = Literal["proof", "tactic", "correction"]
Family = ProofFamily | TacticFamily

_PROOFS: tuple[ProofFamily, ...] = (
    DeepSeekProverV15("deepseek-prover-v1.5", NON_COT),
    DeepSeekProverV15("deepseek-prover-v1.5-cot", COT),
    PlanFirst("deepseek-prover-v2", "\n"),
    GoedelProverV2("goedel-prover-v2", ""),
    Kimina(),
    OwnProof(),
)
_TACTICS: tuple[TacticFamily, ...] = (
    GoalsIn("reprover", marks=("<a>", "</a>")),
    GoalsIn("bfs-prover", after=":::"),
    OwnTactic(),
)
FAMILIES: dict[str, Family] = {
    **{family.name: family for family in _PROOFS},
    **{family.name: family for family in _TACTICS},
}
_CORRECTIONS: dict[str, CorrectionFamily] = {
    name: family for name, family in FAMILIES.items() if isinstance(family, GoedelProverV2 | Kimina)
}

# What a model's name is searched for, without its case and punctuation.
_MODELS = {
    "deepseekproverv15": "deepseek-prover-v1.5",
    "deepseekproverv2": "deepseek-prover-v2",
    "goedelproverv2": "goedel-prover-v2",
    # The first Goedel-Prover was trained from DeepSeek-Prover-V1.5, on its prompt with reasoning.
    "goedelproversft": "deepseek-prover-v1.5-cot",
    "goedelproverdpo": "deepseek-prover-v1.5-cot",
    "kiminaprover": "kimina",
    "leandojolean4tacgen": "reprover",
    "reprover": "reprover",
    "bfsprover": "bfs-prover",
}


def kinds(name: str) -> tuple[Kind, ...]:
    """What a family can be asked for."""
    found: list[Kind] = ["proof" if any(family.name == name for family in _PROOFS) else "tactic"]
    return (*found, "correction") if name in _CORRECTIONS else tuple(found)


def family_named(name: str) -> Family:
    """The family of that name.

    Raises:
        UserInputError: there is none.
    """
    if name not in FAMILIES:
        raise UserInputError(f"There is no prompt family `{name}`; there are {_listed()}.")
    return FAMILIES[name]


def correction_named(name: str) -> CorrectionFamily:
    """The family of that name, to correct proofs with.

    Raises:
        UserInputError: there is none, or it knows no corrections.
    """
    family_named(name)
    if name not in _CORRECTIONS:
        raise UserInputError(f"The prompt family `{name}` corrects no proofs; {' and '.join(_CORRECTIONS)} do.")
    return _CORRECTIONS[name]


def guessed(model: str) -> str:
    """The name of the family that a model belongs to, from the model's name or path; of several, the one named last.

    Raises:
        UserInputError: nothing in the name says it.
    """
    name = re.sub(r"[^a-z0-9]", "", model.lower())
    found = {name.rfind(part): family for part, family in _MODELS.items() if part in name}
    if not found:
        raise UserInputError(f"No prompt family is known for `{model}`; name one with --prompt: {_listed()}.")
    return found[max(found)]


def _listed() -> str:
    return ", ".join(FAMILIES)

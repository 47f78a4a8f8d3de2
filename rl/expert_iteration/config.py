"""The settings of expert iteration. Importable without torch."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from prover.algorithms import plan_named, wanted_of
from prover.benchmarks.catalogue import CORE
from prover.policies.plan import PolicyPlan, plan_policy
from prover.policies.spec import WITHOUT_A_MODEL, Options, read_policy
from prover.sources import UserInputError
from rl.data.harvest import HELD_OUT
from rl.models import PeftOptions
from rl.runs.settings import MAY_CHANGE
from rl.search_run import Attempts
from rl.sft.config import NEW, Learn, NewModel, Training, refuse_misfits
from rl.sft.examples import OWN

# Where a policy's text names the round's model, as in `0.7*model+0.3*portfolio`.
_MODEL = re.compile(r"(?P<before>^|[+*])\s*model\s*(?=\+|$)")


@dataclass(frozen=True)
class Searching:
    """How theorems are attempted, in the rounds and where they are evaluated: as `prover bench` has it.

    Raises:
        UserInputError: a value cannot be used.
    """

    search: str = "best-first"
    """The algorithm; `sample` samples whole proofs."""
    attempts: int = 1
    """Attempts at each theorem."""
    budget_seconds: float = 60.0
    """Wall clock for one attempt."""
    budget_calls: int | None = None
    """Lean calls for one attempt."""
    budget_samples: int | None = None
    """Policy answers for one attempt."""
    samples: int | None = None
    """Answers of a model for one tactic state."""
    temperature: float | None = None
    """Of sampling."""
    max_tokens: int | None = None
    """The longest answer of a model."""

    def __post_init__(self) -> None:
        plan_named(self.search)
        for name in ("attempts", "samples", "max_tokens"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise UserInputError(f"--{name.replace('_', '-')} has to be at least 1.")
        for name in ("budget_seconds", "budget_calls", "budget_samples"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise UserInputError(f"--{name.replace('_', '-')} has to be at least 0.")

    def attempts_with(self, seed: int) -> Attempts:
        """The same as a run of attempts knows it."""
        budget = (self.budget_seconds, self.budget_calls, self.budget_samples)
        return Attempts(self.search, self.attempts, *budget, seed)

    def policy(self, text: str, model: str, family: str, prompt: str | None) -> PolicyPlan:
        """A policy under these settings; what is for models is left out where there is none.

        `model` in the text is that folder or name, which is asked by `family`, `own` being both of that kind.

        Raises:
            UserInputError: there is no such policy, or it does not fit.
        """
        algorithm, options = plan_named(self.search), Options()
        text = with_model(text, model)
        if any(part.kind not in WITHOUT_A_MODEL for part in read_policy(text)):
            asked = None if prompt == OWN else prompt
            options = Options(asked, None, self.temperature, self.max_tokens, self.samples)
        if family == OWN:
            family = "own-tactic" if wanted_of(algorithm) == "tactic" else "own-proof"
        return plan_policy(text, options, algorithm, {f"hf:{model}": family})


@dataclass(frozen=True)
class ExpertIterationConfig:
    """`prover-rl expert-iteration`.

    Raises:
        UserInputError: the settings do not go together.
    """

    theorems: tuple[str, ...]
    """What to learn from, with commas between: benchmarks' names, .jsonl or .lean files, folders of them."""
    out: Path = field(metadata={MAY_CHANGE: True})
    """The run's folder; the best round's model is in its folder `model`."""
    split: str = "train"
    """The part of those sources."""
    rounds: int = field(default=3, metadata={MAY_CHANGE: True})
    """Rounds of search and training; more may be asked for later."""
    theorems_per_round: int | None = None
    """Theorems that a round attempts, at most; none: all that have no proof."""
    proved_share: float = 0.1
    """Share of a round's theorems that have a proof, and are to get a shorter one."""
    negations: bool = False
    """Whether to attempt the negation of what a round has not proved; what is refuted is dropped."""
    first_policy: str = "portfolio"
    """What the first round searches with; `model` in it is --base."""
    policy: str = "model+portfolio"
    """What later rounds search with, and all are evaluated with; `model` in it is the last round's model."""
    keep: int = 4
    """Of each theorem this many proofs are learned: the shortest of all rounds."""
    train_from: Literal["base", "last"] = "base"
    """Whether each round trains the base anew, or goes on with the last round's model."""
    base: str = NEW
    """The model to train: a folder, a name on the hub, or `new` for one that is made."""
    learn: Learn = "both"
    """Which pairs to learn."""
    prompt: str | None = None
    """How a model with a tokenizer of others is asked (default: by its name)."""
    valid: str | None = None
    """Theorems that every round is evaluated on; none: those of the first source."""
    valid_split: str = "valid"
    """The part of them."""
    valid_sample: int = 200
    """So many of them, drawn by the seed, the same every round."""
    against: tuple[str, ...] = (CORE,)
    """More benchmarks, with commas between: nothing of their splits valid and test is learned, or of them at all."""
    drop_overlap: bool = False
    """Whether to leave out what is held out, and not to refuse it."""
    seed: int = 0
    """Of everything that is drawn."""
    lean: Literal["wasm", "native"] = "wasm"
    """Which Lean proves and judges."""
    workers: int | None = field(default=None, metadata={MAY_CHANGE: True})
    """Lean processes; none: one a core."""
    device: Literal["cpu", "cuda"] | None = field(default=None, metadata={MAY_CHANGE: True})
    """What a model is trained on; none: cuda where there is one."""
    searching: Searching = field(default_factory=Searching)
    """Search"""
    training: Training = field(default_factory=Training)
    """Training"""
    peft: PeftOptions = field(default_factory=PeftOptions)
    """Adapters"""
    model: NewModel = field(default_factory=NewModel)
    """Sizes of a new model"""

    def __post_init__(self) -> None:
        if not self.theorems:
            raise UserInputError("Name theorems to learn from with --theorems: a .jsonl file, say.")
        if self.split in HELD_OUT:
            raise UserInputError(f"Of the split {self.split} nothing is to be learned; name another one with --split.")
        for name in ("rounds", "keep", "valid_sample", "theorems_per_round", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserInputError(f"--{name.replace('_', '-')} has to be at least 1.")
        if not 0 <= self.proved_share <= 1:
            raise UserInputError("--proved-share is a share from 0 to 1.")
        if not names_model(self.policy):
            raise UserInputError("--policy has to name the model that is trained: `model`, or `model+portfolio`.")
        if names_model(self.first_policy) and self.base == NEW:
            raise UserInputError(
                "--first-policy cannot be a model that is yet to be made; name a --base, or portfolio."
            )
        refuse_misfits(self.base, self.model, self.peft)


def names_model(policy: str) -> bool:
    """Whether the text of a policy names the round's model."""
    return _MODEL.search(policy) is not None


def with_model(policy: str, model: str) -> str:
    """The text of a policy with a model's folder or name in the place of `model`."""
    return _MODEL.sub(lambda match: f"{match['before']}hf:{model}", policy)

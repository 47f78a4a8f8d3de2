"""The settings of GRPO, which are its command's options. Importable without torch."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from prover.benchmarks.catalogue import CORE
from prover.sampling.sampler import Settings
from prover.sources import UserInputError
from rl.data.harvest import HELD_OUT
from rl.learner.config import LearnerConfig
from rl.models import PeftOptions
from rl.objective.policy_loss import PolicyObjective
from rl.rollouts.options import RolloutOptions, training_settings
from rl.runs.settings import MAY_CHANGE
from rl.shaping import Shaping


@dataclass(frozen=True)
class Choosing:
    """What a step is made of.

    Raises:
        UserInputError: a value cannot be used.
    """

    theorems_per_step: int = 16
    """Theorems of a step, each with a group of rollouts."""
    refills: int = 2
    """Times that others take the places of theorems whose rollouts have all the same reward, and teach nothing."""
    curriculum: bool = True
    """Whether theorems are preferred that are proved sometimes, neither always nor never."""
    theorems_per_header: int = 4
    """Theorems that share a header are drawn so many at a time, as Lean takes longer to load one than to prove."""
    replay_share: float = 0.0
    """Share of a step's groups, at most, that are given an earlier proof of their theorem where all rollouts failed."""
    replay_each: int = 2
    """Proofs of a theorem that are kept for that."""

    def __post_init__(self) -> None:
        if self.theorems_per_step < 1:
            raise UserInputError("--theorems-per-step has to be at least 1.")
        if self.theorems_per_header < 1:
            raise UserInputError("--theorems-per-header has to be at least 1.")
        if self.refills < 0:
            raise UserInputError("--refills has to be at least 0.")
        if not 0 <= self.replay_share <= 1:
            raise UserInputError("--replay-share is a share from 0 to 1.")
        if self.replay_each < 1:
            raise UserInputError("--replay-each has to be at least 1; --replay-share 0 leaves replay out.")
        if self.replay_share and not self.replayed:
            raise UserInputError(
                f"--replay-share {self.replay_share:g} of {self.theorems_per_step} theorems comes to none; 0 leaves "
                "replay out."
            )

    @property
    def replayed(self) -> int:
        """Groups of a step that may be given an earlier proof."""
        return round(self.replay_share * self.theorems_per_step)


@dataclass(frozen=True)
class Course:
    """How a run goes, whatever gives the rewards.

    Raises:
        UserInputError: a value cannot be used, or two do not go together.
    """

    steps: int = field(default=100, metadata={MAY_CHANGE: True})
    """Steps in all; more may be asked for later. A learning rate that ends at 0 comes to it after the last of them."""
    updates: int = 1
    """Times that a step's batch is learned from."""
    minibatches: int = 1
    """Parts of a batch, each of which is an update of its own."""
    lag: int = 0
    """1: the next batch is sampled while one is learned from, with weights a step old; 0: one after the other."""
    reference_reset: int = 0
    """Steps after which the present policy becomes the reference of --kl; 0: the first one stays."""
    evaluation_every: int = 10
    """Steps between two evaluations, the first of which is before any step; 0: there are none."""
    checkpoint_every: int = field(default=10, metadata={MAY_CHANGE: True})
    """Steps between two checkpoints; there is one after each evaluation, too."""
    samples_shown: int = field(default=4, metadata={MAY_CHANGE: True})
    """Rollouts of a step that are written to samples.jsonl, for people to read."""
    seed: int = 0
    """Of everything that is drawn."""
    choosing: Choosing = field(default_factory=Choosing)
    """Theorems of a step"""
    objective: PolicyObjective = field(default_factory=PolicyObjective)
    """Objective"""
    shaping: Shaping = field(default_factory=Shaping)
    """Shaping of the reward"""

    def __post_init__(self) -> None:
        for name in ("steps", "updates", "minibatches", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise UserInputError(f"--{name.replace('_', '-')} has to be at least 1.")
        for name in ("reference_reset", "evaluation_every", "samples_shown"):
            if getattr(self, name) < 0:
                raise UserInputError(f"--{name.replace('_', '-')} has to be at least 0.")
        if self.lag not in (0, 1):
            raise UserInputError(f"--lag is 0 or 1, not {self.lag}.")
        if self.reference_reset and self.objective.kl == "none":
            raise UserInputError("--reference-reset is of the reference that --kl measures from; choose --kl k3, say.")
        if self.lag and self.objective.importance_cap is None:
            raise UserInputError(
                "--lag 1 samples with older weights, which --importance-cap corrects; give it a number."
            )
        if self.choosing.replayed and self.objective.importance_cap is None:
            raise UserInputError(
                "--replay-share gives older proofs, which --importance-cap corrects; give it a number."
            )

    def updates_before(self, step: int) -> int:
        """Updates that a schedule counts before a step, from 0: those of steps that had none to make, too."""
        return step * self.updates * self.minibatches


@dataclass(frozen=True)
class GRPOConfig:
    """`prover-rl grpo`.

    Raises:
        UserInputError: a value cannot be used, or two do not go together.
    """

    base: str
    """The model to train: a folder, a peft adapter's too, or a name on the hub."""
    theorems: tuple[str, ...]
    """What to learn from, with commas between: benchmarks' names, .jsonl or .lean files, folders of them."""
    out: Path = field(metadata={MAY_CHANGE: True})
    """The run's folder; the model is in its folder `model` at the end."""
    split: str = "train"
    """The part of those sources."""
    prompt: str | None = None
    """How the model is asked; none: for tactics, as its tokenizer or its name says."""
    max_tokens: int = 256
    """Tokens of an answer, at most."""
    valid: str | None = None
    """Theorems that evaluations are made on; none: those of the first source."""
    valid_split: str = "valid"
    """The part of them."""
    valid_sample: int = 64
    """So many of them, drawn by the seed, the same every time."""
    against: tuple[str, ...] = (CORE,)
    """More benchmarks, with commas between them, none of whose theorems may be learned."""
    drop_overlap: bool = False
    """Whether to leave such theorems out, and not to refuse them."""
    sampler: Literal["hf", "vllm"] = "hf"
    """What rollouts are sampled with."""
    lean: Literal["wasm", "native"] = "wasm"
    """Which Lean proves and judges."""
    workers: int | None = field(default=None, metadata={MAY_CHANGE: True})
    """Lean processes; none: one a core."""
    device: Literal["cpu", "cuda"] | None = field(default=None, metadata={MAY_CHANGE: True})
    """What to compute on; none: cuda where there is one."""
    course: Course = field(default_factory=Course)
    """Course"""
    rollouts: RolloutOptions = field(default_factory=RolloutOptions)
    """Rollouts"""
    learner: LearnerConfig = field(default_factory=LearnerConfig)
    """Optimiser"""
    peft: PeftOptions = field(default_factory=PeftOptions)
    """Adapters"""

    def __post_init__(self) -> None:
        if not self.theorems:
            raise UserInputError("Name theorems to learn from with --theorems: a .jsonl file, say.")
        if self.split in HELD_OUT:
            raise UserInputError(f"Of the split {self.split} nothing is to be learned; name another one with --split.")
        for name in ("valid_sample", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserInputError(f"--{name.replace('_', '-')} has to be at least 1.")
        if self.rollouts.group_size < 2:
            raise UserInputError("--group-size has to be at least 2: rollouts are compared within their group.")
        self.learner.check_schedule(self.course.updates_before(self.course.steps))
        self.settings()

    def settings(self) -> Settings:
        """What rollouts are sampled with."""
        return training_settings(Settings(self.max_tokens, self.course.objective.temperature))

"""The settings of supervised fine-tuning. Importable without torch."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal

from prover.benchmarks.catalogue import CORE
from prover.model.config import DEFAULT, ModelConfig
from prover.sources import UserInputError
from rl.learner.config import LearnerConfig
from rl.models import PeftOptions
from rl.runs.settings import MAY_CHANGE

NEW = "new"  # a base that is made

Learn = Literal["both", "tactics", "proofs"]


@dataclass(frozen=True)
class NewModel:
    """The sizes of a model that is made, see `prover.model.config`.

    Raises:
        ValueError: they do not go together.
    """

    vocabulary: int = DEFAULT.vocabulary
    """Tokens, at most: fewer come of little text."""
    hidden: int = DEFAULT.hidden
    """Width of what goes from layer to layer."""
    layers: int = DEFAULT.layers
    """Layers."""
    heads: int = DEFAULT.heads
    """Attention heads of a layer; they divide the width."""
    key_value_heads: int = DEFAULT.key_value_heads
    """Keys and values that the heads share; they divide those."""
    intermediate: int = DEFAULT.intermediate
    """Width inside of a layer."""
    context: int = DEFAULT.context
    """Tokens of prompt and answer together, at most."""

    def __post_init__(self) -> None:
        for name in ("hidden", "layers", "heads", "key_value_heads", "intermediate", "context"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name.replace('_', '-')} has to be at least 1")
        self.sizes()

    def sizes(self) -> ModelConfig:
        """The same as `prover.model` knows it."""
        heads = (self.heads, self.key_value_heads)
        return ModelConfig(self.vocabulary, self.hidden, self.layers, *heads, self.intermediate, self.context)


def refuse_misfits(base: str, sizes: NewModel, peft: PeftOptions) -> None:
    """Raises UserInputError where sizes are given for a model that is there, or an adapter for one that is made."""
    given = [each.name for each in fields(sizes) if getattr(sizes, each.name) != each.default]
    if base != NEW and given:
        option = "--" + given[0].replace("_", "-")
        raise UserInputError(f"{option} is of a model that is made, and {base} is there already; leave {option} out.")
    if base == NEW and peft.lora_rank is not None:
        raise UserInputError(
            "--lora-rank leaves the weights as they are, and a new model's are random; leave it out, or name a --base."
        )


@dataclass(frozen=True)
class Training:
    """How a model is trained on pairs: AdamW, a warm-up, a schedule, and an end by patience.

    Raises:
        UserInputError: a value cannot be used.
    """

    learning_rate: float = 5e-4
    """The highest, after warm-up; 1e-5 is usual for a large pretrained model."""
    weight_decay: float = 0.1
    """Of matrices."""
    schedule: Literal["constant", "linear", "cosine"] = "cosine"
    """Of the learning rate; the latter two end at 0."""
    warmup: float = 0.05
    """Share of the steps in which the learning rate rises."""
    max_grad_norm: float | None = 1.0
    """What the gradient's norm is clipped to."""
    epochs: int = 10
    """Times that every pair is seen, at most."""
    steps: int | None = None
    """Steps in all, if fewer than the epochs have."""
    batch_tokens: int = 8192
    """Tokens of a step, prompts and answers."""
    micro_tokens: int = 4096
    """Tokens computed at once, padding included: a matter of memory and speed alone."""
    held_out: float = 0.05
    """Share of the theorems that is not trained on, for the held-out loss."""
    every: int = 50
    """Steps between two evaluations, each with a checkpoint."""
    patience: int = 3
    """Evaluations in a row without a lower held-out loss that end the training; 0: none do."""
    statement_loss: float = 0.0
    """Weight, from 0 to 1, of learning the corpus' statements too: each is in this share of the epochs."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """What is computed in; weights are float32."""
    gradient_checkpointing: bool = False
    """Whether to compute layers again for the gradient: slower, in less memory."""

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_tokens", "micro_tokens", "every"):
            if getattr(self, name) < 1:
                raise UserInputError(f"--{name.replace('_', '-')} has to be at least 1.")
        if self.steps is not None and self.steps < 1:
            raise UserInputError("--steps has to be at least 1.")
        if self.patience < 0:
            raise UserInputError("--patience has to be at least 0.")
        for name in ("held_out", "warmup"):
            if not 0 <= getattr(self, name) < 1:
                raise UserInputError(f"--{name.replace('_', '-')} is a share from 0 to below 1.")
        if not 0 <= self.statement_loss <= 1:
            raise UserInputError("--statement-loss is a weight from 0 to 1.")
        self.learner(1)

    def learner(self, steps: int) -> LearnerConfig:
        """The same as the learner knows it, for a training of so many steps."""
        return LearnerConfig(
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            betas=(0.9, 0.95),  # usual for language models: GPT-3 (Brown et al. 2020, appendix B), Llama
            warmup_steps=int(self.warmup * steps),
            schedule=self.schedule,
            max_grad_norm=self.max_grad_norm,
            micro_tokens=self.micro_tokens,
            dtype=self.dtype,
            gradient_checkpointing=self.gradient_checkpointing,
        )


@dataclass(frozen=True)
class SftConfig:
    """`prover-rl sft`. A run is gone on with on data that says what it said before, wherever that lies now.

    Raises:
        UserInputError: something is missing.
    """

    data: tuple[Path, ...] = field(metadata={MAY_CHANGE: True})
    """Files of pairs that `prover-rl harvest` has made, with commas between them."""
    out: Path = field(metadata={MAY_CHANGE: True})
    """The run's folder; the model is in its folder `model`."""
    base: str = NEW
    """The model to train: a folder, a name on the hub, or `new` for one that is made."""
    corpus: str | None = field(default=None, metadata={MAY_CHANGE: True})
    """Theorems whose train split is read too: for the tokenizer of a new model, and for --statement-loss."""
    against: tuple[str, ...] = field(default=(CORE,), metadata={MAY_CHANGE: True})
    """Benchmarks, with commas between: nothing of their splits valid and test is learned, or of them at all."""
    drop_overlap: bool = field(default=False, metadata={MAY_CHANGE: True})
    """Whether to leave out what is held out, and not to refuse it."""
    learn: Learn = "both"
    """Which pairs to learn."""
    learn_tried: bool = False
    """Whether to learn pairs without a verdict too, as `prover-rl harvest --tried` takes them: a warm start."""
    prompt: str | None = None
    """How a model with a tokenizer of others is asked (default: by its name)."""
    seed: int = 0
    """Of a new model, of what is held out, and of the order."""
    device: Literal["cpu", "cuda"] | None = field(default=None, metadata={MAY_CHANGE: True})
    """What to compute on; none: cuda where there is one."""
    training: Training = field(default_factory=Training)
    """Training"""
    peft: PeftOptions = field(default_factory=PeftOptions)
    """Adapters"""
    model: NewModel = field(default_factory=NewModel)
    """Sizes of a new model"""

    def __post_init__(self) -> None:
        if not self.data:
            raise UserInputError("Name files of pairs with --data; `prover-rl harvest` makes them.")
        if self.training.statement_loss and self.corpus is None:
            raise UserInputError("--statement-loss is of the theorems that --corpus names; name some.")
        if self.corpus is not None and self.base != NEW and not self.training.statement_loss:
            raise UserInputError(
                "--corpus is for the tokenizer of a new model, and for --statement-loss; give that, or leave it out."
            )
        refuse_misfits(self.base, self.model, self.peft)

"""How a model is trained, whatever the objective."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal

from prover.sources import UserInputError

Schedule = Literal["constant", "linear", "cosine"]
Layout = Literal["auto", "shared", "packed", "right", "left"]


@dataclass(frozen=True)
class LearnerConfig:
    """The optimiser (AdamW), its schedule, and how a batch is computed.

    Raises:
        UserInputError: a value cannot be used.
    """

    learning_rate: float = 1e-5
    """The highest, after warm-up."""
    weight_decay: float = 0.0
    """Of matrices; vectors (norms, biases) are not decayed."""
    betas: tuple[float, float] = (0.9, 0.999)
    """AdamW's."""
    warmup_steps: int = 0
    """Updates in which the rate rises from nothing."""
    schedule: Schedule = "constant"
    """How the rate goes on from there; linear and cosine fall, and would be 0 after the last step."""
    max_grad_norm: float | None = 1.0
    """What the gradient's norm is clipped to; None leaves it."""
    micro_tokens: int = 4096
    """The most tokens, padding included, that are computed at once; a row that is longer is computed alone."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """What is computed in; weights, their gradients and the loss are float32 throughout."""
    gradient_checkpointing: bool = False
    """Whether layers are computed again for the gradient, and not kept: slower, in less memory."""
    layout: Layout = "auto"
    """How rows lie together, see `layout`: the loss does not hang on it."""

    def __post_init__(self) -> None:
        for name in ("learning_rate", "weight_decay"):
            value = getattr(self, name)
            if not (isfinite(value) and value >= 0):
                raise UserInputError(f"{name} is {value}; it has to be a number that is at least 0.")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise UserInputError("betas have to be two numbers from 0 to below 1.")
        if self.warmup_steps < 0:
            raise UserInputError(f"warmup_steps is {self.warmup_steps}; it has to be at least 0.")
        if self.max_grad_norm is not None and not self.max_grad_norm > 0:
            raise UserInputError(f"max_grad_norm is {self.max_grad_norm}; it has to be above 0.")
        if self.micro_tokens < 1:
            raise UserInputError(f"micro_tokens is {self.micro_tokens}; it has to be at least 1.")

    def check_schedule(self, total_steps: int | None) -> None:
        """Refuses a schedule that would end, after `total_steps` updates, before its warm-up does.

        Raises:
            UserInputError: it would, or it has no end.
        """
        if self.schedule == "constant" or (total_steps is not None and total_steps > self.warmup_steps):
            return
        has = "no end is told" if total_steps is None else f"there are {total_steps}"
        raise UserInputError(
            f"The schedule {self.schedule} needs more updates than the {self.warmup_steps} of warmup_steps; {has}."
        )

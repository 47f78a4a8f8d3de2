"""The loss of supervised fine-tuning, by the same machinery as the policy gradient's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Supervised:
    """Cross-entropy: the mean, over all tokens of the batch that count, of - ln p.

    The policy gradient with GC = 1 for every token (DeepSeekMath, appendix A.1.1); on answers of the policy's own that
    the judge accepted it is that of rejection sampling (A.1.2, and A.1.3 online). Advantages are not looked at.
    """

    temperature: ClassVar[float] = 1.0


def supervised_losses(log_probs: torch.Tensor) -> torch.Tensor:
    """The loss (N,) of each token, before weights."""
    return -log_probs

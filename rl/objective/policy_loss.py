"""The policy gradient's loss of each token, clipped as PPO's, with a KL penalty and truncated importance weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from prover.sources import UserInputError
from rl.objective.kl import Estimator, estimate
from rl.objective.weights import Aggregation

if TYPE_CHECKING:
    import torch

    from rl.objective.tokens import Tokens


@dataclass(frozen=True)
class PolicyObjective:
    """What GRPO's loss is to be like.

    Raises:
        UserInputError: the options do not go together.
    """

    aggregation: Aggregation = "token_mean"
    """How tokens are weighed, see `weights.token_weights`. The default has no bias by length within a batch, as
    constant_length, of whose gradient it is a multiple there, and needs no length to be chosen."""
    constant_length: int | None = None
    """In tokens; for aggregation constant_length."""
    clip_low: float = 0.2
    """The ratio to the old policy is clipped below 1 - clip_low."""
    clip_high: float = 0.28
    """... and above 1 + clip_high: more than clip_low, so that unlikely tokens can become likely (DAPO)."""
    kl: Literal["none", "k1", "k2", "k3"] = "none"
    """Which estimate of the KL divergence from the reference is taken."""
    kl_coefficient: float = 0.0
    """How much of it is added to the loss; with 0 it is measured only."""
    kl_weighted: bool = True
    """Whether the estimate is weighted by the ratio, which makes its gradient that of the KL divergence (see `kl`);
    GRPO's paper does not."""
    importance_cap: float | None = 2.0
    """What the importance weight exp(old - sampler), for a sampler that computes other probabilities than the learner,
    is truncated at; None leaves it out."""
    mask_truncated: bool = False
    """Whether rollouts that a limit of tokens cut off are left out, of the denominators too."""
    temperature: float = 1.0
    """What was sampled at: log-probabilities are taken at it."""
    normalise_std: bool = False
    """Whether advantages are divided by the standard deviation of a group's rewards."""

    def __post_init__(self) -> None:
        if (self.aggregation == "constant_length") != (self.constant_length is not None):
            raise UserInputError("constant_length, in tokens, goes with aggregation constant_length, and only with it.")
        if self.constant_length is not None and self.constant_length < 1:
            raise UserInputError(f"constant_length is {self.constant_length}; at least 1 token is needed.")
        if not 0 <= self.clip_low <= 1 or not self.clip_high >= 0:
            raise UserInputError("clip_low has to be from 0 to 1, and clip_high at least 0.")
        if not self.kl_coefficient >= 0 or (self.kl == "none" and self.kl_coefficient > 0):
            raise UserInputError("kl_coefficient has to be at least 0, and 0 where kl is none.")
        if self.kl == "k1" and not self.kl_weighted:
            raise UserInputError("k1 has no gradient but noise unless kl_weighted is set; choose k2 or k3, or set it.")
        if self.importance_cap is not None and not self.importance_cap > 0:
            raise UserInputError("importance_cap has to be above 0.")
        if not self.temperature > 0:
            raise UserInputError("temperature has to be above 0 to learn from what was sampled at it.")

    @property
    def estimator(self) -> Estimator | None:
        return None if self.kl == "none" else self.kl


def policy_losses(log_probs: torch.Tensor, tokens: Tokens, objective: PolicyObjective) -> torch.Tensor:
    """The loss (N,) of each token, before weights, from `log_probs` (N,) of the policy that learns.

        - u min(r A, clip(r, 1 - clip_low, 1 + clip_high) A) + kl_coefficient KL

    with r = exp(log_probs - old) and u = min(exp(old - sampler), importance_cap), a constant: truncated importance
    sampling. It is DeepSeekMath's equation 3 with u and two clips. Where `tokens.old` is None this is the first update
    on its batch, and the old policy the one that learns: r is 1, and only its gradient is left.

    The gradient is - GC grad log_probs, as of every method in the paper's appendix A: with a token that is not clipped,
    GC = u r A - kl_coefficient u r ln(p / ref), or with `kl_weighted` off and k3 the paper's own (equation 21)
    GC = A + kl_coefficient (ref / p - 1) at r = u = 1; and `supervised` has GC = 1.
    """
    old = log_probs.detach() if tokens.old is None else tokens.old
    ratio = (log_probs - old).exp()
    clipped = ratio.clamp(1 - objective.clip_low, 1 + objective.clip_high)
    losses = -(ratio * tokens.advantages).minimum(clipped * tokens.advantages)
    correction = importance_weights(old, tokens, objective)
    if correction is not None:
        losses = losses * correction
    if objective.estimator is not None and tokens.reference is not None and objective.kl_coefficient:
        weight = ratio if objective.kl_weighted else None
        if weight is not None and correction is not None:
            weight = weight * correction
        losses = losses + objective.kl_coefficient * estimate(objective.estimator, log_probs, tokens.reference, weight)
    return losses


def importance_weights(old: torch.Tensor, tokens: Tokens, objective: PolicyObjective) -> torch.Tensor | None:
    """exp(old - sampler) (N,), truncated; None where it is left out.

    Tokens come from the sampler, which may compute other probabilities than the learner of the same weights, and be an
    update behind: their weight takes the mean back to the old policy's (Yao et al. 2025, truncated importance
    sampling), and is truncated for its variance.
    """
    if objective.importance_cap is None or tokens.sampler is None:
        return None
    return (old - tokens.sampler).exp().clamp(max=objective.importance_cap)

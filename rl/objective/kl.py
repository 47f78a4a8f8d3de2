"""Estimates, a token at a time, of how far the policy has gone from a reference: KL(policy || reference).

With d = ln(p / ref) of a token that the policy p drew (Schulman 2020, "Approximating KL divergence"):

    k1 = d                    unbiased, of any sign
    k2 = d^2 / 2              biased, never negative
    k3 = exp(-d) - 1 + d      unbiased, never negative: GRPO's paper, equation 4

An estimate whose *value* is unbiased need not have the gradient of what it estimates, since the tokens are drawn from
the policy that changes. Put into a loss as they stand, and averaged over tokens of the policy, their gradients are

    k1    grad ln p, whose mean is 0: noise, and no pull to the reference at all
    k2    d grad ln p: that of KL(policy || reference), which is meant
    k3    (1 - ref / p) grad ln p: that of KL(reference || policy), another divergence, near the first where d is small

and none is right for tokens of an older policy. Weighted by the ratio r = p / old, as it is here unless told otherwise,
each has the gradient r d grad ln p, token for token: that of KL(policy || reference), on and off policy. (r k3 has it
by the product rule: r (k3 + 1 - exp(-d)) = r d; of k1 and k2 one factor is held fixed.) The three then differ in the
value that is reported, and not in what is learned. DeepSeek-V3.2 weights k3 so, and trl's `use_bias_correction_kl`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Estimator = Literal["k1", "k2", "k3"]


def estimate(
    kind: Estimator, log_probs: torch.Tensor, reference: torch.Tensor, weight: torch.Tensor | None = None
) -> torch.Tensor:
    """The estimate (N,) from log-probabilities (N,) of the policy and the reference.

    `weight` (N,) is the ratio that tokens are weighted by, with its gradient: with it the result has the gradient that
    the module's text says. Without, it is the plain estimate.
    """
    d = log_probs - reference
    match kind:
        case "k1":
            return d if weight is None else weight * d.detach()
        case "k2":
            return d.square() / 2 if weight is None else weight.detach() * d.square() / 2
        case "k3":
            k3 = (-d).exp() - 1 + d
            return k3 if weight is None else weight * k3

"""The loss of a batch, as a sum that its parts add up to, and what is measured beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch

from rl.objective.kl import estimate
from rl.objective.policy_loss import PolicyObjective, policy_losses
from rl.objective.rows import TokenRow
from rl.objective.supervised import Supervised, supervised_losses
from rl.objective.tokens import Tokens
from rl.objective.weights import token_weights

Objective = PolicyObjective | Supervised

# Measured of tokens that were not given again.
OFF_POLICY = ("sampler_ratio", "kl")
AGAIN = "again"


@dataclass(frozen=True)
class Statistics:
    """Sums and greatest values over tokens, so that those of a batch's parts give the batch's."""

    sums: dict[str, float] = field(default_factory=dict)
    greatest: dict[str, float] = field(default_factory=dict)


def weigh(rows: Sequence[TokenRow], objective: Objective) -> list[tuple[float, ...]]:
    """The weight of each token of each row, worked out over the whole batch; see `weights.token_weights`.

    Raises:
        ValueError: rows lack log-probabilities that the objective needs, or some have them and others do not.
    """
    if isinstance(objective, Supervised):
        return token_weights(rows, "token_mean")
    for name, needed in (
        ("sampler_log_probs", objective.importance_cap is not None),
        ("old_log_probs", False),
        ("reference_log_probs", objective.kl != "none"),
    ):
        having = sum(getattr(row, name) is not None for row in rows)
        if having < len(rows) and (needed or having):
            raise ValueError(f"{len(rows) - having} of {len(rows)} rows have no {name}")
    return token_weights(rows, objective.aggregation, objective.constant_length, objective.mask_truncated)


def loss_of(
    log_probs: torch.Tensor, entropies: torch.Tensor, tokens: Tokens, objective: Objective
) -> tuple[torch.Tensor, Statistics]:
    """The tokens' part () of the batch's loss, with its gradient, and what is measured of them.

    `log_probs` (N,) and `entropies` (N,) are those of the policy that learns, at the objective's temperature.
    """
    if isinstance(objective, PolicyObjective):
        losses = policy_losses(log_probs, tokens, objective)
    else:
        losses = supervised_losses(log_probs)
    loss = (tokens.weights * losses).sum()
    with torch.no_grad():
        values = {"loss": tokens.weights * losses, "entropy": entropies, "log_prob": log_probs}
        if isinstance(objective, PolicyObjective):
            values |= _of_policy(log_probs, tokens, objective)
        sums = torch.stack([value.double().sum() for value in values.values()]).tolist()
        ratios = [name for name, value in values.items() if name.endswith("ratio") and len(value)]
        greatest = [float(values[name].max()) for name in ratios]
        given_again = 0.0 if tokens.again is None else float(tokens.again.sum())
    return loss, Statistics(
        {"tokens": float(len(log_probs)), AGAIN: given_again, **dict(zip(values, sums, strict=True))},
        dict(zip(ratios, greatest, strict=True)),
    )


def _of_policy(log_probs: torch.Tensor, tokens: Tokens, objective: PolicyObjective) -> dict[str, torch.Tensor]:
    """What is measured of each token (N,): ratios as they are before anything is clipped or truncated.

    That of `OFF_POLICY` is left out for tokens that were given again.
    """
    drawn = slice(None) if tokens.again is None else ~tokens.again
    old = log_probs if tokens.old is None else tokens.old
    ratio = (log_probs - old).exp()
    values = {
        "ratio": ratio,
        "clip_low": (ratio < 1 - objective.clip_low) & (tokens.advantages < 0),
        "clip_high": (ratio > 1 + objective.clip_high) & (tokens.advantages > 0),
    }
    if tokens.sampler is not None:
        values["sampler_ratio"] = (old - tokens.sampler).exp()[drawn]
    if objective.estimator is not None and tokens.reference is not None:
        values["kl"] = estimate(objective.estimator, log_probs, tokens.reference)[drawn]
    return values


def together(parts: Iterable[Statistics]) -> Statistics:
    """Of all the parts of a batch."""
    sums: dict[str, float] = {}
    greatest: dict[str, float] = {}
    for part in parts:
        for name, value in part.sums.items():
            sums[name] = sums.get(name, 0.0) + value
        for name, value in part.greatest.items():
            greatest[name] = max(greatest.get(name, value), value)
    return Statistics(sums, greatest)


def metrics(statistics: Statistics) -> dict[str, float]:
    """`loss` and `tokens` of the batch; of all else the mean over tokens, and of ratios the greatest as `..._max`.

    `ratio` is exp(new - old), `sampler_ratio` exp(old - sampler); `clip_low` and `clip_high` are the shares of tokens
    whose gradient the clip took away; `kl` is the plain estimate. Tokens that were given again are in neither
    `sampler_ratio` nor `kl`, which are left out where there are no others.
    """
    sums = dict(statistics.sums)
    count = sums.get("tokens", 0.0)
    drawn = count - sums.pop(AGAIN, 0.0)
    counts = {"loss": 1.0, "tokens": 1.0} | dict.fromkeys(OFF_POLICY, drawn)
    means = {name: value / max(counts.get(name, count), 1.0) for name, value in sums.items()}
    if not drawn and count:
        means = {name: value for name, value in means.items() if name not in OFF_POLICY}
    return means | {f"{name}_max": value for name, value in statistics.greatest.items()}

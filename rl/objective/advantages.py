"""What a rollout's reward is worth beside the others of its group."""

from collections.abc import Sequence
from math import isfinite, sqrt


def advantages(rewards: Sequence[float | None], normalise_std: bool) -> list[float | None]:
    """Outcome advantages of a group's rollouts (DeepSeekMath, arXiv 2402.03300, section 4.1.2): A = R - mean R.

    An unscored reward, None, is in no mean, and its advantage is None: the rollout is to be dropped. With
    `normalise_std` advantages are divided by the sample standard deviation (that over n - 1; the paper does not say
    which it means, and trl takes this one) of the scored rewards. Nothing is added to it: rewards that are not equal
    have one. Without, a group that is nearly always or never right is not given more weight than the others (Dr. GRPO,
    arXiv 2503.20783, section 3.1). Where all scored rewards are equal, all advantages are exactly 0.

    Raises:
        ValueError: a reward is not finite.
    """
    scored = _scored(rewards)
    if zero_variance(rewards):
        return [None if reward is None else 0.0 for reward in rewards]
    mean = sum(scored) / len(scored)
    scale = sqrt(sum((reward - mean) ** 2 for reward in scored) / (len(scored) - 1)) if normalise_std else 1.0
    return [None if reward is None else (reward - mean) / scale for reward in rewards]


def zero_variance(rewards: Sequence[float | None]) -> bool:
    """Whether a group teaches nothing: its scored rewards are all exactly equal, or there is none.

    Rewards are compared, not their deviation with some small number: a group whose rewards differ by little (those of
    a shaped reward may) is one to learn from, and rounding must not make one of a group of equal rewards.

    Raises:
        ValueError: a reward is not finite.
    """
    return len(set(_scored(rewards))) <= 1


def _scored(rewards: Sequence[float | None]) -> list[float]:
    scored = [reward for reward in rewards if reward is not None]
    if not all(map(isfinite, scored)):
        raise ValueError("a reward is not finite; an unscored one is None")
    return scored

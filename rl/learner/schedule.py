"""The learning rate of an update."""

from math import cos, pi

from rl.learner.config import LearnerConfig


def learning_rate(step: int, config: LearnerConfig, total_steps: int | None = None) -> float:
    """That of the update which `step` others went before.

    Linear warm-up, whose last update has the whole rate; then constant, or linear or cosine (Loshchilov and Hutter
    2017, SGDR, equation 5, one period) to 0 after `total_steps`, where it stays.
    """
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    if config.schedule == "constant" or total_steps is None:
        return config.learning_rate
    done = min((step - config.warmup_steps) / (total_steps - config.warmup_steps), 1.0)
    return config.learning_rate * (1 - done if config.schedule == "linear" else (1 + cos(pi * done)) / 2)

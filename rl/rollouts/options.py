"""How rollouts are made. Imports no torch."""

from dataclasses import dataclass, field

from prover.sampling.sampler import Settings
from prover.sources import UserInputError
from rl.runs.settings import MAY_CHANGE


@dataclass(frozen=True)
class RolloutOptions:
    """The limits of a rollout, and how many a theorem gets.

    Raises:
        UserInputError: a number makes no sense.
    """

    group_size: int = 8
    """Rollouts of a theorem, which are compared with one another."""
    turns: int = 16
    """Tactics of an episode, at most."""
    retries: int = 0
    """Errors that an episode survives: each has another answer to the same state."""
    heartbeats: int = 200_000
    """Lean's own limit for one tactic, or for a proof in one piece, as `maxHeartbeats` counts."""
    tactic_seconds: float = 10.0
    """Wall clock for one tactic; a rollout that it ends is unscored."""
    judge_seconds: float = 60.0
    """Wall clock for the judge on one proof; a rollout that it ends is unscored."""
    recheck: bool = False
    """Whether another process judges once more what was accepted."""
    patience: float = field(default=600.0, metadata={MAY_CHANGE: True})
    """Seconds for which a Lean that is lost is waited for, before the run ends."""

    def __post_init__(self) -> None:
        for name, value, least in (
            ("rollouts of a theorem", self.group_size, 1),
            ("turns of an episode", self.turns, 1),
            ("heartbeats", self.heartbeats, 1),
            ("retries", self.retries, 0),
            ("seconds of patience", self.patience, 0),
        ):
            if not value >= least:
                raise UserInputError(f"The number of {name} is {value}; it has to be {least} or more.")
        if not (self.tactic_seconds > 0 and self.judge_seconds > 0):
            raise UserInputError("The seconds that Lean has for a tactic and for a proof have to be more than 0.")

    @property
    def episode_heartbeats(self) -> int:
        """What the tactics of an episode may use together, and as much as one of them for the statement."""
        return self.heartbeats * (self.turns + 1)


def training_settings(settings: Settings) -> Settings:
    """The settings, if what they sample from is what the learner's log-probabilities are of: softmax(logits / T).

    A distribution that top-p or top-k has cut has others (trl#6789), and a greedy answer none at all. `Settings` knows
    no top-k.

    Raises:
        UserInputError: the temperature is not above 0, or top-p is not 1.
    """
    if not settings.temperature > 0:
        raise UserInputError(
            f"The temperature is {settings.temperature:g}: rollouts to learn from are drawn at one above 0."
        )
    if settings.top_p != 1:
        raise UserInputError(f"top-p is {settings.top_p:g}: rollouts to learn from are drawn at 1, from all tokens.")
    if settings.max_tokens < 1:
        raise UserInputError(f"An answer may have {settings.max_tokens} tokens; it needs 1 or more.")
    return settings

"""What was sampled for a theorem, as the learner is given it: token ids, never text that would be encoded again."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from prover.benchmarks.row import Row

Ended = Literal["proved", "refused", "error", "length", "turns", "lost"]


@dataclass(frozen=True)
class Turn:
    """One prompt and the model's answer to it.

    `prompt_ids` (m,) are the ids that the model was given, `token_ids` (n,) what it generated, the end included, and
    `log_probabilities` (n,), natural, what the sampler says of them at the temperature that was sampled at. `finish` is
    `length` where a limit of tokens cut the answer off.
    """

    prompt_ids: tuple[int, ...]
    token_ids: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    finish: Literal["stop", "length"] = "stop"
    text: str = field(default="", repr=False)


@dataclass(frozen=True)
class Rollout:
    """One try at a theorem: a whole proof, which is one turn, or an episode of tactics, a turn for each.

    `reward` is the judge's, 1 or 0, or None for *unscored*: the learner drops it. `proof` is the text after `:=` that
    was judged, None where none was claimed (an episode that ended elsewhere has reward 0). `ended` says how it ended:
    `proved`, `refused` by the judge, `error` of a tactic or an answer that holds none, `length` of an answer, or of a
    prompt (`reason` says so), `turns` where there were too many, `lost` where Lean or the model was, or a wall clock
    fired: `reason` says which.

    `version` is the number of updates that the weights had when it was sampled, where that is not its group's: it was
    sampled earlier and is given again (`rl.grpo.replay`). `lean_seconds` is Lean's own time; what several rollouts
    share (an equal tactic on the same state, an equal proof) is counted to the first.
    """

    turns: tuple[Turn, ...]
    reward: int | None
    ended: Ended
    proof: str | None = None
    lean_seconds: float = field(default=0.0, compare=False)
    reason: str = ""
    version: int | None = None

    @property
    def truncated(self) -> bool:
        return self.ended == "length"

    @property
    def is_unscored_claim(self) -> bool:
        """A proof was claimed, and the judge's word is missing: it takes a good proof longer than an error."""
        return self.reward is None and self.proof is not None

    @property
    def tokens(self) -> int:
        """Tokens generated, in all turns."""
        return sum(len(turn.token_ids) for turn in self.turns)


@dataclass(frozen=True)
class Group:
    """The rollouts of one theorem, sampled with the weights that `version` updates have made."""

    row: Row
    rollouts: tuple[Rollout, ...]
    version: int

    @property
    def rewards(self) -> tuple[int | None, ...]:
        """The judge's, in the order of the rollouts."""
        return tuple(rollout.reward for rollout in self.rollouts)

    @property
    def has_unscored_claims(self) -> bool:
        """Whether the rewards tell too little of how well the policy proves the theorem: claims are missing in them."""
        return any(rollout.is_unscored_claim for rollout in self.rollouts)


def unscored(groups: Iterable[Group]) -> Counter[str]:
    """How many rollouts have no reward, by the reason."""
    return Counter(rollout.reason for group in groups for rollout in group.rollouts if rollout.reward is None)

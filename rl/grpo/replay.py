"""Proved rollouts that are kept, and given again to a group of their theorem that has no success of its own."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from prover.sources import UserInputError
from rl.rollouts.rollout import Group, Rollout
from rl.rollouts.stored import rollout_from_json


@dataclass(frozen=True)
class ReplayOptions:
    """How much is kept: `each` rollouts of a theorem, with different proofs, of at most `theorems` theorems."""

    each: int = field(default=2, metadata={"help": "Proved rollouts kept of a theorem; 0: none are given again."})
    theorems: int = field(default=4096, metadata={"help": "Theorems that proved rollouts are kept of."})

    def __post_init__(self) -> None:
        if self.each < 0 or self.theorems < 0:
            raise UserInputError("What replay keeps of a theorem, and of how many theorems, is 0 or more.")


class Replay:
    """Keeps proved rollouts by the theorem's name, the newest; of theorems, those that were proved last.

    A rollout that is given again has the `version` of the weights that sampled it. Its log-probabilities are those of
    then, so the learner has nothing to do differently but what it does for any sampler that is not itself: its old
    log-probabilities are worked out from its present weights, and the importance weight is between the two.
    """

    def __init__(self, options: ReplayOptions | None = None) -> None:
        self.options = options or ReplayOptions()
        self._kept: dict[str, deque[Rollout]] = {}  # theorems in the order of their last proof

    def __len__(self) -> int:
        return sum(map(len, self._kept.values()))

    def keep(self, groups: Iterable[Group]) -> None:
        """Takes in the proved rollouts of these groups; one with a proof that is kept already takes its place."""
        for group in groups:
            for rollout in group.rollouts:
                if rollout.reward == 1 and rollout.version is None and self.options.each and self.options.theorems:
                    self._keep(group.row.name, replace(rollout, version=group.version))

    def fill(self, group: Group) -> Group:
        """The group, with one kept rollout more if it has failures and no success; the kept ones take turns."""
        kept = self._kept.get(group.row.name)
        if not kept or 0 not in group.rewards or 1 in group.rewards:
            return group
        given = kept[0]
        kept.rotate(-1)
        return replace(group, rollouts=(*group.rollouts, given))

    def state(self) -> dict[str, Any]:
        """All that is kept, as a JSON value."""
        return {"kept": [[name, [asdict(each) for each in kept]] for name, kept in self._kept.items()]}

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` gave."""
        self._kept = {name: deque(map(rollout_from_json, kept)) for name, kept in state["kept"]}

    def _keep(self, name: str, rollout: Rollout) -> None:
        others = [each for each in self._kept.pop(name, ()) if each.proof != rollout.proof]
        others.sort(key=lambda each: each.version or 0)  # they have taken turns since
        self._kept[name] = deque([*others, rollout][-self.options.each :])
        while len(self._kept) > self.options.theorems:
            del self._kept[next(iter(self._kept))]

"""Proved rollouts that are kept, and given again to a group of their theorem that has no success of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from prover.sources import UserInputError
from rl.rollouts.rollout import Group, Rollout
from rl.rollouts.stored import rollout_from_json


@dataclass(frozen=True)
class ReplayOptions:
    """How much is kept: `each` rollouts of a theorem, with different proofs, of at most `theorems` theorems."""

    each: int = 2
    theorems: int = 4096

    def __post_init__(self) -> None:
        if self.each < 0 or self.theorems < 0:
            raise UserInputError("What replay keeps of a theorem, and of how many theorems, is 0 or more.")


class Replay:
    """Keeps proved rollouts by the theorem's name, the newest; of theorems, those that were proved last.

    A rollout that is given again has the `version` of the weights that sampled it. Its log-probabilities are those of
    then, so the learner has nothing to do differently but what it does for any sampler that is not itself: its old
    log-probabilities are worked out from its present weights, and the importance weight is between the two.

    What is kept is never changed in place: a shallow copy goes on apart.
    """

    def __init__(self, options: ReplayOptions | None = None) -> None:
        self.options = options or ReplayOptions()
        self._kept: dict[str, tuple[Rollout, ...]] = {}  # theorems in the order of their last proof

    def __len__(self) -> int:
        return sum(map(len, self._kept.values()))

    def keep(self, groups: Iterable[Group]) -> None:
        """Takes in the proved rollouts of these groups; one with a proof that is kept already takes its place."""
        if not self.options.each or not self.options.theorems:
            return
        kept = dict(self._kept)
        for group in groups:
            for rollout in group.rollouts:
                if rollout.reward == 1 and rollout.version is None:
                    others = [each for each in kept.pop(group.row.name, ()) if each.proof != rollout.proof]
                    newest = [*others, replace(rollout, version=group.version)][-self.options.each :]
                    kept[group.row.name] = tuple(newest)
                    while len(kept) > self.options.theorems:
                        del kept[next(iter(kept))]
        self._kept = kept

    def fill(self, group: Group) -> Group:
        """The group, with one kept rollout more if it has failures and no success, nor a claim that may be one.

        The kept ones take turns, by the group's version.
        """
        kept = self._kept.get(group.row.name)
        if not kept or 0 not in group.rewards or 1 in group.rewards or group.has_unscored_claims:
            return group
        return replace(group, rollouts=(*group.rollouts, kept[group.version % len(kept)]))

    def state(self) -> dict[str, Any]:
        """All that is kept, as a JSON value."""
        return {"kept": [[name, [asdict(each) for each in kept]] for name, kept in self._kept.items()]}

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` gave."""
        self._kept = {name: tuple(map(rollout_from_json, kept)) for name, kept in state["kept"]}

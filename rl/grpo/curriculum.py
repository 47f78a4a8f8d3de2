"""Which theorems the next batch is made of: those that the policy sometimes proves teach it most."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import inf, log
from random import Random
from typing import Any

from prover.benchmarks.row import Row
from prover.sources import UserInputError
from rl.rollouts.rollout import Group


@dataclass(frozen=True)
class CurriculumOptions:
    """A theorem's pass rate is (proved + optimism / 2) / (scored + optimism), over its rollouts.

    `optimism` is how many rollouts' worth it is taken to be proved half the time before anything is known of it.
    `memory` is what is left of the older counts when new ones come: 1 keeps all, less forgets as the policy changes.
    `even` weighs all theorems alike. `together` is how many that share a header are drawn at a time, where so many have
    at least half the weight of the first: a worker loads a header once for all that it sees of it, and that takes
    longer than their rollouts. The fewer workers there are, the more it saves.
    """

    optimism: float = 1.0
    memory: float = 0.9
    even: bool = False
    together: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.optimism < inf:
            raise UserInputError(f"The curriculum's optimism is {self.optimism:g}; it has to be above 0.")
        if not 0 <= self.memory <= 1:
            raise UserInputError(f"The curriculum's memory is {self.memory:g}; it has to be from 0 to 1.")
        if self.together < 1:
            raise UserInputError(f"The curriculum draws {self.together} theorems together; it has to be 1 at least.")


class Curriculum:
    """Draws theorems, and hears what their rollouts came to. All that it draws hangs on its state, seed and the step.

    What it has heard is never changed in place: a shallow copy goes on apart.

    Raises:
        UserInputError: two theorems have one name.
    """

    def __init__(self, rows: Sequence[Row], options: CurriculumOptions | None = None, seed: int = 0) -> None:
        self.rows, self.options, self.seed = tuple(rows), options or CurriculumOptions(), seed
        self._known = {row.name for row in self.rows}
        if len(self._known) < len(self.rows):
            names = [row.name for row in self.rows]
            raise UserInputError(f"{max(names, key=names.count)} comes twice among the training theorems.")
        self._counts: dict[str, tuple[float, float]] = {}  # proved, scored
        self._unscored: dict[str, int] = {}  # visits without a score, since the last that had one

    def pass_rate(self, name: str) -> float:
        """The estimate for a theorem, in (0, 1); 0.5 where nothing is known."""
        proved, scored = self._counts.get(name, (0.0, 0.0))
        optimism = self.options.optimism
        return (proved + optimism / 2) / (scored + optimism)

    def weight(self, name: str) -> float:
        """p(1 - p) / (1 + visits without a score), or a quarter for all alike.

        p(1 - p) is the variance of a rollout's reward, which is what a group has to compare. Where visits give no
        score (Lean breaks off on the theorem, say), p stays as it is, and the theorem would be drawn for ever.
        """
        rate = self.pass_rate(name)
        return 0.25 if self.options.even else rate * (1 - rate) / (1 + self._unscored.get(name, 0))

    def draw(self, count: int, step: int) -> list[Row]:
        """`count` different theorems in the order they are to be taken in (all of them, where there are fewer).

        One after another, each with a probability in proportion to its weight among those that are left: by the largest
        ln(u) / weight, u uniform (Efraimidis and Spirakis 2006, algorithm A). Those that are drawn `together` with one
        are the next of its header in that order; those of much less weight wait for their own turn.
        """
        random = Random(f"curriculum {self.seed} {step}")
        keys = [(log(1.0 - random.random()) / self.weight(row.name), -place) for place, row in enumerate(self.rows)]
        drawn = [self.rows[-place] for _, place in sorted(keys, reverse=True)]
        return self._bunched(drawn)[:count]

    def _bunched(self, rows: Sequence[Row]) -> list[Row]:
        """The rows in their order, but each is followed by others of its header, which leave their own places."""
        weights = {row.name: self.weight(row.name) for row in rows}
        of_header: dict[str, list[Row]] = {}
        for row in rows:
            of_header.setdefault(row.header, []).append(row)
        bunched: dict[str, Row] = {}
        for row in rows:
            if row.name in bunched:
                continue
            fitting = (
                other
                for other in of_header[row.header]
                if other.name not in bunched and other is not row and 2 * weights[other.name] >= weights[row.name]
            )
            for each in (row, *islice(fitting, self.options.together - 1)):
                bunched[each.name] = each
        return list(bunched.values())

    def record(self, groups: Iterable[Group]) -> None:
        """Takes in what the rollouts of these groups came to, but for the unscored and those given again.

        A group with a claim that the judge did not score counts as one without a score: its failures, which are found
        sooner, say too little of the pass rate.
        """
        counts, unscored, memory = dict(self._counts), dict(self._unscored), self.options.memory
        for group in groups:
            name = group.row.name
            if name not in self._known:
                continue
            rewards = [each.reward for each in group.rollouts if each.reward is not None and each.version is None]
            if not rewards or group.has_unscored_claims:
                unscored[name] = unscored.get(name, 0) + 1
                continue
            unscored.pop(name, None)
            proved, scored = counts.get(name, (0.0, 0.0))
            counts[name] = (memory * proved + sum(rewards), memory * scored + len(rewards))
        self._counts, self._unscored = counts, unscored

    def state(self) -> dict[str, Any]:
        """All that it has heard, as a JSON value."""
        return {"counts": {name: list(counts) for name, counts in self._counts.items()}, "unscored": self._unscored}

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` gave."""
        self._counts = {name: (float(proved), float(scored)) for name, (proved, scored) in state["counts"].items()}
        self._unscored = dict(state["unscored"])

    def metrics(self) -> dict[str, float]:
        """How many theorems were seen, and how many of them are between never and always proved."""
        rates = [proved / scored for proved, scored in self._counts.values() if scored]
        return {
            "theorems_seen": float(len(rates)),
            "theorems_middling": float(sum(0 < rate < 1 for rate in rates)),
            "theorems_mean_pass_rate": sum(rates) / len(rates) if rates else 0.0,
        }

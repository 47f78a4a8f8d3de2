"""Collects groups of rollouts: theorems in, what the policy sampled and what the judge says of it out."""

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self, cast

from lean_env import LeanPool
from prover.benchmarks.row import Row
from prover.prompts.family import ProofFamily, TacticFamily
from prover.sampling.sampler import Settings
from rl.rollouts.ending import Ending
from rl.rollouts.episodes import episodes
from rl.rollouts.lean import Lean
from rl.rollouts.lost import JudgeLost, SamplerLost
from rl.rollouts.options import RolloutOptions, training_settings
from rl.rollouts.proofs import whole_proofs
from rl.rollouts.rollout import Group
from rl.rollouts.weights import PolicySampler

MOST_TRIES = 5  # of one batch, should Lean be lost in each


class Collector:
    """Samples groups with `sampler` and has them judged on `pool`. Not thread safe but for `stop`.

    The prompt family says of which kind rollouts are: episodes of tactics, or whole proofs. What comes back hangs on
    the weights, the theorems, their order, `seed` and the step, and not on the workers, their number or their speed:
    the same step made again gives the same rollouts, but for those that a wall clock or a lost Lean left unscored.

    Raises:
        UserInputError: what `settings` samples from is not what the learner learns (`options.training_settings`).
    """

    def __init__(
        self,
        pool: LeanPool,
        sampler: PolicySampler,
        family: TacticFamily | ProofFamily,
        settings: Settings,
        options: RolloutOptions | None = None,
        seed: int = 0,
    ) -> None:
        settings = training_settings(settings)
        self.options = options or RolloutOptions()
        self.sampler, self.family, self.seed = sampler, family, seed
        self.settings = replace(settings, stop=(*family.stop, *settings.stop))
        self._lean = Lean(pool, self.options)

    @property
    def pool(self) -> LeanPool:
        """The present pool: the one that was given, or one that took its place when it had given up."""
        return self._lean.pool

    def collect(self, rows: Sequence[Row], step: int, version: int | None = None) -> list[Group]:
        """A group of rollouts for each theorem, in order; `version` is how many updates made the weights (`step`).

        If Lean was lost on any, and is away, it is waited for, and all rollouts are made again: the same ones, as their
        seeds are the same. (Those that need Lean least are failures; without the others they would tell too little.) If
        it is there, those rollouts are what it is lost on, and they stay unscored.

        Raises:
            JudgeLost: Lean did not come back within the options' `patience`, or was lost again each time.
            SamplerLost: the model is to blame that not one rollout is scored.
            CollectStopped: `stop` was called.
            UserInputError: the sampler tells no log-probabilities.
            ValueError: a theorem comes twice; its rollouts would be the same.
        """
        names = [row.name for row in rows]
        if len(set(names)) < len(names):
            raise ValueError(f"{max(names, key=names.count)} comes twice among the theorems of step {step}")
        version = step if version is None else version
        for tries in range(MOST_TRIES):
            groups = self._collect(rows, step)
            endings = [ending for group in groups for ending in group]
            self._check_model(endings)
            said = {ending.lean for ending in endings}
            # To be sure they are made once more if Lean has answered nothing at all.
            if "lost" not in said or (self._lean.wait_for() and ("answered" in said or tries)):
                return [
                    Group(row, tuple(ending.rollout for ending in group), version)
                    for row, group in zip(rows, groups, strict=True)
                ]
        raise JudgeLost(f"Lean is lost: it went away {MOST_TRIES} times while the rollouts of a batch were made.")

    def stop(self) -> None:
        """Has `collect` give up soon, and not begin again: from any thread, and to be said again until it has ended."""
        self._lean.stop()
        self.sampler.stop()

    def close(self) -> None:
        """Ends what was started here; the pool that was given stays its owner's."""
        self._lean.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _collect(self, rows: Sequence[Row], step: int) -> list[list[Ending]]:
        count, family = self.options.group_size, self.family
        if hasattr(family, "tactic"):
            tactics = cast(TacticFamily, family)
            return episodes(rows, count, self.sampler, tactics, self.settings, self._lean, self.seed, step)
        return whole_proofs(rows, count, self.sampler, family, self.settings, self._lean, self.seed, step)

    def _check_model(self, endings: Sequence[Ending]) -> None:
        asked = [ending for ending in endings if ending.rollout.turns or ending.lean == "unasked"]
        if asked and all(ending.rollout.reward is None and ending.lean == "unasked" for ending in asked):
            reason = asked[0].rollout.reason.rstrip(".")
            raise SamplerLost(f"{self.sampler.name} is lost, no rollout came to an end: {reason}.")

"""From groups of rollouts to the rows that the learner is given, and what is known of a batch beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from rl.objective.advantages import advantages
from rl.objective.rows import TokenRow
from rl.rollouts.rollout import Group, Rollout
from rl.rollouts.stored import from_json, to_json
from rl.shaping import Shaping, learner_reward, terms


@dataclass(frozen=True)
class Batch:
    """What was collected for a step: the groups to learn from, and those `dropped`, which have nothing to compare.

    `refills` is how many times others were collected in their place, `seconds` how long it took.
    """

    kept: tuple[Group, ...]
    dropped: tuple[Group, ...]
    refills: int
    seconds: float

    @property
    def groups(self) -> tuple[Group, ...]:
        return (*self.kept, *self.dropped)


def rewards(group: Group, shaping: Shaping) -> list[float | None]:
    """What the learner is given for each rollout: the judge's reward, and the terms that are on."""
    return [learner_reward(rollout.reward, terms(rollout, shaping)) for rollout in group.rollouts]


def rows(groups: Sequence[Group], shaping: Shaping, normalise_std: bool) -> list[TokenRow]:
    """A row for each answer of each rollout that is scored, all with the rollout's advantage in its group.

    This is outcome supervision (DeepSeekMath, arXiv 2402.03300, section 4.1.2). An answer without a token has no row.
    """
    found: list[TokenRow] = []
    sequence = 0
    for group in groups:
        for rollout, advantage in zip(group.rollouts, advantages(rewards(group, shaping), normalise_std), strict=True):
            if advantage is not None:
                found += _rows_of(rollout, advantage, sequence)
                sequence += 1
    return found


def _rows_of(rollout: Rollout, advantage: float, sequence: int) -> list[TokenRow]:
    return [
        TokenRow(
            turn.prompt_ids,
            turn.token_ids,
            advantage,
            sequence,
            sampler_log_probs=turn.log_probabilities,
            truncated=rollout.truncated,
            again=rollout.version is not None,
        )
        for turn in rollout.turns
        if turn.token_ids
    ]


def parts(batch: Sequence[TokenRow], count: int, seed: object) -> list[list[TokenRow]]:
    """The rows in at most `count` parts of whole rollouts, as even as can be, dealt out by the seed."""
    sequences = list(dict.fromkeys(row.sequence for row in batch))
    if count > 1:
        Random(f"parts {seed}").shuffle(sequences)
    part_of = {sequence: place % count for place, sequence in enumerate(sequences)}
    found = [[row for row in batch if part_of[row.sequence] == part] for part in range(count)]
    return [part for part in found if part]


def batch_to_json(batch: Batch) -> dict[str, Any]:
    """As a JSON value: a checkpoint keeps what was sampled and not yet learned from."""
    return {
        "kept": to_json(batch.kept),
        "dropped": to_json(batch.dropped),
        "refills": batch.refills,
        "seconds": batch.seconds,
    }


def batch_from_json(value: Mapping[str, Any]) -> Batch:
    """The batch that `batch_to_json` wrote."""
    kept, dropped = (tuple(from_json(value[name])) for name in ("kept", "dropped"))
    return Batch(kept, dropped, value["refills"], value["seconds"])

"""What is measured of a batch and of the updates on it, by name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rl.grpo.batch import Batch
from rl.objective.advantages import advantages
from rl.rollouts.rollout import Group, Rollout
from rl.shaping import Shaping, learner_reward, terms

# What the learner tells of an update that is added up over a step's; of all else the mean is taken, of `..._max` the
# greatest.
SUMMED = ("seconds", "tokens")
RENAMED = {"tokens": "learned_tokens", "seconds": "learning_seconds", "tokens_per_second": "learned_tokens_per_second"}


def of_groups(groups: Sequence[Group]) -> dict[str, float]:
    """Of what was sampled, whether it is learned from or not. What was given again, of an earlier step, is left out.

    `reward` is the mean of the judge's over the scored rollouts, `pass_rate` the share of theorems with a proof among
    those with a scored rollout. `unscored` is a share of the rollouts, as `ended_...` are and `unscored_claims`, those
    that claimed a proof and have no verdict; `length` is tokens a rollout.
    """
    sampled = [[rollout for rollout in group.rollouts if rollout.version is None] for group in groups]
    rollouts = [rollout for group in sampled for rollout in group]
    scored = [[each.reward for each in group if each.reward is not None] for group in sampled]
    judged = [rewards for rewards in scored if rewards]
    found: dict[str, float] = {"theorems": len(groups), "rollouts": len(rollouts)}
    if judged:
        found["reward"] = sum(map(sum, judged)) / sum(map(len, judged))
        found["pass_rate"] = sum(1 in rewards for rewards in judged) / len(judged)
    if rollouts:
        count = len(rollouts)
        found["unscored"] = sum(rollout.reward is None for rollout in rollouts) / count
        found["unscored_claims"] = sum(rollout.is_unscored_claim for rollout in rollouts) / count
        found["length"] = sum(rollout.tokens for rollout in rollouts) / count
        found["turns"] = sum(len(rollout.turns) for rollout in rollouts) / count
        ended = Counter(rollout.ended for rollout in rollouts)
        found |= {f"ended_{how}": number / count for how, number in sorted(ended.items())}
    found["lean_seconds"] = sum(rollout.lean_seconds for rollout in rollouts)
    return found


def of_batch(batch: Batch, step: int, shaping: Shaping) -> dict[str, float]:
    """Of a batch, collected for step `step` (from 0): `lag` is how many steps old the weights were that sampled it."""
    found = of_groups(batch.groups)
    rollouts = [rollout for group in batch.groups for rollout in group.rollouts]
    again = [rollout for rollout in rollouts if rollout.version is not None]
    tokens = sum(rollout.tokens for rollout in rollouts) - sum(rollout.tokens for rollout in again)
    found |= {
        "groups_kept": len(batch.kept),
        "groups_dropped": len(batch.dropped),
        "refills": batch.refills,
        "replayed": len(again),
        "sampled_tokens": tokens,
        "collecting_seconds": batch.seconds,
        "sampled_tokens_per_second": tokens / batch.seconds if batch.seconds else 0.0,
    }
    if batch.groups:
        found["lag"] = step - sum(group.version for group in batch.groups) / len(batch.groups)
    return found | of_shaping([each for each in rollouts if each.version is None], shaping)


def of_shaping(rollouts: Sequence[Rollout], shaping: Shaping) -> dict[str, float]:
    """The mean of each term that is on over the scored rollouts, and of what the learner is given; or nothing."""
    added = [(rollout, terms(rollout, shaping)) for rollout in rollouts if rollout.reward is not None]
    names = {name for _, each in added for name in each}
    found = {f"shaping_{name}": sum(each[name] for _, each in added) / len(added) for name in sorted(names)}
    if found:
        given = [learner_reward(rollout.reward, each) or 0.0 for rollout, each in added]
        found["learner_reward"] = sum(given) / len(given)
    return found


def of_updates(updates: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of all updates of a step together; nothing of none."""
    found: dict[str, float] = {"updates": len(updates)}
    for name in dict.fromkeys(name for update in updates for name in update):
        values = [update[name] for update in updates if name in update]
        if name.endswith("_max"):
            value = max(values)
        else:
            value = sum(values) / (1 if name in SUMMED else len(values))
        found[RENAMED.get(name, name)] = value
    return found


def shown(batch: Batch, count: int, shaping: Shaping, normalise_std: bool) -> list[dict[str, Any]]:
    """So many of the batch's rollouts for people to read: of each group the best one, then of each the next, and so on.

    Groups that are learned from come first.
    """
    ranked: list[tuple[int, int, dict[str, Any]]] = []
    for place, group in enumerate(batch.groups):
        given = [learner_reward(rollout.reward, terms(rollout, shaping)) for rollout in group.rollouts]
        found = zip(group.rollouts, advantages(given, normalise_std), strict=True)
        best_first = sorted(found, key=lambda each: -1.0 if each[0].reward is None else each[0].reward, reverse=True)
        for rank, (rollout, advantage) in enumerate(best_first):
            ranked.append((rank, place, _sample(group, rollout, advantage)))
    return [sample for _, _, sample in sorted(ranked, key=lambda each: each[:2])[:count]]


def _sample(group: Group, rollout: Rollout, advantage: float | None) -> dict[str, Any]:
    return {
        "theorem": group.row.name,
        "statement": group.row.statement,
        "answers": [turn.text for turn in rollout.turns],
        "ended": rollout.ended,
        "reason": rollout.reason,
        "reward": rollout.reward,
        "advantage": advantage,
        "proof": rollout.proof,
        "version": group.version if rollout.version is None else rollout.version,
    }

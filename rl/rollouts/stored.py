"""Groups of rollouts as JSON values and back, exactly: a checkpoint keeps those that were sampled and not yet used."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from prover.benchmarks.row import Row
from rl.rollouts.rollout import Group, Rollout, Turn


def to_json(groups: Iterable[Group]) -> list[dict[str, Any]]:
    """A JSON value for each group."""
    return [asdict(group) for group in groups]


def from_json(values: Sequence[dict[str, Any]]) -> list[Group]:
    """The groups that `to_json` wrote; the JSON may have been through a file."""
    return [
        Group(Row(**value["row"]), tuple(map(rollout_from_json, value["rollouts"])), value["version"])
        for value in values
    ]


def rollout_from_json(value: dict[str, Any]) -> Rollout:
    """The rollout whose `asdict` this is."""
    return Rollout(**{**value, "turns": tuple(map(_turn, value["turns"]))})


def _turn(value: dict[str, Any]) -> Turn:
    ids = {name: tuple(value[name]) for name in ("prompt_ids", "token_ids", "log_probabilities")}
    return Turn(**{**value, **ids})

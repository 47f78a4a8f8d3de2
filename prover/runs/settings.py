"""What decides the outcome of a run: attempts made under other settings are never mixed with its own."""

from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prover.sources import UserInputError
from search import Budget

VERSION = 1


@dataclass(frozen=True)
class Settings:
    """`attempts` is k, the attempts at each theorem; `workers_per_theorem` work on one attempt together.

    `benchmark_hash` is that of all its rows, before `shard` (the i-th of n, `1/4`) takes its part. `search` and
    `policy` are names, `options` the algorithm's own, written out. `lean` is what judges: `wasm 4.28.0 38f3c0c4`, say.
    """

    benchmark: str
    benchmark_hash: str
    policy: str
    search: str
    options: str
    attempts: int
    budget_samples: int | None
    budget_calls: int | None
    budget_seconds: float | None
    workers_per_theorem: int
    seed: int
    lean: str
    prover: str
    shard: str = "1/1"
    version: int = VERSION

    @property
    def budget(self) -> Budget:
        return Budget(self.budget_samples, self.budget_calls, self.budget_seconds)


def differences(before: Mapping[str, Any], now: Mapping[str, Any], but: Set[str] = frozenset()) -> list[str]:
    """A phrase for each setting that is not what it was, such as `the seed was 0 and is 1`."""
    return [
        f"the {key.replace('_', ' ')} was {before.get(key)} and is {now.get(key)}"
        for key in {**before, **now}
        if key not in but and before.get(key) != now.get(key)
    ]


def refuse_other_settings(
    folder: Path, before: Mapping[str, Any], now: Mapping[str, Any], but: Set[str] = frozenset()
) -> None:
    """Says that the run in the folder is another one than that which is wanted now.

    Raises:
        UserInputError: a setting is not what it was, and it is none of `but`.
    """
    if changed := differences(before, now, but):
        raise UserInputError(
            f"{folder} holds a run with other settings ({'; '.join(changed)}); name another folder with --out."
        )


def as_json(settings: Settings) -> dict[str, Any]:
    """The settings as the store keeps them."""
    return asdict(settings)

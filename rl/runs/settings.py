"""The settings of a run: a dataclass as flat JSON, and which of them may be others when the run is gone on with."""

import json
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from prover.runs.settings import differences
from prover.sources import UserInputError

# In a field's metadata: the setting decides how long or how a run goes on, not what its steps come to.
MAY_CHANGE = "may_change"


def flat(config: Any) -> dict[str, Any]:
    """The settings of a dataclass and of those in it, by name, as JSON has them.

    Raises:
        TypeError: two have one name, or one is nothing that JSON has.
    """
    found: dict[str, Any] = {}
    for field in fields(config):
        value = getattr(config, field.name)
        inner = flat(value) if is_dataclass(value) else {field.name: value}
        if twice := found.keys() & inner.keys():
            raise TypeError(f"two settings are called {', '.join(sorted(twice))}")
        found |= inner
    whole = json.loads(json.dumps(found, default=_path_as_text))
    assert isinstance(whole, dict)
    return whole


def may_change(config: Any) -> frozenset[str]:
    """The names of those settings that may be others when a run is gone on with."""
    names: set[str] = set()
    for field in fields(config):
        value = getattr(config, field.name)
        if is_dataclass(value):
            names |= flat(value).keys() if field.metadata.get(MAY_CHANGE) else may_change(value)
        elif field.metadata.get(MAY_CHANGE):
            names.add(field.name)
    return frozenset(names)


def refuse_other_settings(
    folder: Path, found: Mapping[str, Any], algorithm: str, config: Any, free: Set[str] = frozenset()
) -> None:
    """Compares what config.json says with what is wanted now; settings named in `free` may be others too.

    Raises:
        UserInputError: the folder holds a run of another algorithm, or with other settings; it says which.
    """
    if found["algorithm"] != algorithm:
        raise UserInputError(f"{folder} holds a run of {found['algorithm']}, not of {algorithm}; name another folder.")
    if changed := differences(found["settings"], flat(config), may_change(config) | free):
        raise UserInputError(f"{folder} holds a run with other settings ({'; '.join(changed)}); name another folder.")


def _path_as_text(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a setting cannot be {value!r}")

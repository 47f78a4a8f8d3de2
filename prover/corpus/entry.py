"""A theorem of the corpus: the row that is written for it, its topic and its split."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from lean_env.library import Module

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Entry:
    """What a module states. `key` tells apart what says something else (see lean_env.library.Restated)."""

    name: str
    statement: str
    key: str


def topic_of(module: str) -> str:
    """What a module is about, from its name: `Init.Data.List.Lemmas` is about `List`, `Init.Core` about `Core`."""
    parts = module.split(".")[1:] or [module]
    return parts[1] if parts[0] == "Data" and len(parts) > 1 else parts[0]


def split_of(module: str) -> str:
    """The split of a module's theorems: its name's SHA-256, as an integer modulo 10, is 0 for test and 1 for valid."""
    remainder = int(hashlib.sha256(module.encode()).hexdigest(), 16) % 10
    return {0: "test", 1: "valid"}.get(remainder, "train")


def row_of(entry: Entry, module: Module) -> str:
    """The line for a theorem of this module."""
    row = {
        "name": entry.name,
        "statement": entry.statement,
        "header": module.header,
        "module": module.name,
        "imports": module.imports,
        "topic": topic_of(module.name),
        "split": split_of(module.name),
    }
    return json.dumps(row, ensure_ascii=False) + "\n"


def without_repeats(found: Sequence[tuple[Module, Sequence[Entry]]]) -> list[tuple[Module, Entry]]:
    """The theorems in order, without those that say what one before says: a test theorem is in no training module."""
    kept: list[tuple[Module, Entry]] = []
    keys: set[str] = set()
    for module, entries in found:
        for entry in entries:
            if entry.key not in keys:
                keys.add(entry.key)
                kept.append((module, entry))
    return kept

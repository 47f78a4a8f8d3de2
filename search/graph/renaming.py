"""Gives one of two goals that are equal up to names the other one's names, as Lean text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lean_env.goal import Goal

# A name as Lean prints it, with what it may end in and the mark of those that cannot be written.
_NAME = re.compile(r"(?:«[^»\n]*»|[^\W\d][\w'!?✝¹²³⁴⁵⁶⁷⁸⁹⁰]*)(?:\.(?:«[^»\n]*»|\w[\w'!?]*))*")


@dataclass(frozen=True)
class _Line:
    """One hypothesis, alone."""

    name: str
    type: str
    value: str | None

    @property
    def accessible(self) -> bool:
        return "✝" not in self.name


def rename(here: Goal, wanted: Goal) -> str | None:
    """The tactics that make the names of `here` those of `wanted`; empty if there is nothing to do, None if it cannot.

    The goals have one key: they differ in names, in the order and number of facts, and in facts that say `True`. Facts
    are given a second name (`have h := hk`). Where data have other names, everything from the first of them on is
    reverted and introduced again. Nothing is checked here but texts: Lean has to.
    """
    have, want = _lines(here), _lines(wanted)
    if len({line.name for line in want}) != len(want):
        return None
    same = _by_text(have, want) if here.target == wanted.target else None
    if same is not None:
        return _given_names(have, want, same)
    found = _aligned(here, have, wanted, want)
    return None if found is None else _introduced_again(have, want, found)


def _lines(goal: Goal) -> list[_Line]:
    return [_Line(name, h.type, h.value) for h in goal.hypotheses for name in h.names]


def _by_text(have: Sequence[_Line], want: Sequence[_Line]) -> list[int | None] | None:
    """For each wanted hypothesis the place of one that says the same, the one of its name if it does."""
    found: list[int | None] = []
    for line in want:
        alike = [i for i, own in enumerate(have) if (own.type, own.value) == (line.type, line.value)]
        named = [i for i in alike if have[i].name == line.name]
        if not alike and line.type != "True":
            return None
        if not named and line.value is not None:
            return None
        places = [*named, *alike]
        found.append(places[0] if places else None)
    return found


def _given_names(have: Sequence[_Line], want: Sequence[_Line], found: Sequence[int | None]) -> str | None:
    """`have` for every hypothesis of another name; what is still wanted under its old name is not hidden before."""
    names = [line.name for line in have]
    missing: dict[str, str] = {}
    text: list[str] = []
    for line, place in zip(want, found, strict=True):
        if not line.accessible:
            continue
        if place is None:
            if line.type not in [own.type for own in have if own.name == line.name]:
                missing[line.name] = "True.intro"
        elif names[place] != line.name:
            missing[line.name] = names[place]
    hidden = [names.index(source) for source in missing.values() if "✝" in source]
    if hidden:
        first, renamed = _without_daggers(names, min(hidden), {line.name for line in want})
        text.append(first)
        missing = {name: renamed[names.index(s)] if "✝" in s else s for name, s in missing.items()}
        names = renamed
    while missing:
        sources = list(missing.values())
        free = next((name for name in missing if name not in sources or missing[name] == name), None)
        if free is None:
            # They go round: one of them is kept under a new name.
            name = next(iter(missing))
            kept = _fresh(name, {*names, *(line.name for line in want), *missing})
            names.append(kept)
            text.append(f"have {kept} := {name}")
            missing = {target: kept if source == name else source for target, source in missing.items()}
            continue
        text.append(f"have {free} := {missing.pop(free)}")
    return "\n".join(text)


def _without_daggers(names: Sequence[str], start: int, taken: set[str]) -> tuple[str, list[str]]:
    """The tactic that gives names to those from `start` on that cannot be written, and all names after it."""
    new = list(names)
    for i in range(start, len(new)):
        if "✝" in new[i]:
            new[i] = _fresh(new[i].split("✝")[0] or "h", {*new, *taken})
    return "rename_i " + " ".join(new[i] for i in range(start, len(new)) if "✝" in names[i]), new


def _fresh(name: str, taken: set[str]) -> str:
    name += "'"
    while name in taken:
        name += "'"
    return name


def _aligned(here: Goal, have: Sequence[_Line], wanted: Goal, want: Sequence[_Line]) -> list[int | None] | None:
    """For each wanted hypothesis the place of the one it stands for: data come in the same order, facts in any."""
    found: list[int | None] = []
    left = list(range(len(have)))
    names: dict[str, str] = {}  # here -> wanted

    def says(i: int, line: _Line) -> bool:
        value = have[i].value
        own = _renamed(have[i].type, names), None if value is None else _renamed(value, names)
        return own == (line.type, line.value)

    for line in want:
        place = next((i for i in left if says(i, line)), None)
        if place is not None:
            left.remove(place)
            names[have[place].name] = line.name
        else:  # a fact that is there once, and wanted twice
            place = next((i for i in found if i is not None and says(i, line)), None)
            if place is None and line.type != "True":
                return None
        found.append(place)
    return found if _renamed(here.target, names) == wanted.target else None


def _renamed(text: str, names: Mapping[str, str]) -> str:
    def name(match: re.Match[str]) -> str:
        first, dot, rest = match.group().partition(".")
        return names.get(match.group()) or names.get(first, first) + dot + rest

    return _NAME.sub(name, text)


def _introduced_again(have: Sequence[_Line], want: Sequence[_Line], found: Sequence[int | None]) -> str | None:
    """`revert` and `intro` of everything from the first hypothesis on that has another name."""
    new: dict[int, str] = {}
    again: list[tuple[str, str]] = []
    for line, place in zip(want, found, strict=True):
        if place is None:
            again.append((line.name, "True.intro"))
        elif place in new:
            again.append((line.name, new[place]))
        else:
            new[place] = line.name
    start = next((i for i, line in enumerate(have) if new.get(i, line.name) != line.name), len(have))
    names, taken, text = [line.name for line in have], {line.name for line in want}, list[str]()
    if not all(line.accessible for line in have[start:]):
        first, names = _without_daggers(names, start, taken)
        text.append(first)
    introduced = []
    for i in range(start, len(have)):
        name = new.get(i, "_" if names[i] in taken else names[i])
        introduced.append("_" if "✝" in name else name)
    if introduced:
        text += [f"revert {' '.join(names[start:])}", f"intro {' '.join(introduced)}"]
    for name, source in again:
        if "✝" not in name:
            if "✝" in source:
                return None
            text.append(f"have {name} := {source}")
    return "\n".join(text)

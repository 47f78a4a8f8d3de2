"""Laws, and walks from a term along them: what is at the two ends of a walk is equal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from rl.synthetic.language import OPERATORS
from rl.synthetic.notation import read
from rl.synthetic.terms import BINDERS, Term, places, replaced, substituted


@dataclass(frozen=True)
class Law:
    """`left = right` (or `↔`), whatever its variables stand for. It is used from left to right."""

    name: str
    left: Term
    right: Term


def laws(text: str, types: Mapping[str, str] | None = None) -> tuple[Law, ...]:
    """Laws from lines `NAME: LEFT == RIGHT`, used either way, or `NAME: LEFT ==> RIGHT`, used from left to right."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, equation = line.partition(": ")
        sign = " ==> " if " ==> " in equation else " == "
        left, right = (read(side, types) for side in equation.split(sign))
        found.append(Law(name, left, right))
        if sign == " == ":
            found.append(Law(name, right, left))
    return tuple(found)


def matched(pattern: Term, term: Term, known: Mapping[str, Term]) -> dict[str, Term] | None:
    """The values of the pattern's variables that make it the term, given those known; None if there are none."""
    if not pattern.args and pattern.head.isalpha() and pattern.head not in OPERATORS:
        before = known.get(pattern.head)
        if before is None:
            return {**known, pattern.head: term}
        return dict(known) if before == term else None
    if pattern.head != term.head or len(pattern.args) != len(term.args) or pattern.head in BINDERS:
        return None
    found = dict(known)
    for part, arg in zip(pattern.args, term.args, strict=True):
        inner = matched(part, arg, found)
        if inner is None:
            return None
        found = inner
    return found


def steps(term: Term, known: Sequence[Law]) -> Iterator[tuple[Law, Term]]:
    """Everything that one use of one law, anywhere in the term, makes of it."""
    for path, part in places(term):
        for law in known:
            values = matched(law.left, part, {})
            if values is not None:
                yield law, replaced(term, path, substituted(law.right, values))


def walk(term: Term, known: Sequence[Law], count: int, largest: int, random: Random) -> tuple[Term, list[str]] | None:
    """Where `count` steps lead, and the names of the laws used; None if they lead nowhere.

    No step goes back to where the walk was, nor to a term of more than `largest` nodes. Laws that were not used yet
    are preferred.
    """
    seen, used = {term}, list[str]()
    for _ in range(count):
        found = [(law, after) for law, after in steps(term, known) if after not in seen and after.size <= largest]
        fresh = sorted({law.name for law, _ in found if law.name not in used})
        names = fresh or sorted({law.name for law, _ in found})
        if not names:
            return None
        name = random.choice(names)
        term = random.choice([after for law, after in found if law.name == name])
        seen.add(term)
        used.append(name)
    return term, used

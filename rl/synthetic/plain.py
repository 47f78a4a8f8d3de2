"""What a person would not write: `p ∧ p`, `p ∨ ¬p` and the like inside a formula."""

from collections.abc import Iterator

from rl.synthetic.terms import Term, places


def is_plain(formula: Term) -> bool:
    """Whether no part of it is a negated negation, relates a thing to itself, or joins it or its negation twice."""
    for _, part in places(formula):
        if part.head == "¬" and part.args[0].head == "¬":
            return False
        if part.head in ("→", "↔", "=", ".or") and part.args[0] == part.args[1]:
            return False
        if part.head in ("∧", "∨"):
            joined = list(_joined(part, part.head))
            bare = {one.args[0] if one.head == "¬" else one for one in joined}
            if len(bare) < len(joined):
                return False
    return True


def _joined(formula: Term, head: str) -> Iterator[Term]:
    """What a chain of one connective joins, from left to right."""
    if formula.head != head:
        yield formula
        return
    for arg in formula.args:
        yield from _joined(arg, head)

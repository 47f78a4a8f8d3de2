"""Terms of the small language in which synthetic theorems are made: trees, and what is done with their variables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

BINDERS = ("∀", "∃", "fun")


@dataclass(frozen=True)
class Term:
    """`head` is an operator of `language.py`, `apply` (a function and its arguments), a numeral, or a variable.

    A binder (`∀`, `∃`, `fun`) has one argument, its body, in which the variable `bound` of type `type` is bound. An
    equation of functions (`=`) has their domain as its `type`.
    """

    head: str
    args: tuple["Term", ...] = ()
    bound: str = ""
    type: str = ""

    @property
    def size(self) -> int:
        """How many nodes the tree has."""
        return 1 + sum(arg.size for arg in self.args)


def free_heads(term: Term, bound: frozenset[str] = frozenset()) -> Iterator[str]:
    """The heads of all nodes from left to right, without those that are bound variables there."""
    if term.head not in bound:
        yield term.head
    inner = bound | {term.bound} if term.head in BINDERS else bound
    for arg in term.args:
        yield from free_heads(arg, inner)


def substituted(term: Term, values: Mapping[str, Term]) -> Term:
    """The term with values in the place of free variables. A value must not mention what is bound around its place."""
    if not term.args:
        return values.get(term.head, term)
    inner = {name: value for name, value in values.items() if term.head not in BINDERS or name != term.bound}
    return Term(term.head, tuple(substituted(arg, inner) for arg in term.args), term.bound, term.type)


def places(term: Term, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Term]]:
    """Every subterm, with the way to it: the numbers of the arguments to go down."""
    yield path, term
    for number, arg in enumerate(term.args):
        yield from places(arg, (*path, number))


def replaced(term: Term, path: tuple[int, ...], by: Term) -> Term:
    """The term with another one at the end of the way."""
    if not path:
        return by
    args = list(term.args)
    args[path[0]] = replaced(args[path[0]], path[1:], by)
    return Term(term.head, tuple(args), term.bound, term.type)


def variable(name: str) -> Term:
    return Term(name)


def numeral(value: int) -> Term:
    """A natural number."""
    return Term(str(value))

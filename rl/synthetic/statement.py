"""A statement: its variables, hypotheses and conclusion, in the one form that all its renamings have."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rl.synthetic.notation import write
from rl.synthetic.terms import BINDERS, Term, free_heads
from rl.synthetic.worlds import CARRIERS, World, meaning

# Names for variables by the shape of their type (`?` is a type variable), in the order in which they are bound.
FREE = {
    "? → ?": "f g k l",
    "? → ? → ?": "f g k l",
    "? → Option ?": "f g k l",
    "? → Bool": "p q r",
    "? → Prop": "P Q S T",
    "? → ? → Prop": "R S T",
    "Prop": "p q r s",
    "List ?": "xs ys zs ws",
    "List Nat": "xs ys zs ws",
    "Option ?": "o u v w",
    "?": "a b c d",
    "Int": "x y z w",
    "Nat": "a b c d e m n",
}
BOUND = {"fun ?": "x y z w", "fun Nat": "x y z w", "bound ?": "x y z w", "bound Nat": "k m j i"}


@dataclass(frozen=True)
class Statement:
    """`variables` are names and types in order; `hypotheses` and `conclusion` are propositions about them.

    Made by `statement`, it is normal: statements that differ in names and in the order of variables are equal.
    """

    variables: tuple[tuple[str, str], ...]
    hypotheses: tuple[Term, ...]
    conclusion: Term

    @cached_property
    def text(self) -> str:
        """Binders and conclusion, as they follow the theorem's name."""
        types = sorted({part for _, type in self.variables for part in type.split() if part in CARRIERS})
        binders = [f"{{{' '.join(types)} : Type}}"] if types else []
        groups: list[tuple[list[str], str]] = []
        for name, type in self.variables:
            if groups and groups[-1][1] == type:
                groups[-1][0].append(name)
            else:
                groups.append(([name], type))
        binders += [f"({' '.join(names)} : {type})" for names, type in groups]
        numbers = [""] if len(self.hypotheses) == 1 else "₁₂₃₄₅₆₇₈₉"
        binders += [f"(h{number} : {write(fact)})" for number, fact in zip(numbers, self.hypotheses, strict=False)]
        return " ".join([*binders, ":", write(self.conclusion)])

    @property
    def facts(self) -> tuple[Term, ...]:
        return (*self.hypotheses, self.conclusion)


def statement(
    types: Mapping[str, str], hypotheses: Sequence[Term], conclusion: Term, names: Mapping[str, str] | None = None
) -> Statement:
    """The statement in its normal form. `types` are those of the variables; not all of them need to occur.

    Variables are named in the order in which they first occur, and stand in that of `FREE`; `names` has other
    names for some shapes, or what is bound of them.
    """
    facts = [*hypotheses, conclusion]
    found = [name for name in dict.fromkeys(head for fact in facts for head in free_heads(fact)) if name in types]
    pools, renamed = {**FREE, **BOUND, **(names or {})}, dict[str, str]()
    for name in found:
        shape = _shape(types[name])
        renamed[name] = next(new for new in pools[shape].split() if new not in renamed.values())
    shapes = list(FREE)
    # A sort keeps the order of those that are equal, which is that of their names.
    found.sort(key=lambda name: shapes.index(_shape(types[name])))
    carriers = dict.fromkeys(part for name in found for part in types[name].split() if part in CARRIERS)
    types_now = dict(zip(carriers, CARRIERS, strict=False))
    facts = [_renamed(fact, renamed, types_now, pools) for fact in facts]
    variables = tuple((renamed[name], _type_renamed(types[name], types_now)) for name in found)
    return Statement(variables, tuple(facts[:-1]), facts[-1])


def truth(fact: Term, worlds: Sequence[World]) -> int:
    """The worlds in which a proposition is true, as the bits of a number, the first world's the lowest."""
    said = meaning(fact)
    return sum(1 << number for number, world in enumerate(worlds) if said(world, {}))


def models(worlds: Sequence[World]) -> int:
    """The worlds that are no approximations, as bits."""
    return sum(1 << number for number, world in enumerate(worlds) if not world.is_approximate)


def is_entailed(hypotheses: Iterable[int], conclusion: int, worlds: int) -> bool:
    """Whether the conclusion is true in all these worlds in which the hypotheses are. All are as `truth` gives them."""
    left = worlds
    for hypothesis in hypotheses:
        left &= hypothesis
    return not left & ~conclusion


def is_sound(hypotheses: Sequence[int], conclusion: int, everywhere: int, models: int) -> bool:
    """Whether the conclusion follows everywhere, and some models have all the hypotheses true, and each is needed."""
    if not is_entailed(hypotheses, conclusion, everywhere) or is_entailed(hypotheses, 0, models):
        return False
    fewer = ([*hypotheses[:i], *hypotheses[i + 1 :]] for i in range(len(hypotheses)))
    return not any(is_entailed(rest, conclusion, models) for rest in fewer)


def _shape(type: str) -> str:
    return " ".join("?" if part in CARRIERS else part for part in type.split())


def _type_renamed(type: str, types: Mapping[str, str]) -> str:
    return " ".join(types.get(part, part) for part in type.split())


def _renamed(term: Term, names: Mapping[str, str], types: Mapping[str, str], pools: Mapping[str, str]) -> Term:
    """The term with other names for its free variables, and with the usual ones for those that it binds."""
    if not term.args:
        return Term(names.get(term.head, term.head))
    type, bound = _type_renamed(term.type, types), ""
    if term.head in BINDERS:
        pool = pools[f"{'fun' if term.head == 'fun' else 'bound'} {_shape(term.type)}"]
        bound = next(name for name in pool.split() if name not in names.values())
        names = {**names, term.bound: bound}
    return Term(term.head, tuple(_renamed(arg, names, types, pools) for arg in term.args), bound, type)

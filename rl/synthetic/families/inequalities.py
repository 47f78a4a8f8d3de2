"""Inequalities of natural numbers and integers, true by how they are made."""

from collections.abc import Iterator
from random import Random

from rl.synthetic.family import Drawn, Family
from rl.synthetic.grammar import grammar
from rl.synthetic.polynomials import (
    Polynomial,
    constant,
    content,
    negative,
    plus,
    polynomial_of,
    positive,
    scaled,
    term_of,
    times,
)
from rl.synthetic.statement import statement
from rl.synthetic.terms import Term, numeral, substituted, variable

_TERMS = grammar("""
    Side ::= a | b | c | d | a + 1 | b + 2 | 2 * a | 3 * c | a + b | c + d
    Small ::= 1 | 2 | 3
    Times ::= 2 | 3
    Linear ::= a + b | a + Small | b + c | a + b + c | Times * a + b
    Product ::= Linear * Linear | Linear ^ 2 | Linear * Linear * a | Linear ^ 2 + Linear ^ 2
    LinearZ ::= x - y | x - y | x + y | x - Small | y - z | Times * x - y | x - Times * y | x + y - z
    Grow1 ::= u + c | 2 * u | u + Small | u * c | u + u
    Grow2 ::= u * c + d | u ^ 2 | u * u + u | (u + Small) * c | u * (u + c)
    Grow3 ::= u * v | u * v + u | (u + Small) * v | u ^ 2 + v ^ 2 | u * v + c | (u + v) ^ 2 | u ^ 2 * v
    Bounds ::= min a b ≤ max a b | a ∸ b ≤ a | min a b ≤ a + c | a ∸ (b + c) ≤ a ∸ b | a ≤ max b a + c
    Bounds ::= a ∸ b + b ≤ a + b
    Bounds2 ::= a ≤ a ∸ b + b | min (a + c) b ≤ min a b + c | max a b ≤ a + b | max (a + c) (b + c) ≤ max a b + c + d
""")
_NAT = dict.fromkeys("abcduvwt", "Nat")
_INT = dict.fromkeys(("a", "b", "c", "d", "x", "y", "z"), "Int")
_KINDS = {
    1: ("more", "combined", "bounds"),
    2: ("combined", "grown", "bounds", "more"),
    3: ("combined", "grown", "fewer"),
    4: ("combined", "grown", "fewer", "squares"),
    5: ("combined", "squares", "squares", "grown"),
}


def draw(random: Random, level: int) -> Iterator[Drawn]:
    """Statements of the level, for ever."""
    while True:
        match random.choice(_KINDS[level]):
            case "more":
                yield _more(random, level)
            case "bounds":
                fact = _TERMS.draw("Bounds" if level == 1 else "Bounds2", 2, random)
                yield Drawn(statement(_NAT, [], fact), "a law of min, max or truncated subtraction")
            case "combined":
                yield from _combined(random, level)
            case "grown":
                yield _grown(random, level)
            case "fewer":
                yield from _fewer(random, level)
            case _:
                yield from _squares(random, level)


def _compare(left: Term, right: Term, strict: bool = False) -> Term:
    return Term("<" if strict else "≤", (left, right))


def _more(random: Random, level: int) -> Drawn:
    """A sum is at least each part of it."""
    names = "ab" if level == 1 else "abc"
    small: Polynomial = {((name, 1),): random.randint(1, level + 1) for name in random.sample(names, level)}
    more: Polynomial = {((name, 1),): random.randint(0, level) for name in names}
    strict = random.random() < 0.4
    large = plus(small, {m: c for m, c in more.items() if c}, constant(random.randint(int(strict), 4)))
    if large == small:
        large = plus(large, {(("c", 1),): 1})
    note = "a sum and what is added to it"
    return Drawn(statement(_NAT, [], _compare(term_of(small), term_of(large), strict)), note)


def _combined(random: Random, level: int) -> Iterator[Drawn]:
    """A sum of multiples of the hypotheses, and perhaps something more on the larger side."""
    integers = level > 2 and random.random() < 0.5
    count = {1: 1, 2: random.choice((1, 2)), 3: 2, 4: 3, 5: random.choice((3, 4))}[level]
    facts, left, right, strict = list[Term](), constant(0), constant(0), False
    for _ in range(count):
        low, high = _TERMS.draw("Side", 2, random), _TERMS.draw("Side", 2, random)
        if set(polynomial_of(low)) & set(polynomial_of(high)):
            return
        narrow = random.random() < 0.3
        factor = random.randint(1, min(level, 3))
        facts.append(_compare(low, high, narrow))
        left = plus(left, scaled(factor, polynomial_of(low)))
        right = plus(right, scaled(factor, polynomial_of(high)))
        strict = strict or narrow
    more: Polynomial = {(("b", 1),): 1} if level == 1 else {}
    if random.random() < 0.5:
        more = plus(more, constant(random.randint(1, 5)))
        right = plus(right, constant(random.randint(0, 2)))
    rest = plus(right, scaled(-1, left))
    # What both sides have is taken off them, and something put on again.
    low_side, high_side = plus(negative(rest), more), plus(positive(rest), more)
    if not negative(rest) or not positive(rest) or not low_side or not high_side:
        return
    conclusion = _compare(term_of(low_side), term_of(high_side), strict)
    if conclusion not in facts:
        types = _INT if integers else _NAT
        yield Drawn(statement(types, facts, conclusion), "a sum of multiples of the hypotheses")


def _grown(random: Random, level: int) -> Drawn:
    """A term in which a variable only makes larger, before and after the variable grows."""
    symbol = {2: "Grow1", 3: "Grow2"}.get(level, "Grow3")
    term = _TERMS.draw(symbol, 2, random)
    if level == 5:
        term = Term("+", (term, _TERMS.draw("Grow2", 2, random)))
    before = {"u": variable("a"), "v": variable("b")}
    after = {"u": variable("t"), "v": variable("w")}
    facts = [_compare(variable("a"), variable("t"))]
    if level > 3:
        facts.append(_compare(variable("b"), variable("w")))
    conclusion = _compare(substituted(term, before), substituted(term, after))
    return Drawn(statement(_NAT, facts, conclusion), "a term that grows with its variables")


def _fewer(random: Random, level: int) -> Iterator[Drawn]:
    """Some of what a product is multiplied out, and the product."""
    product = _TERMS.draw("Product", 3, random)
    whole = polynomial_of(product)
    if not 3 <= len(whole) <= 2 + level:
        return
    part = {m: c for m, c in whole.items() if random.random() < 0.7}
    part = {m: random.randint(max(1, c // 2), c) for m, c in part.items()}
    if part and part != whole:
        note = "some of what a product is, multiplied out"
        yield Drawn(statement(_NAT, [], _compare(term_of(part), product)), note)


def _squares(random: Random, level: int) -> Iterator[Drawn]:
    """A sum of squares is not negative, with what is negative on the other side."""
    total: Polynomial = {}
    for _ in range(1 if level == 4 else random.choice((1, 2, 3))):
        root = polynomial_of(_TERMS.draw("LinearZ", 2, random))
        total = plus(total, times(root, root))
    total = {m: c // content(total) for m, c in total.items()}
    low, high = negative(total), positive(total)
    if not low or len(total) > 6:
        return
    plain = random.random() < 0.7
    conclusion = _compare(term_of(low), term_of(high)) if plain else _compare(numeral(0), term_of(total))
    yield Drawn(statement(_INT, [], conclusion), "a sum of squares is not negative")


INEQUALITIES = Family(
    "inequalities",
    "inequalities over Nat and Int",
    (
        "two variables: a sum and a part of it, one hypothesis and something added, a bound of min or max",
        "three variables, one or two linear hypotheses with factors of 2, one monotone operation",
        "two linear hypotheses, strict ones too; squares of natural numbers; some terms of a product",
        "three linear hypotheses; two monotone ones for a product; a square is not negative",
        "three or four linear hypotheses; longer monotone terms; sums of squares in three variables",
    ),
    draw,
)

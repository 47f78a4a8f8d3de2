"""Identities of natural numbers and integers: rewritten, multiplied out, regrouped, and equations that are solved."""

from collections.abc import Iterator
from random import Random

from rl.synthetic.family import Drawn, Family
from rl.synthetic.grammar import grammar
from rl.synthetic.polynomials import (
    Polynomial,
    constant,
    negative,
    plus,
    polynomial_of,
    positive,
    scaled,
    term_of,
)
from rl.synthetic.rewriting import laws, walk
from rl.synthetic.statement import statement
from rl.synthetic.terms import Term, numeral, variable

_TERMS = grammar("""
    Atom ::= a | b | c
    Few ::= a | b
    Small ::= 1 | 2 | 3
    Times ::= 2 | 3
    Sum1 ::= Few + Few | Few + Small | Few * Few + Few | Few * Times | Few + Few + Few | Few * (Few + Small)
    Sum2 ::= Atom + Atom + Atom | Atom * (Atom + Small) | Atom * Atom + Atom * Atom | Times * Atom + Times * Atom
    Cut ::= Atom + Atom ∸ Atom | Atom ∸ Atom ∸ Atom | Atom + Small ∸ (Atom + Small) | Atom + Atom ∸ (Atom + Atom)
    Cut2 ::= (Atom ∸ Atom) * Atom | min Atom Atom + max Atom Atom | Atom ∸ (Atom ∸ Atom) | Atom ∸ Atom + Atom
    Cut3 ::= Cut | Cut2 | max (Atom + Atom) (Atom + Atom) | min Atom (min Atom Atom) | min (Times * Atom) (Times * Atom)
    Linear ::= a + b | a + c | a + Small | b + c | Times * a + b | a + b + c | a + Times * b
    LinearZ ::= x + y | x - y | x - Small | x + Small | Times * x - y | y - z | x + y - z | x - Times * y | y + z
    Product ::= Linear * Linear | Linear ^ 2 | Atom * Linear | (Linear + Small) * Linear
    ProductZ ::= LinearZ * LinearZ | LinearZ ^ 2 | x * LinearZ | LinearZ * LinearZ | (LinearZ + Small) * LinearZ
    Cube ::= Linear * Linear * Linear | Linear ^ 3 | Linear * Linear ^ 2 | Product + Product
    CubeZ ::= LinearZ * LinearZ * LinearZ | LinearZ ^ 3 | LinearZ * LinearZ ^ 2 | ProductZ - ProductZ
    CubeZ ::= ProductZ + ProductZ
""")
_LAWS = laws("""
    add_comm: a + b == b + a
    add_assoc: a + b + c == a + (b + c)
    mul_comm: a * b == b * a
    mul_assoc: a * b * c == a * (b * c)
    mul_add: a * (b + c) == a * b + a * c
    add_mul: (a + b) * c == a * c + b * c
""")
_CUTS = (
    *_LAWS,
    *laws("""
    add_sub_cancel: a + b ∸ b ==> a
    sub_sub: a ∸ b ∸ c == a ∸ (b + c)
    add_sub_add_right: a + c ∸ (b + c) ==> a ∸ b
    sub_mul: (a ∸ b) * c == a * c ∸ b * c
    sub_sub_self: a ∸ (a ∸ b) ==> min a b
    sub_add_eq_max: a ∸ b + b ==> max a b
    min_comm: min a b == min b a
    max_comm: max a b == max b a
    min_add_max: min a b + max a b ==> a + b
    min_assoc: min (min a b) c == min a (min b c)
    add_max_add_right: max (a + c) (b + c) ==> max a b + c
    sub_right_comm: a ∸ b ∸ c == a ∸ c ∸ b
"""),
)
_NAT = dict.fromkeys("abc", "Nat")
_INT = dict.fromkeys("xyz", "Int")
_KINDS = {
    1: ("rewritten", "rewritten", "rewritten", "solved"),
    2: ("rewritten", "cut", "solved", "expanded"),
    3: ("expanded", "expanded", "cut", "solved"),
    4: ("expanded", "regrouped", "solved", "powers", "cut"),
    5: ("expanded", "regrouped", "solved", "powers"),
}


def draw(random: Random, level: int) -> Iterator[Drawn]:
    """Statements of the level, for ever."""
    while True:
        match random.choice(_KINDS[level]):
            case "rewritten":
                symbol, steps = ("Sum1", (1,)) if level == 1 else ("Sum2", (2, 3))
                yield from _rewritten(symbol, steps, False, random)
            case "cut":
                symbol = {2: "Cut", 3: "Cut2"}.get(level, "Cut3")
                yield from _rewritten(symbol, (level - 1, level), True, random)
            case "expanded":
                yield from _expanded(random, level)
            case "regrouped":
                yield from _regrouped(random, level)
            case "solved":
                yield _solved(random, level)
            case _:
                yield _powers(random, level)


def _rewritten(symbol: str, steps: tuple[int, ...], cut: bool, random: Random) -> Iterator[Drawn]:
    start = _TERMS.draw(symbol, 4, random)
    found = walk(start, _CUTS if cut else _LAWS, random.choice(steps), start.size + 4, random)
    if found is not None:
        end, used = found
        note = f"by rewriting with {', '.join(dict.fromkeys(used))}"
        yield Drawn(statement(_NAT, [], Term("=", (start, end))), note)


def _expanded(random: Random, level: int) -> Iterator[Drawn]:
    """A product and what it is multiplied out."""
    integers = random.random() < 0.5
    symbol = ("Cube" if level == 5 else "Product") + "Z" * integers
    if level == 2:
        symbol = "LinearZ" if integers else "Linear"
        factor = Term("*", (numeral(random.randint(2, 6)), _TERMS.draw(symbol, 3, random)))
        start = factor if random.random() < 0.5 else Term("+", (factor, _TERMS.draw(symbol, 3, random)))
    else:
        start = _TERMS.draw(symbol, 4, random)
    whole = polynomial_of(start)
    if level == 4 and len(whole) < 4:
        return
    if len(whole) <= 3 + level:
        equal = Term("=", (start, term_of(whole)))
        yield Drawn(statement(_INT if integers else _NAT, [], equal), "a product multiplied out")


def _regrouped(random: Random, level: int) -> Iterator[Drawn]:
    """Two products that differ by little: one is the other and the difference."""
    integers = random.random() < 0.6
    symbol = ("Product" if level == 4 else "Cube") + "Z" * integers
    one, two = _TERMS.draw(symbol, 4, random), _TERMS.draw(symbol, 4, random)
    rest = plus(polynomial_of(one), scaled(-1, polynomial_of(two)))
    if not 0 < len(rest) <= level - 2 or max(map(abs, rest.values())) > 12 or one == two:
        return
    left, right = (Term("+", (side, term_of(more))) if more else side
                   for side, more in ((one, negative(rest)), (two, positive(rest))))  # fmt: skip
    equal = Term("=", (left, right))
    yield Drawn(statement(_INT if integers else _NAT, [], equal), "two products and their difference")


def _solved(random: Random, level: int) -> Drawn:
    """Linear equations, as many as unknowns, and the value of one of them, or of a sum of two."""
    count = {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}[level]
    names = list("xyz"[:count])
    integers = level > 1 and random.random() < 0.6
    while True:
        values = {name: random.randint(-5 if integers else 0, 9) for name in names}
        largest = 3 if count > 1 else 7
        low = -largest if integers else 0
        rows = [[random.randint(low, largest) for _ in names] for _ in names]
        if _determinant(rows) and all(sum(map(bool, row)) >= min(2, count) for row in rows):
            break
    hypotheses = []
    for row in rows:
        left: Polynomial = {((name, 1),): c for name, c in zip(names, row, strict=True) if c}
        if count == 1:
            left = plus(left, constant(random.randint(1, 9)))
        total = sum(c * (values[m[0][0]] if m else 1) for m, c in left.items())
        # Natural numbers know no difference below zero: what is negative goes to the other side.
        right = plus(constant(total), {} if integers else negative(left))
        hypotheses.append(Term("=", (term_of(left if integers else positive(left)), term_of(right))))
    wanted: Polynomial = {((random.choice(names), 1),): 1}
    if level > 3:
        wanted = {((name, 1),): random.randint(1, level - 2) for name in names}
    value = sum(c * values[m[0][0]] for m, c in wanted.items())
    types = dict.fromkeys(names, "Int" if integers else "Nat")
    return Drawn(
        statement(types, hypotheses, Term("=", (term_of(wanted), term_of(constant(value))))),
        "linear equations with one solution",
        tight=True,
    )


def _powers(random: Random, level: int) -> Drawn:
    """Sum and product of two integers, and a sum of their powers."""
    one, two = random.randint(-4, 7), random.randint(-4, 7)
    s, p = one + two, one * two
    x, y = variable("x"), variable("y")
    power = random.choice((2, 2, 3)) if level == 4 else random.choice((3, 4))
    sums = [2, s]
    while len(sums) <= power:
        sums.append(s * sums[-1] - p * sums[-2])  # Newton's identity
    given = [
        Term("=", (Term("+", (x, y)), term_of(constant(s)))),
        Term("=", (Term("*", (x, y)), term_of(constant(p)))),
    ]
    left = Term("+", (Term("^", (x, numeral(power))), Term("^", (y, numeral(power)))))
    value = sums[power]
    if power == 2 and random.random() < 0.5:
        left = Term("^", (Term("-", (x, y)), numeral(2)))
        value = s * s - 4 * p
    equal = Term("=", (left, term_of(constant(value))))
    return Drawn(
        statement(_INT, given, equal), "sum and product of two numbers give the sums of their powers", tight=True
    )


def _determinant(rows: list[list[int]]) -> int:
    if len(rows) == 1:
        return rows[0][0]
    minors = ([row[:i] + row[i + 1 :] for row in rows[1:]] for i in range(len(rows)))
    return sum((-1) ** i * rows[0][i] * _determinant(minor) for i, minor in enumerate(minors))


IDENTITIES = Family(
    "identities",
    "identities and equations over Nat and Int",
    (
        "two variables, one law of addition or multiplication; one equation to solve",
        "three variables, two or three laws; a multiple of a sum; truncated subtraction",
        "products of two sums; min and max; two linear equations",
        "squares, regrouped products; sums of powers from sum and product; two linear equations",
        "products of three sums, cubes, regrouped; powers up to four; three linear equations",
    ),
    draw,
)

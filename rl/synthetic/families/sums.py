"""Sums over the first natural numbers, and powers: what induction is for. Worked out with exact fractions."""

from collections.abc import Iterator
from fractions import Fraction
from math import lcm
from random import Random

from rl.synthetic.family import Drawn, Family
from rl.synthetic.notation import read
from rl.synthetic.polynomials import Polynomial, constant, plus, scaled, term_of
from rl.synthetic.statement import statement
from rl.synthetic.terms import Term, numeral, variable

_TYPES = {"n": "Nat", "m": "Nat"}
_NAMES = {"Nat": "n m k a", "fun Nat": "i j"}
# Sums of 0^k, ..., n^k as polynomials in n, the constant coefficient first (Faulhaber).
_SUMS = (
    (Fraction(1), Fraction(1)),
    (Fraction(0), Fraction(1, 2), Fraction(1, 2)),
    (Fraction(0), Fraction(1, 6), Fraction(1, 2), Fraction(1, 3)),
    (Fraction(0), Fraction(0), Fraction(1, 4), Fraction(1, 2), Fraction(1, 4)),
)
_DEGREES = {1: 0, 2: 1, 3: 2, 4: 2, 5: 3}


def draw(random: Random, level: int) -> Iterator[Drawn]:
    """Statements of the level, for ever."""
    while True:
        chance = random.random()
        if level == 1 and chance < 0.6:
            yield _products(random)
        elif level > 2 and chance < 0.3:
            yield _geometric(random, level)
        elif level > 1 and chance < 0.5:
            yield from _powers(random, level)
        else:
            yield from _faulhaber(random, level)


def _faulhaber(random: Random, level: int) -> Iterator[Drawn]:
    """The sum of a polynomial's values at 0, ..., n (or n - 1)."""
    highest = _DEGREES[level]
    coefficients = [random.randint(0, 4 if 1 < level < 4 else 7) for _ in range(highest + 1)]
    if not coefficients[-1]:
        return
    summand = _polynomial(coefficients, "i")
    total = [Fraction(0)] * (highest + 2)
    for degree, coefficient in enumerate(coefficients):
        for place, fraction in enumerate(_SUMS[degree]):
            total[place] += coefficient * fraction
    factor = lcm(*(fraction.denominator for fraction in total))
    closed = _polynomial([int(factor * fraction) for fraction in total], "n")
    length = Term("+", (variable("n"), numeral(1)))
    below = [total_of - coefficient for total_of, coefficient in zip(total, [*coefficients, 0], strict=True)]
    if random.random() < 0.5 and all(fraction >= 0 for fraction in below):
        # Without the last summand; as a polynomial it then may have no negative coefficient.
        factor = lcm(*(fraction.denominator for fraction in below))
        closed, length = _polynomial([int(factor * fraction) for fraction in below], "n"), variable("n")
    left = _sum(summand, length)
    left = left if factor == 1 else Term("*", (numeral(factor), left))
    if level == 1 and random.random() < 0.5:
        left, closed = Term("+", (left, variable("m"))), plus(closed, {(("m", 1),): 1})
    equal = Term("=", (left, term_of(closed)))
    yield Drawn(statement(_TYPES, [], equal, _NAMES), "a sum worked out by Faulhaber's formula")


def _geometric(random: Random, level: int) -> Drawn:
    """The sum of a geometric sequence."""
    base, factor = random.randint(2, 3 + level), random.randint(1, level)
    last = random.random() < 0.5
    power = Term("^", (numeral(base), variable("i")))
    summand = power if factor == 1 else Term("*", (numeral(factor), power))
    length = Term("+", (variable("n"), numeral(1))) if last else variable("n")
    whole = Term("List.range", (length,))
    total = Term(".sum", (Term(".map", (whole, Term("fun", (summand,), "i", "Nat"))),))
    left = total if base == 2 else Term("*", (numeral(base - 1), total))
    right = Term("^", (numeral(base), length))
    right = right if factor == 1 else Term("*", (numeral(factor), right))
    equal = Term("=", (Term("+", (left, numeral(factor))), right))
    return Drawn(statement(_TYPES, [], equal, _NAMES), "a geometric sum")


def _products(random: Random) -> Drawn:
    """Products of powers of one number."""
    base, first, second, factor = (random.randint(low, high) for low, high in ((2, 7), (0, 4), (2, 4), (1, 5)))
    n, other = variable("n"), random.choice([variable("m"), numeral(second)])
    one = Term("^", (numeral(base), Term("+", (n, numeral(first))) if first else n))
    two = Term("^", (numeral(base), other))
    exponent = Term("+", (n, other))
    exponent = Term("+", (exponent, numeral(first))) if first else exponent
    left, right = Term("*", (one, two)), Term("^", (numeral(base), exponent))
    if factor > 1:
        left, right = (Term("*", (numeral(factor), side)) for side in (left, right))
    if random.random() < 0.5:
        left, right = right, left
    equal = Term("=", (left, right))
    return Drawn(statement(_TYPES, [], equal, _NAMES), "a product of powers")


def _powers(random: Random, level: int) -> Iterator[Drawn]:
    """Powers of a number: larger than a polynomial, or with a remainder that does not change."""
    base = random.randint(2, 4 + level)
    if random.random() < 0.6:
        modulus = random.choice(
            [m for m in range(2, 12) if base % m == 1 or (base - 1) % m == 0 or m == base - 1] or [0]
        )
        if modulus < 2:
            return
        rest = 1 % modulus
        factor, more = random.randint(1, level), random.randint(0, level)
        power = Term("^", (numeral(base), variable("n")))
        left = power if factor == 1 else Term("*", (numeral(factor), power))
        left = Term("+", (left, numeral(more))) if more else left
        value = numeral((factor * rest + more) % modulus)
        equal = Term("=", (Term("%", (left, numeral(modulus))), value))
        yield Drawn(statement(_TYPES, [], equal, _NAMES), f"powers of {base} leave 1 modulo {modulus}")
        return
    slope, start = random.randint(1, base - 1), random.randint(0, 1)
    low: Polynomial = plus({(("n", 1),): slope}, constant(start))
    # b^(n+1) - b^n >= b - 1 >= slope, and at 0 it is 1.
    text = f"{base} ^ n"
    yield Drawn(
        statement(_TYPES, [], Term("≤", (term_of(low), read(text))), _NAMES), "a power grows faster than a line"
    )


def _sum(summand: Polynomial, length: Term) -> Term:
    function = Term("fun", (term_of(summand),), "i", "Nat")
    return Term(".sum", (Term(".map", (Term("List.range", (length,)), function)),))


def _polynomial(coefficients: list[int], name: str) -> Polynomial:
    parts = [scaled(c, {((name, degree),): 1} if degree else constant(1)) for degree, c in enumerate(coefficients)]
    return plus(*parts)


SUMS = Family(
    "sums",
    "sums over the first numbers, and powers",
    (
        "a constant summand; products of powers",
        "a linear summand; a power and a line, remainders of powers",
        "a quadratic summand; geometric sums; powers",
        "quadratic summands with larger coefficients; geometric sums; powers",
        "a cubic summand; geometric sums with larger bases; powers",
    ),
    draw,
)

"""Polynomials with integer coefficients: worked out from terms, added up, and written as terms in their usual form."""

from collections.abc import Mapping
from math import gcd

from rl.synthetic.terms import Term, numeral, variable

# From monomials to coefficients that are not 0; a monomial is its variables with their exponents, sorted.
Monomial = tuple[tuple[str, int], ...]
Polynomial = Mapping[Monomial, int]


def constant(value: int) -> Polynomial:
    return {(): value} if value else {}


def plus(*parts: Polynomial) -> Polynomial:
    found: dict[Monomial, int] = {}
    for part in parts:
        for monomial, coefficient in part.items():
            found[monomial] = found.get(monomial, 0) + coefficient
    return {monomial: coefficient for monomial, coefficient in found.items() if coefficient}


def times(left: Polynomial, right: Polynomial) -> Polynomial:
    found: dict[Monomial, int] = {}
    for one, a in left.items():
        for two, b in right.items():
            exponents = dict(one)
            for name, exponent in two:
                exponents[name] = exponents.get(name, 0) + exponent
            monomial = tuple(sorted(exponents.items()))
            found[monomial] = found.get(monomial, 0) + a * b
    return {monomial: coefficient for monomial, coefficient in found.items() if coefficient}


def scaled(factor: int, polynomial: Polynomial) -> Polynomial:
    return times(constant(factor), polynomial)


def polynomial_of(term: Term) -> Polynomial:
    """The polynomial that a term of numerals, variables, `+`, `-`, `*`, `neg` and numeral powers is."""
    args = [polynomial_of(arg) for arg in term.args] if term.head != "^" else []
    match term.head:
        case "+":
            return plus(*args)
        case "-":
            return plus(args[0], scaled(-1, args[1]))
        case "*":
            return times(*args)
        case "neg":
            return scaled(-1, args[0])
        case "^":
            base, result = polynomial_of(term.args[0]), constant(1)
            for _ in range(int(term.args[1].head)):
                result = times(result, base)
            return result
        case head if head.isdigit():
            return constant(int(head))
        case head:
            return {((head, 1),): 1}


def term_of(polynomial: Polynomial) -> Term:
    """The polynomial written out: highest degree first, then by letter; no negative monomial first where one is not."""

    def place(monomial: Monomial) -> tuple[int, list[tuple[str, int]]]:
        return -degree(monomial), [(name, -exponent) for name, exponent in monomial]

    order = sorted(polynomial, key=place)
    if not order:
        return numeral(0)
    if polynomial[order[0]] < 0:
        order.sort(key=lambda monomial: polynomial[monomial] < 0)
    result = _monomial(order[0], abs(polynomial[order[0]]))
    if polynomial[order[0]] < 0:
        result = Term("neg", (result,))
    for monomial in order[1:]:
        coefficient = polynomial[monomial]
        result = Term("+" if coefficient > 0 else "-", (result, _monomial(monomial, abs(coefficient))))
    return result


def degree(monomial: Monomial) -> int:
    return sum(exponent for _, exponent in monomial)


def content(polynomial: Polynomial) -> int:
    """The greatest common divisor of the coefficients."""
    return gcd(*polynomial.values())


def positive(polynomial: Polynomial) -> Polynomial:
    return {monomial: coefficient for monomial, coefficient in polynomial.items() if coefficient > 0}


def negative(polynomial: Polynomial) -> Polynomial:
    """The negative monomials, with their signs turned."""
    return positive(scaled(-1, polynomial))


def _monomial(monomial: Monomial, coefficient: int) -> Term:
    factors = [numeral(coefficient)] if coefficient != 1 or not monomial else []
    for name, exponent in monomial:
        base = variable(name)
        factors.append(base if exponent == 1 else Term("^", (base, numeral(exponent))))
    result = factors[0]
    for factor in factors[1:]:
        result = Term("*", (result, factor))
    return result

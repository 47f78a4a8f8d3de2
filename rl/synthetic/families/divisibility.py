"""Divisibility and remainders of natural numbers and integers, true by how they are made."""

from collections.abc import Iterator
from random import Random

from rl.synthetic.family import Drawn, Family
from rl.synthetic.grammar import grammar
from rl.synthetic.notation import read
from rl.synthetic.polynomials import Polynomial, constant, plus, polynomial_of, term_of
from rl.synthetic.statement import statement
from rl.synthetic.terms import Term, numeral, substituted, variable

_TERMS = grammar("""
    Factor ::= a | b | a + 1 | a + b | 2 * a | a * b
    Root ::= n | n + 1 | n + 2 | 2 * n + 1 | n + 3
    Product ::= Root * Root | Root * Root * Root | n * Root * Root | Root ^ 2 | Root ^ 2 + Root
    Free ::= n ^ 2 | n ^ 2 + n | n ^ 3 | n ^ 2 + 1 | n ^ 3 + n | n ^ 4 | n ^ 2 + 2 * n | n ^ 3 + 2 * n
    Free ::= n ^ 3 + 5 * n | n ^ 5
""")
_NAT = dict.fromkeys("abcdekmn", "Nat")
_INT = dict.fromkeys("abcdekmn", "Int")
_NAMES = {"Nat": "n m k d a b c", "Int": "n m k d a b c"}
# Hypotheses and conclusion, true of all numbers; `j` stands for a small numeral.
_LAWS = {
    2: """d ∣ a ⊢ d ∣ a * b
d ∣ a ⊢ d ∣ j * a
d ∣ a ; d ∣ b ⊢ d ∣ a + b
a ∣ b ; b ∣ c ⊢ a ∣ c
d ∣ a ⊢ d ∣ b * a + j * a
d ∣ a ⊢ d ∣ a ^ 2 + j * a
a * b ∣ c ⊢ a ∣ c
j * a ∣ b ⊢ a ∣ b
d ∣ a ⊢ d ∣ a * b + d""",
    4: """a ∣ b ; c ∣ d ⊢ a * c ∣ b * d
d ∣ a ; d ∣ a + b ⊢ d ∣ b
d ∣ a ; d ∣ a + j * b + d * c ⊢ d ∣ j * b
a ∣ b ⊢ a ^ 2 ∣ b ^ 2
a ∣ b ⊢ j * a ∣ j * b * c
a ∣ b ; a ∣ c ⊢ a ^ 2 ∣ b * c
a * b ∣ c ; c ∣ d ⊢ b ∣ d
d ∣ a ; d ∣ b ⊢ d ∣ a ^ 2 + j * b
d ∣ a ; d ∣ b ⊢ d ∣ a * c + b * e
a ∣ b ; b ∣ a + c ⊢ a ∣ c""",
    5: """d ∣ a ; d ∣ b ⊢ d ∣ a.gcd b
d ∣ a ; d ∣ b ⊢ d ∣ a.gcd (b + j * a)
a ∣ b ⊢ ∃ k, j * b = j * a * k
a ∣ b ; a ∣ c ⊢ ∃ k, b + c = a * k
⊢ a.gcd b ∣ j * a + b
⊢ a.gcd b ∣ a * c + b * d
d ∣ a ; d ∣ b ; d ∣ c ⊢ d ∣ a * b + b * c + c * a
a ∣ b ; b ∣ c ; c ∣ d ⊢ a ∣ d
a ∣ b ; b ∣ c ⊢ a * b ∣ c ^ 2
a ∣ b ; c ∣ d ⊢ a * c ∣ b * d * e
d ∣ a + b ; d ∣ a ⊢ d ∣ b ^ 2
a ∣ b ⊢ a ^ 3 ∣ b ^ 3 * c
d ∣ a + b ⊢ d ∣ a ^ 2 + a * b + j * d
j ∣ a ; j ∣ b ⊢ j ^ 2 ∣ a * b
a ∣ b ; a ∣ c ⊢ a.gcd b ∣ c""",
}


def draw(random: Random, level: int) -> Iterator[Drawn]:
    """Statements of the level, for ever."""
    while True:
        kinds = {
            1: (_multiples, _multiples, _shifted),
            2: (_lawful, _multiples, _shifted),
            3: (_remainder, _sums, _remainder),
            4: (_polynomial, _polynomial, _lawful, _remainder),
            5: (_polynomial, _polynomial, _lawful, _witness),
        }[level]
        yield from random.choice(kinds)(random, level)


def _multiples(random: Random, level: int) -> Iterator[Drawn]:
    """A number divides a sum of its multiples."""
    if level == 1 and random.random() < 0.3:
        divisor, other = variable("d"), _TERMS.draw("Factor", 1, random)
        whole = Term("*", random.choice([(divisor, other), (other, divisor)]))
        if random.random() < 0.5:
            whole = Term("*", (whole, numeral(random.randint(2, 6))))
        yield _drawn([], Term("∣", (divisor, whole)), "a multiple", random)
        return
    number = random.randint(2, 9)
    terms: list[Polynomial] = [
        {((name, 1),): number * random.randint(1, 4)} for name in random.sample("mnk", random.randint(1, level + 1))
    ]
    if random.random() < 0.5 or len(terms) == 1:
        terms.append(constant(number * random.randint(1, 5)))
    whole = term_of(plus(*terms))
    yield _drawn([], Term("∣", (numeral(number), whole)), "a sum of multiples", random)


def _shifted(random: Random, level: int) -> Iterator[Drawn]:
    """A remainder does not change with a multiple of what is divided by."""
    number = numeral(random.randint(2, 9)) if random.random() < 0.6 else variable("d")
    rest = _TERMS.draw("Factor", 1, random) if level == 2 else variable("a")
    factor = random.choice([variable("m"), numeral(random.randint(2, 5)), Term("+", (variable("m"), numeral(1)))])
    multiple = Term("*", random.choice([(number, factor), (factor, number)]))
    whole = Term("+", random.choice([(rest, multiple), (multiple, rest)]))
    equal = Term("=", (Term("%", (whole, number)), Term("%", (rest, number))))
    yield _drawn([], equal, "a remainder and a multiple of what is divided by", random)


def _lawful(random: Random, level: int) -> Iterator[Drawn]:
    """A law of divisibility, with small numbers."""
    left, _, right = random.choice(_LAWS[level].splitlines()).partition("⊢")
    small = {"j": numeral(random.randint(2, 7))}
    facts = [substituted(read(text), small) for text in left.split(";") if text.strip()]
    conclusion = substituted(read(right, {"k": "Nat"}), small)
    if random.random() < 0.5:
        # A variable becomes a term: the law holds of it too.
        name = random.choice(["b", "c", "a"])
        special = {
            name: read(random.choice([f"{name} * m", f"{name} + m", f"2 * {name}", f"{name} + 1", f"{name} ^ 2"]))
        }
        facts, conclusion = [substituted(fact, special) for fact in facts], substituted(conclusion, special)
    yield Drawn(statement(_NAT, facts, conclusion, _NAMES), "a law of divisibility")


def _remainder(random: Random, level: int) -> Iterator[Drawn]:
    """What the remainder of a number says of that of a polynomial in it."""
    modulus = random.randint(3, 8)
    rest = random.randrange(1, modulus)
    if level == 3:
        term = term_of(plus({(("n", 1),): random.randint(2, 7)}, constant(random.randint(1, 9))))
    else:
        term = _TERMS.draw(random.choice(["Free", "Product"]), 2, random)
    value = _value(polynomial_of(term), rest) % modulus
    given = Term("=", (Term("%", (variable("n"), numeral(modulus))), numeral(rest)))
    equal = Term("=", (Term("%", (term, numeral(modulus))), numeral(value)))
    yield _drawn([given], equal, f"worked out with remainders modulo {modulus}", random)


def _sums(random: Random, level: int) -> Iterator[Drawn]:
    """What the remainders of two numbers say of that of a sum of multiples of them."""
    modulus = random.randint(3, 7)
    first, second = random.randrange(modulus), random.randrange(modulus)
    one, two, more = random.randint(1, 4), random.randint(1, 4), random.randint(0, 3)
    whole = term_of(plus({(("m", 1),): one}, {(("n", 1),): two}, constant(more)))
    facts = [Term("=", (Term("%", (variable(name), numeral(modulus))), numeral(rest)))
             for name, rest in (("m", first), ("n", second))]  # fmt: skip
    value = (one * first + two * second + more) % modulus
    if value == 0 and random.random() < 0.5:
        conclusion = Term("∣", (numeral(modulus), whole))
    else:
        conclusion = Term("=", (Term("%", (whole, numeral(modulus))), numeral(value)))
    if one % modulus and two % modulus:
        yield _drawn(facts, conclusion, f"worked out with remainders modulo {modulus}", random)


def _polynomial(random: Random, level: int) -> Iterator[Drawn]:
    """What a polynomial leaves, whatever it is taken of: found by trying all remainders."""
    symbol = random.choice(["Product", "Free"])
    term = _TERMS.draw(symbol, 2, random)
    if level == 5 and random.random() < 0.7:
        more = term_of({(("n", random.randint(1, 2)),): random.randint(1, 5)})
        term = Term("+", (term, more))
    whole = polynomial_of(term)
    moduli = [m for m in ((2, 3, 4) if level == 4 else (3, 4, 5, 6, 8)) if _few(whole, m)]
    if not moduli:
        return
    modulus = random.choice(moduli)
    rests = _few(whole, modulus)
    note = f"all remainders modulo {modulus} were tried"
    if rests == [0]:
        yield _drawn([], Term("∣", (numeral(modulus), term)), note, random)
        return
    equations = [Term("=", (Term("%", (term, numeral(modulus))), numeral(rest))) for rest in rests]
    yield _drawn([], equations[0] if len(equations) == 1 else Term("∨", tuple(equations)), note, random)


def _few(whole: Polynomial, modulus: int) -> list[int]:
    """The remainders that the polynomial leaves, if they are one or two of at least three, or one of two."""
    found = sorted({_value(whole, n) % modulus for n in range(modulus)})
    plain = all(c % modulus == 0 for m, c in whole.items() if m)
    return found if not plain and len(found) <= min(2, modulus - 1) else []


def _witness(random: Random, level: int) -> Iterator[Drawn]:
    """A number with a remainder, or a polynomial that is a multiple, as one times something."""
    modulus, rest = random.randint(2, 7), random.randrange(1, 7)
    rest %= modulus
    factor, more = random.randint(2, 5), random.randint(0, 6)
    given = Term("=", (Term("%", (variable("n"), numeral(modulus))), numeral(rest)))
    left = term_of(plus({(("n", 1),): factor}, constant(more)))
    k: Polynomial = {(("k", 1),): modulus}
    value = (factor * rest + more) % modulus
    exists = Term("∃", (Term("=", (left, term_of(plus(k, constant(value))))),), "k", "Nat")
    yield Drawn(statement(_NAT, [given], exists, _NAMES), f"worked out with remainders modulo {modulus}")


def _drawn(facts: list[Term], conclusion: Term, note: str, random: Random) -> Drawn:
    types = _NAT if random.random() < 0.6 else _INT
    return Drawn(statement(types, facts, conclusion, _NAMES), note)


def _value(whole: Polynomial, n: int) -> int:
    """The polynomial's value at n."""
    total = 0
    for monomial, coefficient in whole.items():
        for _, exponent in monomial:
            coefficient *= n**exponent
        total += coefficient
    return total


DIVISIBILITY = Family(
    "divisibility",
    "divisibility and remainders over Nat and Int",
    (
        "a multiple, a sum of multiples, a remainder and a multiple",
        "one law with at most two hypotheses; sums of three multiples",
        "remainders of linear terms, from those of one or two numbers",
        "remainders of squares and products, by cases; laws with products and squares",
        "polynomials of degree three and more; gcd; witnesses; laws with three hypotheses",
    ),
    draw,
)

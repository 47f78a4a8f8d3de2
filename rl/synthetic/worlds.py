"""Worlds: values for the variables of statements, in which Python finds out what is false before Lean is asked.

A type variable has a small carrier of integers, or the natural numbers. What is quantified over numbers is looked at
for small ones only, and a witness among some more, so that a world may err there; else what is false in one is false.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations, product
from random import Random

from rl.synthetic.language import OPERATORS, Some, Value
from rl.synthetic.terms import BINDERS, Term

CARRIERS = ("α", "β", "γ", "δ")
# For `∀`, and for `∃`.
NATURALS = (range(7), range(61))
INTEGERS = (range(-4, 5), range(-20, 21))

Carrier = tuple[Sequence[int], Sequence[int]]


@dataclass(frozen=True)
class World:
    """`values` of variables; `carriers` are, by type, what `∀` ranges over and what `∃` does.

    An approximate one stands for an infinite type, of which it has a part: it refutes, and it is no model of anything.
    """

    values: Mapping[str, Value]
    carriers: Mapping[str, Carrier] = field(default_factory=dict)
    is_approximate: bool = False

    def ranges(self, type: str) -> Carrier:
        if type in self.carriers:
            return self.carriers[type]
        return {"Nat": NATURALS, "Int": INTEGERS}[type]


Meaning = Callable[[World, dict[str, Value]], Value]


def evaluate(term: Term, world: World) -> Value:
    """What the term is in the world."""
    return meaning(term)(world, {})


def meaning(term: Term) -> Meaning:
    """What the term is, as a function of a world and the values of the variables that are bound around it."""
    head, args = term.head, [meaning(arg) for arg in term.args]
    if head in BINDERS:
        return _binding(head, term.bound, term.type, args[0])
    if not args:
        if head.isdigit() or head in OPERATORS:
            value = int(head) if head.isdigit() else OPERATORS[head].meaning
            return lambda world, bound: value
        return lambda world, bound: bound[head] if head in bound else world.values[head]
    if head == "apply":
        return _applied(args)
    first, *others = args
    if len(args) == 1:
        known = OPERATORS[head].meaning
        return lambda world, bound: known(first(world, bound))
    second = others[0]
    match head:  # what decides the whole spares the other side
        case "∧":
            return lambda world, bound: first(world, bound) and second(world, bound)
        case "∨":
            return lambda world, bound: first(world, bound) or second(world, bound)
        case "→":
            return lambda world, bound: not first(world, bound) or second(world, bound)
        case "=" if term.type:
            return _same_function(term.type, first, second)
    known = OPERATORS[head].meaning
    return lambda world, bound: known(*(arg(world, bound) for arg in args))


def _binding(head: str, name: str, type: str, body: Meaning) -> Meaning:
    if head == "fun":
        return lambda world, bound: lambda value: body(world, {**bound, name: value})
    which, decisive = (0, False) if head == "∀" else (1, True)

    def quantified(world: World, bound: dict[str, Value]) -> bool:
        inner = dict(bound)
        for value in world.ranges(type)[which]:
            inner[name] = value
            if body(world, inner) == decisive:
                return decisive
        return not decisive

    return quantified


def _applied(args: Sequence[Meaning]) -> Meaning:
    def applied(world: World, bound: dict[str, Value]) -> Value:
        result = args[0](world, bound)
        for arg in args[1:]:
            result = result(arg(world, bound))
        return result

    return applied


def _same_function(domain: str, left: Meaning, right: Meaning) -> Meaning:
    def same(world: World, bound: dict[str, Value]) -> bool:
        f, g = left(world, bound), right(world, bound)
        return all(f(value) == g(value) for value in world.ranges(domain)[0])

    return same


def value_of(type: str, carriers: Mapping[str, Carrier], random: Random) -> Value:
    """A random value of a type, small ones most of all; functions and relations that have properties are likely."""
    parts = type.split(" → ")
    if len(parts) == 2 and parts[0] == parts[1] and parts[0] in carriers and random.random() < 0.7:
        return _self_map(carriers[parts[0]][0], random)
    if len(parts) == 3 and parts[0] == parts[1] and parts[2] == "Prop":
        return _relation(carriers[parts[0]][0], random)
    if len(parts) > 1:
        rest, seed = " → ".join(parts[1:]), random.getrandbits(32)
        # What it is of an argument must not hang on what it was asked before.
        return cache(lambda argument: value_of(rest, carriers, Random(f"{seed} {argument}")))
    if type.startswith(("List ", "Option ")):
        element = type.partition(" ")[2]
        if element in carriers and not carriers[element][0]:
            return () if type.startswith("List ") else None
        if type.startswith("List "):
            return tuple(value_of(element, carriers, random) for _ in range(random.choice((0, 1, 2, 2, 3, 4))))
        return Some(value_of(element, carriers, random)) if random.random() < 0.7 else None
    if type in ("Prop", "Bool"):
        return random.random() < 0.5
    if type == "Nat":
        return random.choice((0, 0, 1, 1, 2, 3, 4, 5, 7, 12))
    if type == "Int":
        return random.choice((0, 0, 1, 1, 2, 3, 5, 8, -1, -1, -2, -3, -6))
    return random.choice(carriers[type][0])


def _self_map(carrier: Sequence[int], random: Random) -> Value:
    """A function of a type into itself: a permutation, its own inverse, or one that does nothing the second time."""
    order = random.sample(carrier, len(carrier))
    kind = random.choice(("permutation", "permutation", "involution", "idempotent"))
    if kind == "permutation":
        return dict(zip(carrier, order, strict=True)).__getitem__
    if kind == "involution":
        swapped = dict(zip(order[::2], order[1::2], strict=False))
        swapped |= {b: a for a, b in swapped.items()}
        return lambda x: swapped.get(x, x)
    fixed = order[: random.randint(1, 3)]
    targets = {x: x if x in fixed else random.choice(fixed) for x in carrier}
    return targets.__getitem__


def _relation(carrier: Sequence[int], random: Random) -> Value:
    """A relation on a type, sparse or dense, by chance symmetric, transitive, reflexive or irreflexive."""
    density = random.choice((0.2, 0.5, 0.8))
    pairs = {(a, b) for a in carrier for b in carrier if random.random() < density}
    if random.random() < 0.35:
        pairs |= {(b, a) for a, b in pairs}
    diagonal = random.random()
    if diagonal < 0.3:
        pairs |= {(a, a) for a in carrier}
    elif diagonal < 0.6:
        pairs -= {(a, a) for a in carrier}
    if random.random() < 0.35:
        for middle in carrier:
            pairs |= {(a, b) for a in carrier for b in carrier if (a, middle) in pairs and (middle, b) in pairs}
    return lambda a: lambda b: (a, b) in pairs


def _relatives(
    values: Mapping[str, Value], variables: Mapping[str, str], carriers: Mapping[str, Carrier], random: Random
) -> dict[str, Value]:
    """Functions in the place of those that map the same type into itself as one before: its inverse, its square, ..."""
    first: dict[str, Value] = {}
    found = {}
    for name, type in variables.items():
        start, _, end = type.partition(" → ")
        if start != end or start not in carriers or (type in first and random.random() < 0.4):
            continue
        if type not in first:
            first[type] = {x: values[name](x) for x in carriers[start][0]}
            continue
        table = first[type]
        kind = random.choice(("inverse", "inverse", "inverse", "square", "identity"))
        if kind == "inverse":
            found[name] = {**{x: x for x in table}, **{y: x for x, y in table.items()}}.__getitem__
        elif kind == "square":
            found[name] = {x: table[y] for x, y in table.items()}.__getitem__
        else:
            found[name] = {x: x for x in table}.__getitem__
    return found


def _goes_with(type: str, empty: Sequence[str]) -> bool:
    """Whether there is something of the type if these type variables are empty."""
    *arguments, result = type.split(" → ")
    return result not in empty or any(argument in empty for argument in arguments)


# Functions, predicates and relations on the natural numbers.
_FUNCTIONS: tuple[Callable[[int], int], ...] = (
    lambda n: n + 1,
    lambda n: max(0, n - 1),
    lambda n: 2 * n,
    lambda n: n // 2,
    lambda n: n ^ 1,
)
_PREDICATES: tuple[Callable[[int], bool], ...] = (lambda n: n % 2 == 0, lambda n: n > 0, lambda n: n > 2)
_RELATIONS: tuple[Callable[[int], Callable[[int], bool]], ...] = (
    lambda a: lambda b: a < b,
    lambda a: lambda b: a <= b,
    lambda a: lambda b: a > b,
    lambda a: lambda b: b == a + 1,
    lambda a: lambda b: (a + b) % 2 == 0,
)


def _of_numbers(variables: Mapping[str, str], random: Random) -> World:
    """A world in which every type variable is Nat: what holds of finite types alone is found out here."""
    carriers: dict[str, Carrier] = {carrier: (range(5), range(11)) for carrier in CARRIERS}
    values: dict[str, Value] = {}
    for name, type in variables.items():
        *arguments, result = type.split(" → ")
        if result == "Prop" and arguments:
            values[name] = random.choice(_PREDICATES if len(arguments) == 1 else _RELATIONS)
        elif result in CARRIERS and len(arguments) == 1:
            values[name] = random.choice(_FUNCTIONS)
        else:
            values[name] = value_of(type, carriers, random)
    return World(values, carriers, is_approximate=True)


def _of_few(variables: Mapping[str, str], empty: Sequence[str], random: Random) -> World:
    """A world in which type variables have at most four elements, and these none."""
    sizes = {carrier: 0 if carrier in empty else random.choice((1, 1, 2, 2, 3, 3, 3, 4, 4)) for carrier in CARRIERS}
    carriers = {carrier: (range(size), range(size)) for carrier, size in sizes.items()}
    values = {name: value_of(type, carriers, random) for name, type in variables.items()}
    return World(values | _relatives(values, variables, carriers, random), carriers)


def worlds_of(variables: Mapping[str, str], random: Random, count: int) -> list[World]:
    """Worlds to test statements about these variables in: `count` that are drawn, or the truth table of propositions.

    Where there are type variables, they are Nat in every ninth world, and some of them empty in every fourth, as far as
    that can be.
    """
    types = list(variables.values())
    if set(types) <= {"Prop"}:
        return [World(dict(zip(variables, row, strict=True))) for row in product((False, True), repeat=len(types))]
    used = [carrier for carrier in CARRIERS if any(carrier in type.split() for type in types)]
    empties = [
        empty
        for size in range(1, len(used) + 1)
        for empty in combinations(used, size)
        if all(_goes_with(type, empty) for type in types)
    ]
    return [
        _of_numbers(variables, random)
        if used and number % 9 == 8
        else _of_few(variables, random.choice(empties) if empties and random.random() < 0.25 else (), random)
        for number in range(count)
    ]

"""Finitely many cases: variables between numerals, exponents and divisors of a numeral; the kernel computes them all.

`∀ x, x < 31 → (what is known of x) → ∀ y, y < 31 → ...` is decided by evaluating it. What is known of the variables
so far stands before the next one is brought in: then a case that it rules out costs nothing more.
"""

import ast
import re

from prover.lean_text import code_tokens
from prover.portfolio.features import Fact, Features, Interval, Variable
from prover.portfolio.rule import Suggestion
from prover.portfolio.shape import conjuncts

# The kernel takes about a third of a millisecond for one, and nothing but the wall clock stops it.
_MOST_CASES = 8_000
_LARGEST_NUMBER = 5_000
_COMPUTABLE = frozenset(["Nat.gcd", "Nat.lcm", "Nat.sub", "Nat.add", "Nat", "Int", "min", "max", "True", "False"])
_NOT_COMPUTABLE = frozenset(["∀", "∃", "fun", "λ", "↑", "Σ", "Π", "=>", "[", "]", "{", "}", "?", "⟨", "⟩", ":"])
_DECIDE = "set_option synthInstance.maxSize 4096 in set_option synthInstance.maxHeartbeats 100000 in decide +kernel"


def finite(goal: Features) -> list[Suggestion]:
    """Suggestions for goals with numbers that can take few values."""
    if not goal.has_arithmetic:
        return []
    return [*_all_cases(goal), *_solved(goal), *_exponents(goal), *_divisors(goal), *_linear_bounds(goal)]


def _all_cases(goal: Features) -> list[Suggestion]:
    """Every value of every bounded variable at once."""
    if not _computable(goal.target):
        return []
    bounded = {interval.variable.name: interval for interval in goal.intervals}
    names = {variable.name for variable in goal.variables}
    used = _names(goal.target) & names
    facts = [fact for fact in goal.facts if _computable(fact.text) and _names(fact.text) & names]
    if not used and goal.target == "False":
        used = {name for fact in facts for name in _names(fact.text) & names if name in bounded}
    # What a fact says of the variables may take others to say it.
    for fact in facts:
        if _names(fact.text) & used and _names(fact.text) & names <= bounded.keys():
            used |= _names(fact.text) & names
    if not used or not used <= bounded.keys():
        return []
    order = sorted((bounded[name] for name in used), key=lambda interval: _size(interval))
    order.sort(key=lambda interval: not _alone(interval, facts, names))
    cases, open_cases = 0.0, 1.0
    for interval in order:
        open_cases *= _size(interval)
        cases += open_cases
        if _alone(interval, facts, names):
            open_cases = max(1.0, open_cases / 10)
    if cases > _MOST_CASES:
        return []
    return [Suggestion(_decision(goal, order, facts, names), 12.0 if cases < 1_500 else 5.0)]


def _decision(goal: Features, order: list[Interval], facts: list[Fact], names: set[str]) -> str:
    """States the finite claim, has the kernel compute it, and applies it."""
    key = goal.fresh("key")
    claim, arguments, known = "", "", set[str]()
    waiting = list(facts)
    lifts = []
    for interval in order:
        name = interval.variable.name
        known.add(name)
        claim += f"∀ {name} : Nat, {name} < {_size(interval)} → "
        arguments += f" {name} (by omega)"
        if interval.variable.type == "Int" or interval.low:
            kind = interval.variable.type
            lifts.append(
                f"obtain ⟨{name}, rfl⟩ : ∃ k : Nat, {name} = {_lifted('k', interval)} := "
                + (
                    f"⟨({name} - ({interval.low})).toNat, by omega⟩"
                    if kind == "Int"
                    else f"⟨{name} - {interval.low}, by omega⟩"
                )
            )
        for fact in [fact for fact in waiting if _names(fact.text) & names <= known]:
            waiting.remove(fact)
            claim += f"({_substituted(fact.text, order)}) → "
            arguments += f" {fact.name}"
    claim += f"({_substituted(goal.target, order)})"
    return "\n".join([*lifts, f"have {key} : {claim} := by\n  {_DECIDE}", f"exact {key}{arguments}"])


def _lifted(name: str, interval: Interval) -> str:
    """The variable as a natural number from 0 on."""
    if interval.variable.type == "Int":
        return f"(({name} : Nat) : Int) + ({interval.low})"
    return f"{name} + {interval.low}"


def _substituted(text: str, order: list[Interval]) -> str:
    for interval in order:
        if interval.variable.type == "Int" or interval.low:
            text = re.sub(_word(interval.variable.name), f"({_lifted(interval.variable.name, interval)})", text)
    return text


def _word(name: str) -> str:
    return rf"(?<![\w.'✝]){re.escape(name)}(?![\w'✝])"


def _size(interval: Interval) -> int:
    return interval.high - interval.low + 1


def _alone(interval: Interval, facts: list[Fact], names: set[str]) -> bool:
    """Whether a fact that is more than a bound speaks of this variable and of no other."""
    x = interval.variable.name
    return any(_names(fact.text) & names == {x} and re.search(r"[%∣*^]|gcd|lcm", fact.text) for fact in facts)


def _names(text: str) -> set[str]:
    return {token.text for token in code_tokens(text) if token.kind == "name"}


def _computable(text: str) -> bool:
    """Whether the proposition is made of arithmetic and connectives alone; its names may be variables or known."""
    tokens = list(code_tokens(text))
    if "✝" in text or any(token.text in _NOT_COMPUTABLE for token in tokens):
        return False
    return all("." not in token.text or token.text in _COMPUTABLE for token in tokens if token.kind == "name")


_POLYNOMIAL = re.compile(r"[\d\s+*()]+")


def _solved(goal: Features) -> list[Suggestion]:
    """`3 * y + (3 + y) = 71` is solved for y, and the value put in, which `omega` would not do for other facts."""
    found = []
    for variable in goal.of_type("Nat", "Int"):
        for atom in goal.atoms if variable.type in ("Nat", "Int") else ():
            left, equals, right = atom.partition(" = ")
            sides = [re.sub(_word(variable.name), "(0)", side) for side in (left, right)]
            if not equals or not all(_POLYNOMIAL.fullmatch(side) for side in sides) or atom.startswith(variable.name):
                continue
            try:
                at = [_difference(left, right, variable.name, value) for value in (0, 1, 2)]
            except (SyntaxError, ValueError):
                continue
            slope = at[1] - at[0]
            if slope and at[2] - at[1] == slope and at[0] % slope == 0 and -at[0] // slope >= 0:
                found.append(Suggestion(f"obtain rfl : {variable.name} = {-at[0] // slope} := by omega", 10.0))
    return found[:2]


def _difference(left: str, right: str, name: str, value: int) -> int:
    """Left less right with the value put in; both are made of numerals, sums and products."""
    sides = (re.sub(_word(name), f"({value})", side) for side in (left, right))
    one, two = (_evaluated(ast.parse(side.strip(), mode="eval").body) for side in sides)
    return one - two


def _evaluated(expression: ast.expr) -> int:
    match expression:
        case ast.Constant(value=int(number)):
            return number
        case ast.BinOp(left, ast.Add(), right):
            return _evaluated(left) + _evaluated(right)
        case ast.BinOp(left, ast.Mult(), right):
            return _evaluated(left) * _evaluated(right)
    raise ValueError("neither a numeral nor a sum nor a product")


_POWER = re.compile(r"(?<![\w.^)])(\d+) \^ ([a-zA-Z_]\w*)(?![\w'])")


def _exponents(goal: Features) -> list[Suggestion]:
    """`2 ^ x * k = 1296`: the power divides the numeral, so that x is at most its logarithm."""
    found = []
    bounded = {interval.variable.name for interval in goal.intervals}
    for fact in goal.facts:
        outer = fact.shape
        if outer.head != "=" or not outer.right.isdecimal() or not 0 < int(outer.right) < 10**12:
            continue
        number = int(outer.right)
        factors = [part.strip() for part in outer.left.split(" * ")]
        for part in factors:
            match = _POWER.fullmatch(part)
            if not match or int(match[1]) < 2 or match[2] in bounded:
                continue
            base, x, limit = int(match[1]), match[2], 0
            while base**limit <= number:
                limit += 1
            h, g, d = goal.fresh("hx"), goal.fresh("hg"), goal.fresh("hd")
            found.append(
                Suggestion(
                    f"have {d} : {part} ∣ {number} := by\n"
                    f"  rw [← {fact.name}]; first | exact Nat.dvd_refl _ | simp [Nat.dvd_mul_left, Nat.dvd_mul_right]\n"
                    f"have {h} : {x} < {limit} := by\n"
                    f"  refine Nat.lt_of_not_le fun {g} => ?_\n"
                    f"  have := Nat.le_of_dvd (by decide) {d}\n"
                    f"  have := Nat.pow_le_pow_right (show 0 < {base} by decide) {g}\n"
                    f"  omega\n"
                    f"clear {d}",
                    8.0,
                )
            )
    return found[:3]


_FACTORS = re.compile(r"^(\(.+\)|\w+) \* (\(.+\)|\w+)$")


def _divisors(goal: Features) -> list[Suggestion]:
    """`u * v = 450` over Nat: u is one of the divisors, and in each case the rest is linear."""
    found = []
    for fact in goal.facts:
        outer = fact.shape
        match = _FACTORS.match(outer.left)
        if outer.head != "=" or not outer.right.isdecimal() or not match or "Int" in goal.types:
            continue
        number, u = int(outer.right), match[1]
        divisors = [d for d in range(1, number + 1) if number % d == 0] if 0 < number <= _LARGEST_NUMBER else []
        if not 0 < len(divisors) <= 40:
            continue
        h, d, k = goal.fresh("hu"), goal.fresh("hd"), goal.fresh("k")
        cases = " ∨ ".join(f"{k} = {divisor}" for divisor in divisors)
        split = " | ".join(["rfl" if re.fullmatch(r"\w+", u) else h] * len(divisors))
        for after in ("first | omega | simp_all | grind", "try omega"):
            found.append(
                Suggestion(
                    f"have {d} : {u} ∣ {number} := ⟨_, {fact.name}.symm⟩\n"
                    f"have {h} : ∀ {k}, {k} < {number + 1} → {number} % {k} = 0 → {cases} := by\n  {_DECIDE}\n"
                    f"replace {h} := {h} {u} (Nat.lt_succ_of_le (Nat.le_of_dvd (by decide) {d})) "
                    f"(Nat.mod_eq_zero_of_dvd {d})\n"
                    f"clear {d}\n"
                    f"rcases {h} with {split} <;> {after}",
                    4.0,
                )
            )
    return found[:4]


def _linear_bounds(goal: Features) -> list[Suggestion]:
    """Variables are at most a numeral of their equation: `omega` takes products for numbers of their own."""
    found = []
    bounded = {interval.variable.name: interval.high for interval in goal.intervals}
    lines: list[str] = []
    for variable in goal.variables:
        if variable.type not in ("Nat", "Int"):
            continue
        others = [v for v in goal.variables if v.type == variable.type and v.name != variable.name]
        for number in _equated(goal, variable)[:2]:
            if bounded.get(variable.name, number + 1) <= number:
                continue
            hints = "".join(_positive_products(variable, other) for other in others[:2])
            line = f"{variable.name} ≤ {number} := by\n{hints}  omega"
            found.append(Suggestion(f"have {goal.fresh('hb')} : {line}", 2.0))
            if number == _equated(goal, variable)[0]:
                taken = frozenset(f"hb{i}" for i in ["", *range(len(lines) + 1)][: len(lines)])
                lines.append(f"have {goal.fresh('hb', taken)} : {line}")
    if len(lines) > 1:
        found.append(Suggestion("\n".join(lines), 5.0))
    return found[-5:]


def _equated(goal: Features, variable: Variable) -> list[int]:
    """The numerals, from 4 on and the least first, of the equations that the variable is in."""
    atoms = [part for fact in goal.facts_about(variable.name) for part in conjuncts(fact.text)]
    atoms = [atom for atom in atoms if "=" in atom and re.search(_word(variable.name), atom)]
    numbers = {int(n) for atom in atoms for n in re.findall(r"(?<![\w.^])\d+(?![\w.])", atom)}
    return sorted(n for n in numbers if 3 < n <= _LARGEST_NUMBER)


def _positive_products(variable: Variable, other: Variable) -> str:
    """That x is at most x * y, where y is positive: lines that do nothing where it is not known to be."""
    x, y = variable.name, other.name
    if variable.type == "Nat":
        return f"  try have := Nat.mul_le_mul_left {x} (show 1 ≤ {y} by omega)\n"
    positive, least = f"(show 1 ≤ {y} by omega)", f"(show 0 ≤ {x} by omega)"
    return (
        f"  try have := Int.mul_le_mul_of_nonneg_left {positive} {least}\n"
        f"  try have := Int.mul_le_mul_of_nonneg_right {positive} {least}\n"
    )

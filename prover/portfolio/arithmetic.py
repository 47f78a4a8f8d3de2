"""Arithmetic over Nat and Int beyond `omega`: residues, bounded variables, bounds from products, powers modulo m.

Each suggestion is a small script that `omega`, `simp` and `grind` can finish; none knows a theorem.
"""

import re
from collections.abc import Sequence
from math import isqrt

from prover.portfolio.features import Features, Interval, Variable
from prover.portfolio.rule import Suggestion

_LARGEST_MODULUS = 24
_MOST_CASES = 40
_DIVISIBILITY = {"Nat": "Nat.dvd_iff_mod_eq_zero", "Int": "Int.dvd_iff_emod_eq_zero"}
_RESIDUE_LEMMAS = {
    "Nat": "Nat.pow_succ, Nat.mul_mod, Nat.add_mod, Nat.pow_mod",
    "Int": "Int.pow_succ, Int.mul_emod, Int.add_emod, Int.sub_emod",
}


def arithmetic(goal: Features) -> list[Suggestion]:
    """Suggestions for goals that mention numbers."""
    if not goal.has_arithmetic:
        return []
    return [
        *_known_residues(goal),
        *_residue_cases(goal),
        *_power_residues(goal),
        *_bounded_cases(goal),
        *_bounds(goal),
        *_divisors(goal),
    ]


def _known_residues(goal: Features) -> list[Suggestion]:
    """Facts such as `x % 19 = 4` put into a product or a power modulo 19."""
    facts = [fact.name for fact in goal.facts if "%" in fact.text and fact.shape.head == "="]
    if not facts or not {"%", "∣"} & {t.text for t in goal.target_tokens}:
        return []
    names = ", ".join(facts)
    kinds = [kind for kind in _RESIDUE_LEMMAS if kind in goal.types] or ["Nat"]
    return [Suggestion(f"simp [{_RESIDUE_LEMMAS[kind]}, {names}]", 2.0) for kind in kinds]


def _residue_cases(goal: Features) -> list[Suggestion]:
    """`n % 3` is 0, 1 or 2, and in each case the rest is computed."""
    found: list[Suggestion] = []
    if not _useful_moduli(goal):
        return found
    for variable in goal.of_type("Nat", "Int"):
        if not goal.mentions(variable.name) and not goal.facts_about(variable.name):
            continue
        for modulus in _useful_moduli(goal):
            found.append(Suggestion(_split_residues(goal, variable, modulus), 1.2))
            found.append(Suggestion(_write_out(goal, variable, modulus), 0.8))
    return found[:8]


def _useful_moduli(goal: Features) -> list[int]:
    """Those of `%` and `∣`, and of equations with a power the numbers that multiply something."""
    found = list(goal.moduli)
    if "^" in goal.symbols or "*" in goal.symbols:
        found += [int(n) for atom in goal.atoms for n in re.findall(r"(?<![\w.])(\d+) \* [a-z(]", atom)]
    return [m for m in dict.fromkeys(found) if 1 < m <= _LARGEST_MODULUS][:3]


def _write_out(goal: Features, variable: Variable, modulus: int) -> str:
    """The variable as `3 * q + r`, for every r: then `grind` has a polynomial to reduce."""
    q, h, x = goal.fresh("q"), goal.fresh("hq"), variable.name
    cases = " ∨ ".join(f"{x} = {modulus} * {q} + {r}" for r in range(modulus))
    names = " | ".join(["rfl"] * modulus)
    return (
        f"have {h} : ∃ {q}, {cases} := ⟨{x} / {modulus}, by omega⟩\n"
        f"rcases {h} with ⟨{q}, {names}⟩ <;> first | omega | grind"
    )


def _split_residues(goal: Features, variable: Variable, modulus: int) -> str:
    h, x = goal.fresh("hr"), variable.name
    kind = "Nat" if variable.type == "Nat" else "Int"
    cases = " ∨ ".join(f"{x} % {modulus} = {r}" for r in range(modulus))
    lemmas = f"{_RESIDUE_LEMMAS[kind]}, {_DIVISIBILITY[kind]}, {h}"
    return (
        f"have {h} : {cases} := by omega\n"
        f"rcases {h} with {' | '.join([h] * modulus)} <;> first | omega | simp [{lemmas}] | (simp_all [{lemmas}]; done)"
    )


_POWER = re.compile(r"(?<![\w.])(\d+) \^ (\w+)(?!\w)")


def _power_residues(goal: Features) -> list[Suggestion]:
    """`b ^ n` modulo m repeats after some k steps: write n as `k * (n / k) + n % k` and go through the k cases."""
    found = []
    text = " ".join([goal.target, *(fact.text for fact in goal.facts)])
    numbers = {v.name for v in goal.of_type("Nat")}
    for base, exponent in dict.fromkeys(_POWER.findall(text)):
        for modulus in goal.moduli[:2]:
            period = _period(int(base), modulus)
            if exponent not in numbers or not 1 <= period <= _LARGEST_MODULUS:
                continue
            h, split = goal.fresh("hr"), goal.fresh("hn")
            cases = " ∨ ".join(f"{exponent} % {period} = {r}" for r in range(period))
            lemmas = f"{h}, Nat.dvd_iff_mod_eq_zero, Nat.add_mod, Nat.mul_mod, Nat.pow_mod"
            found.append(
                Suggestion(
                    f"have {split} : {base} ^ {exponent} % {modulus} = "
                    f"{base} ^ ({exponent} % {period}) % {modulus} := by\n"
                    f"  conv => lhs; rw [← Nat.div_add_mod {exponent} {period}, Nat.pow_add, Nat.pow_mul]\n"
                    f"  simp [Nat.mul_mod, Nat.pow_mod]\n"
                    f"have {h} : {cases} := by omega\n"
                    f"rcases {h} with {' | '.join([h] * period)} <;> simp [{h}] at {split} <;> "
                    f"first | omega | simp_all [{lemmas}]",
                    1.5,
                )
            )
    return found[:3]


def _period(base: int, modulus: int) -> int:
    """The least k > 0 with base ^ k = 1 modulo `modulus`, or 0."""
    power = base % modulus
    for k in range(1, _LARGEST_MODULUS + 1):
        if power == 1:
            return k
        power = power * base % modulus
    return 0


def _bounded_cases(goal: Features) -> list[Suggestion]:
    """A variable between two numerals has so many values: `omega` refutes most of them, what it leaves is left."""
    found = []
    for interval in goal.intervals[:4]:
        size = interval.high - interval.low + 1
        if size > _MOST_CASES * 3:
            continue
        weight = 3.0 if size <= 12 else 1.5 if size <= _MOST_CASES else 0.5
        found.append(Suggestion(split_interval(goal, interval, "try omega"), weight))
        found.append(Suggestion(split_interval(goal, interval, "first | omega | simp_all | grind"), weight * 0.7))
    return found


def split_interval(goal: Features, interval: Interval, after: str) -> str:
    """A script that puts in every value of a bounded variable and runs `after` on each case."""
    x, h = interval.variable.name, goal.fresh("hc")
    values = range(interval.low, interval.high + 1)
    cases = " ∨ ".join(f"{x} = {value}" for value in values)
    names = " | ".join(["rfl"] * len(values))
    return f"have {h} : {cases} := by omega\nrcases {h} with {names} <;> {after}"


def _bounds(goal: Features) -> list[Suggestion]:
    """A bound for a variable that an equation with products keeps small: were it larger, a product would be too."""
    nonlinear = [
        fact for fact in goal.facts if re.search(r"\^|\* [a-z(]", fact.text) and fact.shape.head in ("=", "<", "≤")
    ]
    limits = sorted(
        {n for fact in nonlinear for n in map(int, re.findall(r"(?<![\w.])\d+(?![\w.])", fact.text)) if n > 3}
    )
    if not nonlinear or not limits:
        return []
    top = limits[-1]
    bounded = {interval.variable.name for interval in goal.intervals if interval.high <= max(isqrt(top) + 1, 12)}
    found = []
    for variable in goal.of_type("Nat", "Int"):
        x, h, g = variable.name, goal.fresh("hb"), goal.fresh("hg")
        if x in bounded or not any(fact in nonlinear for fact in goal.facts_about(x)):
            continue
        for limit in dict.fromkeys([isqrt(top) + 1, top]):
            if limit > 100 * _MOST_CASES or x in {i.variable.name for i in goal.intervals if i.high <= limit}:
                continue
            others = [v.name for v in goal.of_type(variable.type) if v.name != x and goal.facts_about(v.name)][:3]
            script = _bound_script(variable, limit, h, g, others)
            found.append(Suggestion(script, 2.0 if limit <= 3 * _MOST_CASES else 0.5))
    return found[:6]


def _bound_script(variable: Variable, limit: int, h: str, g: str, others: Sequence[str]) -> str:
    """Products of the opposite with itself, and of the variable with others that are not 0, are shown to `omega`."""
    x = variable.name
    hints = "".join(f"  try have {g}_{y} := Nat.mul_le_mul_left {x} (show 1 ≤ {y} by omega)\n" for y in others)
    hints += "".join(f"  try have {g}_{y}' := Nat.mul_le_mul_right {x} (show 1 ≤ {y} by omega)\n" for y in others)
    if variable.type == "Nat":
        return (
            f"have {h} : {x} ≤ {limit} := by\n"
            f"  refine Nat.le_of_not_lt fun {g} => ?_\n"
            f"  have {g}2 := Nat.mul_le_mul {g} {g}\n"
            f"{hints}"
            f"  try simp only [Nat.pow_succ, Nat.pow_zero, Nat.one_mul] at *\n"
            f"  first | omega | grind"
        )
    hints = "".join(
        f"  try have {g}_{y} := Int.mul_le_mul_of_nonneg_right (show {x} ≤ {y} by omega) (show 0 ≤ {x} by omega)\n"
        for y in others
    )
    return (
        f"have {h} : {x} ≤ {limit} := by\n"
        f"  refine Int.not_lt.1 fun {g} => ?_\n"
        f"  have {g}2 := Int.mul_le_mul (Int.le_of_lt {g}) (Int.le_of_lt {g}) (by decide) (by omega)\n"
        f"{hints}"
        f"  first | omega | (try simp only [Int.mul_comm] at *; omega) | grind"
    )


_PRODUCT = re.compile(r"^\(?(\w+)\)? \* \(?(\w+)\)?$")


def _divisors(goal: Features) -> list[Suggestion]:
    """`x * y = 450` and `x ∣ 36` bound x by the number."""
    found = []
    for fact in goal.facts:
        outer = fact.shape
        if outer.head == "=" and outer.right.isdecimal() and (match := _PRODUCT.match(outer.left)) and int(outer.right):
            x, h = match.group(1), goal.fresh("hb")
            found.append(
                Suggestion(
                    f"have {h} : {x} ≤ {outer.right} := Nat.le_of_dvd (by decide) (Dvd.intro _ {fact.name})", 1.5
                )
            )
        if outer.head == "∣" and outer.right.isdecimal() and int(outer.right):
            h = goal.fresh("hb")
            found.append(
                Suggestion(f"have {h} : {outer.left} ≤ {outer.right} := Nat.le_of_dvd (by decide) {fact.name}", 2.0)
            )
    return found

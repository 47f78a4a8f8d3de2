"""The greatest common divisor of two linear forms in one variable divides a numeral (Euclid), which bounds it."""

import re

from prover.portfolio.features import Features
from prover.portfolio.rule import Suggestion
from prover.portfolio.shape import strip_brackets

_GCD = re.compile(r"(\([^()]+\)|\w+)\.gcd (\([^()]+\)|\w+)|Nat\.gcd (\([^()]+\)|\w+) (\([^()]+\)|\w+)")
_LINEAR = re.compile(r"(?:(\d+) \* )?([a-zA-Z_]\w*)(?: \+ (\d+))?")


def common_divisors(goal: Features) -> list[Suggestion]:
    """For every such gcd in the target: what it divides, and that it is at most that."""
    found = []
    for match in _GCD.finditer(goal.target):
        one, two = strip_brackets(match[1] or match[3]), strip_brackets(match[2] or match[4])
        first, second = _LINEAR.fullmatch(one), _LINEAR.fullmatch(two)
        if not first or not second or first[2] != second[2]:
            continue
        a, b, c, d = int(first[1] or 1), int(first[3] or 0), int(second[1] or 1), int(second[3] or 0)
        number = c * b - a * d
        if not number:
            continue
        left, right = f"{c} * ({one})", f"{a} * ({two})"
        from_left, from_right = "Nat.gcd_dvd_left _ _", "Nat.gcd_dvd_right _ _"
        if number < 0:
            left, right, from_left, from_right, number = right, left, from_right, from_left, -number
        h, least = goal.fresh("hd"), goal.fresh("hl")
        found.append(
            Suggestion(
                f"have {h} : Nat.gcd ({one}) ({two}) ∣ {number} := by\n"
                f"  rw [show {number} = {left} - {right} by omega]\n"
                f"  refine Nat.dvd_sub (Nat.dvd_mul_left_of_dvd ?_ _) (Nat.dvd_mul_left_of_dvd ?_ _)\n"
                f"  · exact {from_left}\n"
                f"  · exact {from_right}\n"
                f"have {least} := Nat.le_of_dvd (by decide) {h}\n"
                f"first | omega | skip",
                10.0,
            )
        )
    return found

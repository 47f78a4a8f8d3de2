"""A list without duplicates whose members one knows (`∀ n, n ∈ S ↔ P n`): it is a range, filtered, up to order."""

import re
from dataclasses import dataclass

from prover.portfolio.features import Fact, Features, Variable
from prover.portfolio.rule import Suggestion
from prover.portfolio.shape import shape, strip_brackets

_LARGEST_RANGE = 2000
_LARGEST_AROUND_ZERO = 200


@dataclass(frozen=True)
class Known:
    """A list, the fact about its members, the fact that they are distinct, and the description of a member `name`."""

    variable: Variable
    members: Fact
    distinct: Fact
    name: str
    description: str


@dataclass(frozen=True)
class Range:
    """A list that the members are certainly in: Lean text of it, of why it has no duplicates, and of the bound.

    `shift` is what a member has to be moved by to become its own index.
    """

    text: str
    unique: str
    bound: str
    shift: int = 0


def members(goal: Features) -> list[Suggestion]:
    """Bounds the members by a numeral, puts the filtered range in the place of the list, and computes."""
    found: list[Suggestion] = []
    for variable in goal.of_type("List"):
        known = _known(goal, variable)
        if known and variable.type in ("List Nat", "List Int") and goal.mentions(variable.name):
            ranges = _up_to(goal, known) if variable.type == "List Nat" else _around_zero(goal, known)
            found += [Suggestion(_script(goal, known, r), 5.0 / (1 + rank)) for rank, r in enumerate(ranges)]
    return found


def _known(goal: Features, variable: Variable) -> Known | None:
    distinct = next((fact for fact in goal.facts if fact.text == f"{variable.name}.Nodup"), None)
    for fact in goal.facts if distinct else ():
        if fact.shape.head == "∀" and len(fact.shape.binders) == 1:
            name, body = fact.shape.binders[0].name, shape(fact.shape.right)
            if distinct and body.head == "↔" and strip_brackets(body.left) == f"{name} ∈ {variable.name}":
                return Known(variable, fact, distinct, name, body.right)
    return None


def _limits(goal: Features, known: Known) -> list[int]:
    """Numbers that may bound the members: those after the numerals of the description and of the other facts."""
    numbers = {int(n) + 1 for n in re.findall(r"(?<![\w.^])\d+(?![\w.])", known.description)}
    numbers |= {n + 1 for n in goal.numerals}
    return sorted(n for n in numbers if 2 < n <= _LARGEST_RANGE)[:6]


def _up_to(goal: Features, known: Known) -> list[Range]:
    return [
        Range(f"List.range {limit}", "List.nodup_range", f"{known.name} < {limit}") for limit in _limits(goal, known)
    ]


def _around_zero(goal: Features, known: Known) -> list[Range]:
    limits = [n for n in [*_limits(goal, known), 30, 100] if n <= _LARGEST_AROUND_ZERO]
    n = known.name
    return [
        Range(
            f"(List.range {2 * limit + 1}).map (fun k : Nat => (k : Int) - {limit})",
            "(by decide)",
            f"-{limit} ≤ {n} ∧ {n} ≤ {limit}",
            limit,
        )
        for limit in limits
    ]


def _script(goal: Features, known: Known, source: Range) -> str:
    s, n, about = known.variable.name, known.name, known.members.name
    bound, member, same, holds = (goal.fresh(name) for name in ("hb", "hm", "hp", "hh"))
    element = known.variable.type.split(" ", 1)[1]
    other = [f.name for f in goal.facts if f not in (known.members, known.distinct) and f.shape.head == "∀"]
    unfold = f"(try simp only [{', '.join(other)}] at {member}); " if other else ""
    ways = ["omega", f"(rw [{about}] at {member}; {unfold}first | omega | grind)"]
    if "∣" in known.description:
        ways.insert(0, f"(have := Nat.le_of_dvd (by decide) (({about} _).1 {member}); omega)")
    index = f"⟨({n} + {source.shift}).toNat, by omega, by omega⟩"
    inside = f"first | exact {bound} {holds} | (have := {bound} {holds}; exact {index})"
    ends = [f"(rw [{same}.{by}]; {how})" for by in ("length_eq", "sum_nat") for how in ("decide", "decide +kernel")]
    lines = [
        f"have {bound} : ∀ {n}, {n} ∈ {s} → {source.bound} := by",
        f"  intro {n} {member}",
        f"  first | {' | '.join(ways)}",
        f"have {same} : {s}.Perm (({source.text}).filter (fun {n} : {element} => decide ({known.description}))) := by",
        f"  rw [List.perm_iff_count]; intro {n}",
        f"  rw [List.Nodup.count {known.distinct.name}, List.Nodup.count (List.Pairwise.filter _ {source.unique})]",
        f"  have {bound} := {bound} {n}",
        f"  have {member} := {about} {n}",
        "  simp only [List.mem_filter, List.mem_range, List.mem_map, decide_eq_true_eq]",
        "  congr 1",
        # A cast that Lean prints as an arrow may be read as none: then `omega` goes from the one to the other.
        f"  exact propext ⟨fun {holds} => ⟨by {inside}, by {_given(f'{member}.1 {holds}')}⟩,",
        f"    fun {holds} => {member}.2 (by {_given(f'{holds}.2')})⟩",
        f"first | {' | '.join(ends)}",
    ]
    return "\n".join(lines)


def _given(proof: str) -> str:
    return f"first | exact {proof} | (have := {proof}; omega)"

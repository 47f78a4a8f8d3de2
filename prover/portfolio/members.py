"""A list without duplicates of which one knows the members (`∀ n, n ∈ S ↔ P n`): it is a range, filtered, up to order."""

import re

from prover.portfolio.features import Fact, Features, Variable
from prover.portfolio.rule import Suggestion
from prover.portfolio.shape import shape, strip_brackets

_LARGEST_RANGE = 2000


def members(goal: Features) -> list[Suggestion]:
    """Two steps: bound the members by a numeral, then put the filtered range in the place of the list."""
    found: list[Suggestion] = []
    for variable in goal.variables:
        fact = _description(goal, variable)
        distinct = next((f for f in goal.facts if f.text == f"{variable.name}.Nodup"), None)
        if fact is None or distinct is None or not goal.mentions(variable.name):
            continue
        if variable.type == "List Nat":
            found += _in_a_range(goal, variable, fact, distinct)
        elif variable.type == "List Int":
            found += _around_zero(goal, variable, fact, distinct)
    return found


def _description(goal: Features, variable: Variable) -> Fact | None:
    """The fact `∀ n, n ∈ S ↔ ...` about this list."""
    for fact in goal.facts:
        if fact.shape.head == "∀" and len(fact.shape.binders) == 1:
            body = shape(fact.shape.right)
            if body.head == "↔" and strip_brackets(body.left) == f"{fact.shape.binders[0].name} ∈ {variable.name}":
                return fact
    return None


def _limits(goal: Features, fact: Fact) -> list[int]:
    """Numbers that may bound the members: those of the description, the next larger ones, and a few round ones."""
    numbers = {int(n) + 1 for n in re.findall(r"(?<![\w.^])\d+(?![\w.])", fact.text)} | {n + 1 for n in goal.numerals}
    return sorted({n for n in numbers if 2 < n <= _LARGEST_RANGE})[:6]


def _in_a_range(goal: Features, variable: Variable, fact: Fact, distinct: Fact) -> list[Suggestion]:
    binder, description = fact.shape.binders[0].name, shape(fact.shape.right).right
    return [
        Suggestion(
            _permutation(
                goal, variable, fact, distinct, f"List.range {limit}", "List.nodup_range", binder, description,
                f"{binder} < {limit}",
            ),
            5.0 / (1 + position),
        )
        for position, limit in enumerate(_limits(goal, fact))
    ]  # fmt: skip


def _around_zero(goal: Features, variable: Variable, fact: Fact, distinct: Fact) -> list[Suggestion]:
    binder, description = fact.shape.binders[0].name, shape(fact.shape.right).right
    found = []
    for position, limit in enumerate(n for n in _limits(goal, fact) + [30, 100] if n <= 200):
        source = f"(List.range {2 * limit + 1}).map (fun k : Nat => (k : Int) - {limit})"
        bound = f"-{limit} ≤ {binder} ∧ {binder} ≤ {limit}"
        script = _permutation(goal, variable, fact, distinct, source, "(by decide)", binder, description, bound)
        found.append(Suggestion(script, 3.0 / (1 + position)))
    return found


def _permutation(
    goal: Features, variable: Variable, fact: Fact, distinct: Fact, source: str, unique: str, binder: str,
    description: str, bound: str,
) -> str:  # fmt: skip
    s, p = variable.name, goal.fresh("hp")
    element = variable.type.split(" ", 1)[1]
    computed = " | ".join(
        f"(rw [{p}.{lemma}]; {how})" for lemma in ("length_eq", "sum_nat") for how in ("decide", "decide +kernel")
    )
    dividing = f"(have := Nat.le_of_dvd (by decide) (({fact.name} _).1 hm); omega)" if "∣" in description else "omega"
    others = " ".join(f.name for f in goal.facts if f.name not in (fact.name, distinct.name) and f.shape.head == "∀")
    unfold = f"try simp only [{others.replace(' ', ', ')}] at hm\n    " if others else ""
    return (
        f"have hb : ∀ {binder}, {binder} ∈ {s} → {bound} := by\n"
        f"  intro {binder} hm\n"
        f"  first | {dividing} | (rw [{fact.name}] at hm; {unfold.strip() + '; ' if unfold else ''}first | omega | grind)\n"
        f"have {p} : {s}.Perm (({source}).filter (fun {binder} : {element} => decide ({description}))) := by\n"
        f"  rw [List.perm_iff_count]; intro {binder}\n"
        f"  rw [List.Nodup.count {distinct.name}, List.Nodup.count (List.Pairwise.filter _ {unique})]\n"
        f"  have hb := hb {binder}\n"
        f"  have hm := {fact.name} {binder}\n"
        f"  simp only [List.mem_filter, List.mem_range, List.mem_map, decide_eq_true_eq]\n"
        f"  congr 1\n"
        f"  exact propext ⟨fun h => ⟨by first | exact hb h | (have := hb h; exact ⟨({binder} + {_half(source)}).toNat, by omega, by omega⟩),"
        f" hm.1 h⟩, fun h => hm.2 h.2⟩\n"
        f"first | {computed}"
    )


def _half(source: str) -> str:
    match = re.search(r"- (\d+)\)", source)
    return match.group(1) if match else "0"

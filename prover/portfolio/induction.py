"""Inductions and case distinctions on recursive data: numbers, lists, and proofs of `a ≤ n`.

New names are spelled out (`| succ n ih => ?_`), because no later tactic can mention a name that Lean made up.
"""

import re

from prover.portfolio.features import Features, Variable
from prover.portfolio.rule import Suggestion


def inductions(goal: Features) -> list[Suggestion]:
    """One way to go by induction for every variable that the target is about, plain and generalising the others."""
    found: list[Suggestion] = []
    for variable in goal.variables:
        in_target, in_facts = goal.mentions(variable.name), bool(goal.facts_about(variable.name))
        if not in_target and not in_facts:
            continue
        favour = 1.0 if in_target else 0.25
        if variable.type == "Nat":
            found += _on_number(goal, variable, favour)
        elif variable.type.startswith("List "):
            found += _on_list(goal, variable, favour)
    return found + _on_order(goal)


def _on_number(goal: Features, variable: Variable, favour: float) -> list[Suggestion]:
    n, ih = variable.name, goal.fresh("ih")
    alternatives = f"with | zero => ?_ | succ {n} {ih} => ?_"
    # A proof about powers, sums or a function given by its next value goes by induction; about `n / 2 * 2` it does not.
    if goal.symbols & {"^"} or goal.words & {"sum", "range", "range'", "foldl", "replicate"} or _has_recurrence(goal):
        favour *= 2.5
    found = [Suggestion(f"induction {n} {alternatives}", 2.0 * favour)]
    if others := _generalised(goal, variable):
        found.append(Suggestion(f"induction {n} generalizing {others} {alternatives}", 0.7 * favour))
    found.append(Suggestion(f"rcases {n} with _ | {n}", 0.8 * favour))
    found.append(Suggestion(f"induction {n} using Nat.strongRecOn with | ind {n} {ih} => ?_", 0.3 * favour))
    return found


def _on_list(goal: Features, variable: Variable, favour: float) -> list[Suggestion]:
    xs, ih = variable.name, goal.fresh("ih")
    x = goal.fresh(xs[:-1] if len(xs) > 1 and xs.endswith("s") else "x")
    alternatives = f"with | nil => ?_ | cons {x} {xs} {ih} => ?_"
    found = [Suggestion(f"induction {xs} {alternatives}", 4.0 * favour)]
    if others := _generalised(goal, variable):
        found.append(Suggestion(f"induction {xs} generalizing {others} {alternatives}", 2.0 * favour))
    found.append(Suggestion(f"cases {xs} with | nil => ?_ | cons {x} {xs} => ?_", 1.0 * favour))
    return found


def _on_order(goal: Features) -> list[Suggestion]:
    """`h : 4 ≤ n`: induction on it begins at 4, which an induction on `n` does not."""
    found: list[Suggestion] = []
    numbers = {v.name for v in goal.of_type("Nat") if v.type == "Nat"}
    for fact in goal.facts:
        outer = fact.shape
        low, high = (outer.right, outer.left) if outer.head in ("≥", ">") else (outer.left, outer.right)
        if outer.head in ("≤", "<", "≥", ">") and high in numbers and not re.search(rf"\b{re.escape(high)}\b", low):
            ih = goal.fresh("ih")
            found.append(
                Suggestion(
                    f"induction {fact.name} with | refl => ?_ | @step {high} {fact.name} {ih} => ?_"
                    if outer.head in ("≤", "<")
                    else f"replace {fact.name} : {low} {'<' if outer.head == '>' else '≤'} {high} := {fact.name}",
                    1.2 if outer.head in ("≤", "<") else 0.5,
                )
            )
    return found


def _generalised(goal: Features, variable: Variable) -> str:
    """The other data of the target, for `generalizing`: an accumulator has to vary while the list shrinks."""
    same = [v for v in goal.variables if v.name != variable.name and goal.mentions(v.name)]
    return " ".join(v.name for v in same if v.type in ("Nat", "Int") or v.type.startswith("List"))


def _has_recurrence(goal: Features) -> bool:
    return any(fact.shape.head == "∀" and re.search(r"\(\w+ \+ \d+\)", fact.text) for fact in goal.facts)

"""What a goal becomes, as far as a tactic's text tells: for those who write on without asking Lean.

It may be wrong, and knows little: what it cannot follow leaves the goal as it was.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from prover.portfolio.features import Fact, Features, Variable
from prover.portfolio.shape import disjuncts, shape

_OBTAIN = re.compile(r"obtain ⟨(.+)⟩ := (\S+)")
_RCASES = re.compile(r"rcases (\S+) with (\w+(?: \| \w+)+)")
_INDUCTION = re.compile(r"(induction|cases) .*?\| (?:succ|cons|some) ([^=|]+) => \?_")
_HAVE = re.compile(r"have (?:(\w+) )?:= (\S+) (.+)")
_WITNESS = re.compile(r"refine ⟨(.+), \?_⟩")
_ENDS = re.compile(r"(omega|grind|simp|simp_all|rfl|decide|assumption|contradiction|exact)(?!\w)")


def imagined(goal: Features, tactic: str) -> Features:
    """The first goal after `tactic`, and how many there are, if the tactic works."""
    if tactic.startswith("intro ") and "\n" not in tactic:
        return _introduced(goal, tactic.split()[1:])
    if tactic in ("refine ⟨?_, ?_⟩", "constructor") and goal.shape.head == "∧":
        return replace(goal, target=goal.shape.left, goals=goal.goals + 1)
    if tactic in ("left", "right") and goal.shape.head == "∨":
        return replace(goal, target=goal.shape.left if tactic == "left" else goal.shape.right)
    if (match := _WITNESS.fullmatch(tactic)) and goal.shape.head == "∃" and len(goal.shape.binders) == 1:
        return replace(goal, target=_put_in(goal.shape.right, goal.shape.binders[0].name, match.group(1)))
    if match := _OBTAIN.fullmatch(tactic):
        return _taken_apart(goal, match.group(2), match.group(1).split(", "))
    if match := _RCASES.fullmatch(tactic):
        return _split(goal, match.group(1), match.group(2).split(" | "))
    if match := _INDUCTION.match(tactic):
        *_, hypothesis = match.group(2).split()
        more = [Fact(hypothesis, goal.target)] if match.group(1) == "induction" else []
        return _with(replace(goal, goals=goal.goals + 1), facts=more)
    if match := _HAVE.fullmatch(tactic):
        return _instance(goal, match.group(1) or "this", match.group(2), match.group(3))
    if _ENDS.match(tactic) and goal.goals > 1:
        return replace(goal, goals=goal.goals - 1)
    return goal


def _introduced(goal: Features, names: Sequence[str]) -> Features:
    waiting = list(names)
    variables: list[Variable] = []
    facts: list[Fact] = []
    text = goal.target
    while waiting:
        outer = shape(text)
        text = outer.right
        match outer.head:
            case "∀":
                for binder in outer.binders:
                    if not waiting:
                        return goal
                    name = waiting.pop(0)
                    text = _put_in(text, binder.name, name)
                    variables.append(Variable(name, binder.type))
                    if binder.predicate and waiting:
                        waiting.pop(0)  # nobody said what it is
            case "→":
                facts.append(Fact(waiting.pop(0), outer.left))
            case "¬":
                facts.append(Fact(waiting.pop(0), outer.right))
                text = "False"
            case "≠":
                facts.append(Fact(waiting.pop(0), f"{outer.left} = {outer.right}"))
                text = "False"
            case _:
                return goal
    return _with(replace(goal, target=text), variables, facts)


def _taken_apart(goal: Features, name: str, names: Sequence[str]) -> Features:
    fact = next((fact for fact in goal.facts if fact.name == name), None)
    if fact is None:
        return goal
    outer, rest = fact.shape, replace(goal, facts=tuple(f for f in goal.facts if f is not fact))
    if outer.head == "∧" and len(names) == 2:
        return _with(rest, facts=[Fact(names[0], outer.left), Fact(names[1], outer.right)])
    if outer.head == "∃" and len(names) == len(outer.binders) + 1:
        body = outer.right
        for binder, new in zip(outer.binders, names, strict=False):
            body = _put_in(body, binder.name, new)
        about = [] if names[-1] == "rfl" else [Fact(names[-1], body)]
        return _with(rest, [Variable(new, b.type) for b, new in zip(outer.binders, names, strict=False)], about)
    return goal


def _split(goal: Features, name: str, names: Sequence[str]) -> Features:
    fact = next((fact for fact in goal.facts if fact.name == name), None)
    if fact is None:
        return replace(goal, goals=goal.goals + len(names) - 1)
    rest = replace(goal, facts=tuple(f for f in goal.facts if f is not fact), goals=goal.goals + len(names) - 1)
    return _with(rest, facts=[Fact(names[0], disjuncts(fact.text)[0])])


def _instance(goal: Features, name: str, of: str, term: str) -> Features:
    fact = next((fact for fact in goal.facts if fact.name == of), None)
    if fact is None or fact.shape.head not in ("∀", "→") or len(fact.shape.binders) > 1:
        return goal
    body = fact.shape.right
    return _with(
        goal, facts=[Fact(name, _put_in(body, fact.shape.binders[0].name, term) if fact.shape.binders else body)]
    )


def _put_in(text: str, name: str, term: str) -> str:
    written = term if term.isalnum() or term.startswith("(") else f"({term})"
    return re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w'])", lambda _: written, text)


def _with(goal: Features, variables: Sequence[Variable] = (), facts: Sequence[Fact] = ()) -> Features:
    names = goal.names | {v.name for v in variables} | {fact.name for fact in facts}
    return replace(goal, variables=(*goal.variables, *variables), facts=(*goal.facts, *facts), names=names)

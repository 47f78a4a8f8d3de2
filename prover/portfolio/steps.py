"""Logical steps: what the outermost symbol of the target or of a fact invites to do."""

import re

from prover.portfolio.features import Fact, Features, Variable
from prover.portfolio.rule import Suggestion
from prover.portfolio.shape import Shape, disjuncts, shape

_MANY_INTROS = 12


def steps(goal: Features) -> list[Suggestion]:
    """Steps on the target, then on the facts, then splits on what is neither."""
    found = _target_steps(goal)
    # Taking facts apart loses nothing, so the order does not matter: one at a time, the first that can be.
    apart = [steps for fact in goal.facts if (steps := _taking_apart(goal, fact))]
    found += apart[0] if apart else []
    for fact in goal.facts:
        found += _fact_steps(goal, fact)
    return found + _splits(goal)


def _target_steps(goal: Features) -> list[Suggestion]:
    head, outer = goal.shape.head, goal.shape
    found: list[Suggestion] = []
    if names := intro_names(goal):
        found.append(Suggestion("intro " + " ".join(names), 25.0))
        if len(names) > 1:
            found.append(Suggestion(f"intro {names[0]}", 0.3))
    if head == "∧":
        found.append(Suggestion("refine ⟨?_, ?_⟩", 12.0))
    elif head == "↔":
        found.append(Suggestion("constructor", 8.0))
    elif head == "∨":
        found += [Suggestion("left", 1.5), Suggestion("right", 1.5)]
        found.append(Suggestion("false_or_by_contra", 0.4))
    elif head == "∃":
        found += _witnesses(goal)
    elif head == "=":
        found += _equation_steps(goal, outer)
    elif head in ("≤", "<") and " * " in outer.left and " * " in outer.right:
        found.append(Suggestion("refine Nat.mul_le_mul ?_ ?_", 0.6))
    elif head == "False":
        found += [Suggestion("simp at *", 0.5)]
    elif head == "term":
        found.append(Suggestion("constructor", 0.3))
    if head not in ("False", "∀", "→", "¬", "∃", "∧", "↔"):
        found.append(Suggestion("false_or_by_contra", 0.3))
    found += [Suggestion(f"unfold {name}", 0.5) for name in goal.definitions if name in goal.target_words]
    return found


def _equation_steps(goal: Features, outer: Shape) -> list[Suggestion]:
    found = [Suggestion("congr 1", 0.2)]
    if "fun" in goal.target_words or "→" in goal.target or _is_function(goal, outer.left):
        found.append(Suggestion(f"funext {goal.fresh('x')}", 2.0))
    if goal.types & {"List", "Array", "Set"} and _is_list(goal, outer.left):
        found.append(Suggestion(f"ext {goal.fresh('i')}", 0.3))
    return found


def _is_function(goal: Features, side: str) -> bool:
    return any(v.name == side and "→" in v.type for v in goal.variables)


def _is_list(goal: Features, side: str) -> bool:
    return any(side.startswith(v.name) for v in goal.of_type("List", "Array"))


def intro_names(goal: Features) -> list[str]:
    """Fresh names for all that `intro` can take at once: bound names as they are, `h`, `h1`, ... for facts."""
    names: list[str] = []
    text = goal.target
    while len(names) < _MANY_INTROS:
        outer = shape(text)
        if outer.head == "∀":
            for binder in outer.binders:
                wanted = binder.name if binder.name.replace("_", "").isalnum() and "✝" not in binder.name else "x"
                names.append(goal.fresh(wanted, frozenset(names)))
                if binder.predicate:
                    names.append(goal.fresh("h", frozenset(names)))
            text = outer.right
        elif outer.head in ("→", "¬"):
            names.append(goal.fresh("h", frozenset(names)))
            text = outer.right if outer.head == "→" else ""
        elif outer.head == "≠" and not names:
            return [goal.fresh("h")]
        else:
            break
    return names


def _witnesses(goal: Features) -> list[Suggestion]:
    """Terms to try for `∃ x, ...`: variables of its type, small numbers, and simple terms made of them."""
    binder = goal.shape.binders[0]
    found = [Suggestion("refine ⟨_, rfl⟩", 0.8), Suggestion("simp_all", 0.3)]
    same = [v.name for v in goal.variables if not binder.type or v.type == binder.type]
    terms = list(same)
    if binder.type in ("Nat", "Int", "Rat", ""):
        terms += ["0", "1", "2", *(str(n) for n in goal.numerals[:4] if n > 2)]
        terms += [f"{name} + 1" for name in same[:3]] + [f"2 * {name}" for name in same[:2]]
        terms += [f"{a} + {b}" for a in same[:3] for b in same[:3] if a < b]
        terms += [f"{a} * {b}" for a in same[:3] for b in same[:3] if a <= b]
        terms += [f"2 * {name} + {n}" for name in same[:1] for n in (1, 2)]
    elif binder.type == "Bool":
        terms += ["true", "false"]
    elif binder.type.startswith("List"):
        terms += ["[]"]
    elif binder.type.startswith("Option"):
        terms += ["none"]
    weight = 6.0 / max(6, len(terms))
    found += _solved_for(goal)
    return found + [Suggestion(f"refine ⟨{term}, ?_⟩", weight) for term in dict.fromkeys(terms)]


_LINEAR = re.compile(r"^(?:(\d+) \* )?(\w+)(?: \+ (\d+))?$")


def _solved_for(goal: Features) -> list[Suggestion]:
    """`∃ k, e = 3 * k + 2` solved for k: the witness is `(e - 2) / 3`, and `omega` knows why."""
    binders, body = goal.shape.binders, shape(goal.shape.right)
    if len(binders) != 1 or body.head != "=":
        return []
    for side, term in ((body.right, body.left), (body.left, body.right)):
        match = _LINEAR.match(side)
        if match and match.group(2) == binders[0].name:
            moved = f"({term} - {match.group(3)})" if match.group(3) else f"({term})"
            witness = f"{moved} / {match.group(1)}" if match.group(1) else moved
            return [
                Suggestion(f"exact ⟨{witness}, by omega⟩", 4.0),
                Suggestion(f"refine ⟨{witness}, ?_⟩", 0.5),
            ]
    return []


def _taking_apart(goal: Features, fact: Fact) -> list[Suggestion]:
    """Steps on a fact that lose nothing: what is behind them can be proved if and only if this can."""
    outer, name = fact.shape, fact.name
    variables = {v.name for v in goal.variables}
    if outer.head == "∧":
        second = goal.fresh(name + "'" if name == "h" else name + "r")
        return [Suggestion(f"obtain ⟨{name}, {second}⟩ := {name}", 8.0)]
    if outer.head == "∨":
        return [Suggestion(f"rcases {name} with " + " | ".join([name] * len(disjuncts(fact.text))), 8.0)]
    if outer.head == "∃":
        names = [goal.fresh(binder.name) for binder in outer.binders]
        names += [goal.fresh("h", frozenset(names))] if any(binder.predicate for binder in outer.binders) else []
        body = shape(outer.right)
        free = variables - {binder.name for binder in outer.binders}
        gone = body.head == "=" and (body.left in free or body.right in free)
        return [Suggestion(f"obtain ⟨{', '.join([*names, 'rfl' if gone else name])}⟩ := {name}", 15.0)]
    if outer.head == "=" and (outer.left in variables or outer.right in variables):
        return [Suggestion(f"subst {name}", 5.0)]
    return []


def _fact_steps(goal: Features, fact: Fact) -> list[Suggestion]:
    outer, name = fact.shape, fact.name
    match outer.head:
        case "↔":
            second = goal.fresh(name + "r")
            return [Suggestion(f"obtain ⟨{name}, {second}⟩ := {name}", 0.8), Suggestion(f"rw [{name}]", 0.5)]
        case "=":
            return _equation_fact(goal, fact)
        case "∣":
            return [Suggestion(f"obtain ⟨{goal.fresh('k')}, {name}⟩ := {name}", 1.0)]
        case "→" | "∀":
            return _implication_fact(goal, fact)
        case "¬" | "≠":
            return [
                Suggestion(f"exact absurd ‹_› {name}", 0.1),
                Suggestion(f"apply {name}", 0.2 + (goal.target == "False")),
            ]
        case _:
            return []


def _equation_fact(goal: Features, fact: Fact) -> list[Suggestion]:
    names = {v.name for v in goal.variables}
    if fact.shape.left in names or fact.shape.right in names:
        return []
    found = [Suggestion(f"rw [{fact.name}]", 0.4), Suggestion(f"rw [← {fact.name}]", 0.2)]
    return [*found, Suggestion(f"injection {fact.name}", 0.1)] if "::" in fact.text or "some" in fact.text else found


def _implication_fact(goal: Features, fact: Fact) -> list[Suggestion]:
    """Use it backwards, or forwards on what the context offers."""
    body = fact.shape
    while body.head in ("∀", "→"):
        body = shape(body.right)
    found = [Suggestion(f"apply {fact.name}", 0.8)]
    if body.head in ("=", "↔"):
        found += [Suggestion(f"rw [{fact.name}]", 0.8), Suggestion(f"simp only [{fact.name}] at *", 0.4)]
    if fact.shape.head == "→":
        found += [
            Suggestion(f"have {goal.fresh('h')} := {fact.name} {other.name}", 1.5)
            for other in goal.facts
            if other.text == fact.shape.left
        ]
        found.append(Suggestion(f"replace {fact.name} := {fact.name} (by assumption)", 0.4))
    elif len(fact.shape.binders) == 1:
        wanted = fact.shape.binders[0].type
        suited = [v for v in goal.variables if v.type == wanted or not wanted][:4]
        terms = [v.name for v in suited] + (["0", "1"] if wanted in ("Nat", "Int", "Rat") else [])
        found += [Suggestion(f"have {goal.fresh('h')} := {fact.name} {term}", 0.25) for term in terms]
    return found


def _splits(goal: Features) -> list[Suggestion]:
    """Case distinctions on `if`, `match`, data without recursion, and undecided propositions."""
    found: list[Suggestion] = []
    if {"if", "match"} & goal.target_words:
        found.append(Suggestion("split", 4.0))
    for fact in goal.facts:
        if "if " in fact.text or "match " in fact.text:
            found.append(Suggestion(f"split at {fact.name}", 1.5))
    for variable in goal.variables:
        found += _split_on(goal, variable)
    propositions = [v.name for v in goal.of_type("Prop") if v.type == "Prop" and v.name in goal.words]
    known = {fact.text for fact in goal.facts}
    for name in propositions:
        if name not in known and f"¬{name}" not in known:
            found.append(Suggestion(f"by_cases {goal.fresh('h' + name)} : {name}", 1.0))
    numbers = [v for v in goal.of_type("Nat", "Int", "Rat") if goal.mentions(v.name)]
    if numbers and (goal.shape.head in ("∃", "∨") or {"min", "max"} & goal.words):
        for i, a in enumerate(numbers[:3]):
            for b in numbers[i + 1 : 3]:
                if a.type == b.type:
                    h = goal.fresh("h")
                    found.append(Suggestion(f"rcases {a.type}.le_total {a.name} {b.name} with {h} | {h}", 2.0))
    return found


def _split_on(goal: Features, variable: Variable) -> list[Suggestion]:
    x = variable.name
    used = goal.mentions(x) or bool(goal.facts_about(x))
    kind = variable.type.split(" ", 1)[0]
    if not used:
        return []
    if kind == "Bool" and "→" not in variable.type:
        return [Suggestion(f"cases {x}", 2.0)]
    if variable.type == "Bool → Bool":
        first, second = goal.fresh("h" + x), goal.fresh("h" + x + "1")
        return [Suggestion(f"cases {first} : {x} true <;> cases {second} : {x} false <;> simp_all", 2.0)]
    if kind == "Option":
        inner = goal.fresh("a")
        return [Suggestion(f"cases {x} with | none => ?_ | some {inner} => ?_", 2.5)]
    if "×" in variable.type and "→" not in variable.type:
        return [Suggestion(f"obtain ⟨{goal.fresh(x + '1')}, {goal.fresh(x + '2')}⟩ := {x}", 2.0)]
    if kind == "Fin":
        value, bound = goal.fresh(x + "v"), goal.fresh("h" + x)
        return [Suggestion(f"obtain ⟨{value}, {bound}⟩ := {x}", 0.8)]
    return []

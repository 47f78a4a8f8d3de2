"""Templates: scripts that unfold, split and compute what a goal is made of, filled in with the goal's own names.

Wider than the portfolio's rules and blinder: a hundred and more for a goal, few of which it needs. `--policy templates`
is for finding proofs to learn from, where there is time to try them all; none of the templates knows a theorem.
"""

import re
from collections.abc import Iterator, Sequence

from prover.portfolio.features import Features, Variable
from prover.portfolio.rule import Suggestion

_CONSTANT = re.compile(r"(?<![\w.])[A-Z]\w*(?:\.\w+[?!']*)+")
_FIELD = re.compile(
    r"(?:(?<![\w.])(?P<receiver>[^\W\d]\w*)|[)\]}])\.(?P<field>[a-z]\w*[?!']*)(?P<more>(?:\.[a-z]\w*[?!']*)*)"
)
_CONDITION = re.compile(r"\bif ([^()]*?) then\b")
_BITWISE = frozenset(("&&&", "|||", "^^^", "<<<", ">>>"))
_PROJECTIONS = frozenset(("fst", "snd", "val", "isLt", "toList", "toArray", "property", "toBitVec", "toNat", "toInt"))
_CONVERSIONS = {"toList": "List", "toArray": "Array"}
_BY_CASES = frozenset(
    ("List", "Array", "Vector", "Option", "Nat", "Bool", "Fin", "Prod", "Sum", "Int", "Char", "Except", "Subtype")
)
_BY_INDUCTION = frozenset(("List", "Nat"))
_CONSTANTS, _VARIABLES = 6, 3  # of a goal that templates are filled with
# Of each type, what makes an equation of two of its values one of their parts.
_EXTENSIONALITY = {
    "List": ("apply List.ext_getElem", "apply List.ext_getElem?"),
    "Array": ("apply Array.ext", "apply Array.ext'", "apply Array.toList_inj.1"),
    "Vector": ("apply Vector.toArray_inj.1", "apply Vector.ext"),
    "BitVec": ("apply BitVec.eq_of_toNat_eq", "apply BitVec.eq_of_getLsbD_eq"),
    "Fin": ("apply Fin.ext",),
    "Bool": ("apply Bool.eq_iff_iff.2",),
    "Option": ("apply Option.ext",),
    **{
        f"{sign}{size}": (f"apply {sign}{size}.toBitVec_inj.1",) for sign in ("UInt", "Int") for size in (8, 16, 32, 64)
    },
    "USize": ("apply USize.toBitVec_inj.1",),
    "ISize": ("apply ISize.toBitVec_inj.1",),
}


def templates(goal: Features) -> list[Suggestion]:
    """The templates, filled in, as a rule; each begins with a way to take the goal apart, or with none."""
    defined = constants(goal)
    return [
        Suggestion(" <;> ".join(part for part in (start, end) if part), favour * weight)
        for start, favour in _starts(goal, defined)
        for end, weight in _ends(goal, defined)
        if start or end
    ]


def _starts(goal: Features, defined: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Ways to take a goal apart, each with a weight; the empty one leaves it as it is."""
    yield "", 2.0
    outer = goal.shape.head
    if outer in ("→", "∀", "¬", "≠"):
        yield "intros", 1.0
    if outer == "↔":
        yield "constructor", 0.7
    if {"if", "match"} & goal.target_words:
        yield "split", 0.8
    if outer == "=":
        if "fun" in goal.target_words:
            yield "funext", 0.3
        yield "ext", 0.5
        if goal.types & {"Prop"} or {"True", "False"} & goal.target_words:
            yield "apply propext", 0.5
        if goal.symbols & _BITWISE:
            yield "apply Nat.eq_of_testBit_eq", 0.3
        for kind, scripts in _EXTENSIONALITY.items():
            if kind in goal.types or any(name.startswith(kind + ".") for name in defined):
                yield from ((script, 0.4) for script in scripts)
    mentioned = [v for v in goal.variables if goal.mentions(v.name)]
    for fact in goal.facts[-_VARIABLES:]:
        yield f"cases {fact.name}", 0.4
        if fact.shape.head == "term":
            yield f"induction {fact.name}", 0.5
    for proposition in _propositions(goal)[:2]:
        yield f"by_cases {proposition}", 0.4
    data = [v for v in mentioned if _head(v) in _BY_CASES][:_VARIABLES]
    for variable in data:
        yield f"cases {variable.name}", 0.8
        if _head(variable) in _BY_INDUCTION:
            others = " ".join(v.name for v in mentioned if v is not variable and "→" not in v.type)
            yield f"induction {variable.name}", 0.8
            if others:
                yield f"induction {variable.name} generalizing {others}", 0.5
    if len(arrays := [v.name for v in data if _head(v) in ("Array", "Prod", "Option", "Bool")]) > 1:
        yield " <;> ".join(f"cases {name}" for name in arrays), 0.8
    for name in defined[:2]:
        yield f"fun_induction {name}", 0.4
        yield f"unfold {name}", 0.4


def _propositions(goal: Features) -> list[str]:
    """What a proof by cases could be about: propositions that are variables, and conditions of `if`."""
    named = [v.name for v in goal.variables if v.type == "Prop" and goal.mentions(v.name)]
    return [*named, *(f"{goal.fresh('hc')} : {condition}" for condition in _CONDITION.findall(goal.target))]


def _ends(goal: Features, defined: Sequence[str]) -> Iterator[tuple[str, float]]:
    """What is left, handed to automation; the empty one leaves it for the next step."""
    yield "", 0.3
    yield "simp", 1.0
    yield "simp_all", 1.0
    yield "grind", 0.7
    yield "rfl", 0.3
    if goal.has_arithmetic:
        yield "omega", 0.3
    if defined:
        every = ", ".join(defined)
        yield f"simp [{every}]", 0.8
        yield f"simp_all [{every}]", 0.8
        yield f"grind [{every}]", 0.5
        if len(defined) > 1:
            yield from ((f"simp_all [{name}]", 0.3) for name in defined[:3])


def constants(goal: Features) -> list[str]:
    """What the target applies, by its full name as far as that can be told from the text: `xs.map f` is `List.map`."""
    kinds = {v.name: _head(v) for v in goal.variables}
    inner = next((kind for kind in kinds.values() if kind in _EXTENSIONALITY), "")
    found = [(match.start(), match[0]) for match in _CONSTANT.finditer(goal.target)]
    for match in _FIELD.finditer(goal.target):
        kind = kinds.get(match["receiver"], "") if match["receiver"] else inner
        for field in (match["field"] + match["more"]).split("."):
            if kind and field not in _PROJECTIONS:
                found.append((match.start("field"), f"{kind}.{field}"))
            kind = _CONVERSIONS.get(field, kind)
    return list(dict.fromkeys(name for _, name in sorted(found, key=lambda each: each[0])))[:_CONSTANTS]


def _head(variable: Variable) -> str:
    """The head of a variable's type."""
    return variable.type.split(" ", 1)[0]

"""What a goal looks like, as plain data: the rules of the portfolio read this and nothing else."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from lean_env.goal import Goal
from prover.lean_text import Token, code_tokens
from prover.portfolio.shape import Shape, conjuncts, shape

_DATA_TYPE = re.compile(
    r"^(Nat|Int|Rat|Bool|Char|String|Unit|Float|Fin|BitVec|UInt\d+|List|Array|Option|Prod|Sum|Type|Sort)\b"
)
_PROPOSITION = re.compile(r"[=≠<≤>≥∣∈∉∀∃∧∨¬↔]|\b(False|True|Nodup|Perm|Even|Odd)\b")
_FINITE_BOUND = 200


@dataclass(frozen=True)
class Variable:
    """A hypothesis that is data: a number, a list, a function."""

    name: str
    type: str


@dataclass(frozen=True)
class Fact:
    """A hypothesis that is a proposition."""

    name: str
    text: str

    @cached_property
    def shape(self) -> Shape:
        return shape(self.text)


@dataclass(frozen=True)
class Interval:
    """Numerals that bound a variable from both sides, both included."""

    variable: Variable
    low: int
    high: int


@dataclass(frozen=True)
class Features:
    """One goal, read. `hidden` are hypotheses with names that a tactic cannot mention (`n✝`)."""

    target: str
    variables: tuple[Variable, ...] = ()
    facts: tuple[Fact, ...] = ()
    hidden: int = 0
    definitions: tuple[str, ...] = ()
    lemmas: tuple[str, ...] = ()
    goals: int = 1
    names: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def shape(self) -> Shape:
        return shape(self.target)

    @cached_property
    def target_tokens(self) -> tuple[Token, ...]:
        return tuple(code_tokens(self.target))

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """Those of the target and of all facts."""
        return (*self.target_tokens, *(token for fact in self.facts for token in code_tokens(fact.text)))

    @cached_property
    def words(self) -> frozenset[str]:
        """Every name, and every part of a dotted name, in the target and the facts."""
        return frozenset(part for token in self.tokens if token.kind == "name" for part in _parts(token.text))

    @cached_property
    def target_words(self) -> frozenset[str]:
        return frozenset(part for token in self.target_tokens if token.kind == "name" for part in _parts(token.text))

    @cached_property
    def symbols(self) -> frozenset[str]:
        return frozenset(token.text for token in self.tokens if token.kind == "symbol")

    @cached_property
    def numerals(self) -> tuple[int, ...]:
        """The distinct whole numbers of the target and the facts, in the order in which they appear."""
        return tuple(dict.fromkeys(int(token.text) for token in self.tokens if token.text.isdecimal()))

    @property
    def types(self) -> frozenset[str]:
        """Head symbols of the types of the variables."""
        return frozenset(word for v in self.variables for word in re.findall(r"[A-Z][\w.]*", v.type)[:1])

    @property
    def is_closed(self) -> bool:
        """Whether the target mentions no hypothesis, so that it can be computed."""
        return not self.target_words & self.names and "✝" not in self.target

    @property
    def has_arithmetic(self) -> bool:
        """Whether there is anything for `omega`: Nat or Int, or numerals with an order or a divisibility."""
        numbers = {"Nat", "Int", "Fin"} & (self.types | self.words) or self.numerals
        return bool(numbers) and (
            self.target == "False" or bool(self.symbols & {"=", "≠", "<", "≤", ">", "≥", "∣", "%"})
        )

    @property
    def has_rationals(self) -> bool:
        return any("Rat" in variable.type for variable in self.variables) or "Rat" in self.words

    def of_type(self, *types: str) -> list[Variable]:
        """Variables whose type is one of `types`, alone or applied to something."""
        return [v for v in self.variables if v.type in types or v.type.split(" ", 1)[0] in types]

    def mentions(self, name: str) -> bool:
        return name in self.target_words

    def facts_about(self, name: str) -> list[Fact]:
        return [
            fact
            for fact in self.facts
            if any(t.kind == "name" and name in _parts(t.text) for t in code_tokens(fact.text))
        ]

    @cached_property
    def atoms(self) -> tuple[str, ...]:
        """The facts with their conjunctions taken apart."""
        return tuple(part for fact in self.facts for part in conjuncts(fact.text))

    @cached_property
    def moduli(self) -> tuple[int, ...]:
        """Numbers that something is divided by: `e % 7`, `7 ∣ e`."""
        found = []
        for left, right in zip(self.tokens, self.tokens[1:], strict=False):
            if left.text == "%" and right.text.isdecimal():
                found.append(int(right.text))
            elif right.text == "∣" and left.text.isdecimal():
                found.append(int(left.text))
        return tuple(dict.fromkeys(m for m in found if m > 1))

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """Variables in Nat or Int that facts bound by numerals, the narrowest first."""
        found = []
        for variable in self.of_type("Nat", "Int"):
            lows, highs = [0] if variable.type == "Nat" else [], []
            for atom in self.atoms:
                for name, relation, number in _comparisons(atom):
                    if name == variable.name:
                        lows += [number + (relation == ">")] if relation in (">", "≥", "=") else []
                        highs += [number - (relation == "<")] if relation in ("<", "≤", "=") else []
            if lows and highs and 0 <= min(highs) - max(lows) <= _FINITE_BOUND:
                found.append(Interval(variable, max(lows), min(highs)))
        return tuple(sorted(found, key=lambda interval: interval.high - interval.low))

    def fresh(self, wanted: str, taken: frozenset[str] = frozenset()) -> str:
        """`wanted`, or `wanted1`, `wanted2`, ... : the first that names no hypothesis."""
        used = self.names | taken
        if wanted not in used and wanted != "_":
            return wanted
        base = (wanted.rstrip("0123456789✝") if wanted != "_" else "") or "x"
        return next(name for i in range(1, 10_000) if (name := f"{base}{i}") not in used)


def features(goal: Goal, header: str = "", goals: int = 1) -> Features:
    """Reads a goal. `header` is the theorem's: what it defines can be unfolded, what it proves can be used."""
    variables, facts, hidden, names = [], [], 0, set()
    for hypothesis in goal.hypotheses:
        for name in hypothesis.names:
            if "✝" in name or name.startswith("inst"):
                hidden += 1
                continue
            names.add(name)
            kind = _one_line(hypothesis.type)
            if is_proposition(kind, goal):
                facts.append(Fact(name, kind))
            else:
                variables.append(Variable(name, kind))
    definitions, lemmas = _declared(header)
    return Features(
        _one_line(goal.target), tuple(variables), tuple(facts), hidden, definitions, lemmas, goals, frozenset(names)
    )  # fmt: skip


def is_proposition(type_: str, goal: Goal) -> bool:
    """Whether a hypothesis of this type is a fact rather than data. Lean does not print it, so the text has to tell."""
    outer = shape(type_)
    if outer.head in ("→", "∀"):
        return is_proposition(outer.right, goal)
    if outer.head != "term":
        return True
    first = type_.split(" ", 1)[0].strip("()")
    if _DATA_TYPE.match(first):
        return False
    own = {name: hypothesis.type for hypothesis in goal.hypotheses for name in hypothesis.names}
    if first in own:
        return own[first].endswith("Prop")
    return first != "Prop" and (bool(_PROPOSITION.search(type_)) or type_[:1].islower())


def _one_line(text: str) -> str:
    """Lean breaks long lines; rules would rather not know."""
    return " ".join(text.split())


def _declared(header: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the definitions and of the theorems that a header declares."""
    if not header.strip():
        return (), ()
    definitions, lemmas = [], []
    code = code_tokens(header)
    for keyword, name in itertools.pairwise(code):
        if name.kind == "name" and keyword.text in ("def", "abbrev", "instance"):
            definitions.append(name.text)
        elif name.kind == "name" and keyword.text in ("theorem", "lemma", "axiom"):
            lemmas.append(name.text)
    return tuple(definitions), tuple(lemmas)


def _parts(name: str) -> Iterator[str]:
    yield name
    yield from name.split(".") if "." in name else ()


_FLIPPED = {"<": ">", "≤": "≥", ">": "<", "≥": "≤", "=": "="}


def _comparisons(atom: str) -> Iterator[tuple[str, str, int]]:
    """`(x, relation, number)` for an atom that compares a name with a numeral, the name always first."""
    outer = shape(atom)
    if outer.head in _FLIPPED:
        if outer.right.isdecimal():
            yield outer.left, outer.head, int(outer.right)
        elif outer.left.isdecimal():
            yield outer.right, _FLIPPED[outer.head], int(outer.left)
        elif re.fullmatch(r"-\d+", outer.right):
            yield outer.left, outer.head, int(outer.right)
        elif re.fullmatch(r"-\d+", outer.left):
            yield outer.right, _FLIPPED[outer.head], int(outer.left)

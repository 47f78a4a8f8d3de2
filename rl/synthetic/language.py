"""The operators of the language: how Lean writes each of them, and what it means, in Python."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from math import gcd
from typing import Any, Literal

# A value is a truth value, an int, an element of a carrier (an int), a list (a tuple), None or `Some`, or a function.
Value = Any


@dataclass(frozen=True)
class Some:
    """`some value` of an option; `none` is None."""

    value: Value


@dataclass(frozen=True)
class Operator:
    """`text` as Lean writes it. `level` and `side` are Lean's for infix operators: how tightly they bind, and which
    argument may be the same operator without parentheses. A method has the arguments that follow its receiver."""

    kind: Literal["infix", "prefix", "method", "function", "constant"]
    text: str
    meaning: Value  # a function of the arguments; of a constant, its value
    arity: int = 2
    level: int = 0
    side: Literal["left", "right", "none"] = "none"


def _infix(text: str, level: int, side: Literal["left", "right", "none"], meaning: Callable[..., Value]) -> Operator:
    return Operator("infix", text, meaning, 2, level, side)


def _mapped(target: Value, f: Callable[[Value], Value]) -> Value:
    if isinstance(target, tuple):
        return tuple(f(item) for item in target)
    return None if target is None else Some(f(target.value))


def _filtered(target: Value, p: Callable[[Value], Value]) -> Value:
    if isinstance(target, tuple):
        return tuple(item for item in target if p(item))
    return target if target is not None and p(target.value) else None


def _joined(target: Value, f: Callable[[Value], Value]) -> Value:
    return None if target is None else f(target.value)


def _folded(xs: tuple[Value, ...], f: Callable[[Value], Callable[[Value], Value]], start: Value) -> Value:
    return reduce(lambda rest, item: f(item)(rest), reversed(xs), start)


def _folded_left(xs: tuple[Value, ...], f: Callable[[Value], Callable[[Value], Value]], start: Value) -> Value:
    return reduce(lambda rest, item: f(rest)(item), xs, start)


def _truncated(a: int, b: int) -> int:
    return max(0, a - b)


def _divides(a: int, b: int) -> bool:
    return b == 0 if a == 0 else b % a == 0


def _modulo(a: int, b: int) -> int:
    return a if b == 0 else a % abs(b)


def _composed(g: Callable[[Value], Value], f: Callable[[Value], Value]) -> Callable[[Value], Value]:
    return lambda x: g(f(x))


def _first(xs: tuple[Value, ...]) -> Value:
    return Some(xs[0]) if xs else None


def _last(xs: tuple[Value, ...]) -> Value:
    return Some(xs[-1]) if xs else None


# `∸` is the subtraction of natural numbers, which Lean writes as it writes that of integers. `++ [a]` needs a list of
# one element, which is the operator `[·]`. Equations and quantifiers are evaluated in worlds.py.
OPERATORS: dict[str, Operator] = {
    "↔": _infix("↔", 20, "none", operator.eq),
    "→": _infix("→", 25, "right", lambda p, q: not p or q),
    "∨": _infix("∨", 30, "right", lambda p, q: p or q),
    "∧": _infix("∧", 35, "right", lambda p, q: p and q),
    "||": _infix("||", 30, "left", lambda a, b: a or b),
    "&&": _infix("&&", 35, "left", lambda a, b: a and b),
    "=": _infix("=", 50, "none", operator.eq),
    "≠": _infix("≠", 50, "none", operator.ne),
    "≤": _infix("≤", 50, "none", operator.le),
    "<": _infix("<", 50, "none", operator.lt),
    "∣": _infix("∣", 50, "none", _divides),
    "∈": _infix("∈", 50, "none", lambda x, xs: x in xs),
    "∉": _infix("∉", 50, "none", lambda x, xs: x not in xs),
    "+": _infix("+", 65, "left", operator.add),
    "-": _infix("-", 65, "left", operator.sub),
    "∸": _infix("-", 65, "left", _truncated),
    "++": _infix("++", 65, "left", operator.add),
    "::": _infix("::", 67, "right", lambda x, xs: (x, *xs)),
    "*": _infix("*", 70, "left", operator.mul),
    "/": _infix("/", 70, "left", lambda a, b: a // b if b else 0),
    "%": _infix("%", 70, "left", _modulo),
    "^": _infix("^", 75, "right", operator.pow),
    "∘": _infix("∘", 90, "right", _composed),
    "¬": Operator("prefix", "¬", operator.not_, 1, 51),
    "neg": Operator("prefix", "-", operator.neg, 1, 75),
    ".map": Operator("method", "map", _mapped),
    ".filter": Operator("method", "filter", _filtered),
    ".bind": Operator("method", "bind", _joined),
    ".reverse": Operator("method", "reverse", lambda xs: xs[::-1], 1),
    ".length": Operator("method", "length", len, 1),
    ".sum": Operator("method", "sum", sum, 1),
    ".take": Operator("method", "take", lambda xs, n: xs[:n]),
    ".drop": Operator("method", "drop", lambda xs, n: xs[n:]),
    ".foldr": Operator("method", "foldr", _folded, 3),
    ".foldl": Operator("method", "foldl", _folded_left, 3),
    ".all": Operator("method", "all", lambda xs, p: all(p(x) for x in xs)),
    ".any": Operator("method", "any", lambda xs, p: any(p(x) for x in xs)),
    ".head?": Operator("method", "head?", _first, 1),
    ".getLast?": Operator("method", "getLast?", _last, 1),
    ".isEmpty": Operator("method", "isEmpty", lambda xs: not xs, 1),
    ".or": Operator("method", "or", lambda first, second: second if first is None else first),
    ".getD": Operator("method", "getD", lambda o, other: other if o is None else o.value),
    ".isSome": Operator("method", "isSome", lambda o: o is not None, 1),
    ".isNone": Operator("method", "isNone", lambda o: o is None, 1),
    ".toList": Operator("method", "toList", lambda o: () if o is None else (o.value,), 1),
    ".gcd": Operator("method", "gcd", gcd),
    "min": Operator("function", "min", min),
    "max": Operator("function", "max", max),
    "some": Operator("function", "some", Some, 1),
    "List.range": Operator("function", "List.range", lambda n: tuple(range(n)), 1),
    "List.replicate": Operator("function", "List.replicate", lambda n, x: (x,) * n),
    "[·]": Operator("function", "[·]", lambda x: (x,), 1),
    "[]": Operator("constant", "[]", (), 0),
    "none": Operator("constant", "none", None, 0),
    "id": Operator("constant", "id", lambda x: x, 0),
    "true": Operator("constant", "true", True, 0),
    "false": Operator("constant", "false", False, 0),
    "True": Operator("constant", "True", True, 0),
    "False": Operator("constant", "False", False, 0),
}

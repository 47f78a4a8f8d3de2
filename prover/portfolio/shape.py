"""The outermost form of a proposition or term as Lean prints it: its head symbol and what stands on either side.

This reads Lean's own output, which is regular; it is no parser of Lean. What it cannot read has the head `term`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from prover.lean_text import Token, code_tokens

Head = Literal["∀", "∃", "→", "↔", "∧", "∨", "¬", "=", "≠", "<", "≤", ">", "≥", "∣", "∈", "False", "True", "term"]

RELATIONS = ("=", "≠", "<", "≤", ">", "≥", "∣", "∈")
_LOOSEST_FIRST: tuple[tuple[str, ...], ...] = (("↔",), ("→",), ("∨",), ("∧",), RELATIONS)
_QUANTIFIERS = ("∀", "∃", "fun", "λ", "let", "have", "if", "match", "∃!")


@dataclass(frozen=True)
class Binder:
    """A name bound by `∀` or `∃`; `type` is empty where Lean prints none, `predicate` is true for `∀ x > 1, ...`."""

    name: str
    type: str = ""
    predicate: bool = False


@dataclass(frozen=True)
class Shape:
    """`left` and `right` are the sides of an infix head; a quantifier and `¬` have their body in `right`."""

    head: Head
    left: str = ""
    right: str = ""
    binders: tuple[Binder, ...] = ()


def shape(text: str) -> Shape:
    """The outermost form of `text`; brackets around the whole of it are taken off first."""
    text = strip_brackets(text)
    code = code_tokens(text)
    if not code:
        return Shape("term")
    if len(code) == 1 and code[0].text in ("False", "True"):
        return Shape("False" if code[0].text == "False" else "True")
    if code[0].text in ("∀", "∃"):
        return _quantified(text, code)
    for operators in _LOOSEST_FIRST:
        for token in _top_level(code):
            if token.text in operators:
                return Shape(token.text, text[: token.start].strip(), text[token.end :].strip())  # type: ignore[arg-type]
        if operators == ("∧",) and code[0].text == "¬":
            return Shape("¬", right=text[code[0].end :].strip())
    return Shape("term")


def conjuncts(text: str) -> list[str]:
    """`A ∧ (B ∧ C)` as `[A, B, C]`; anything else as itself."""
    outer = shape(text)
    if outer.head != "∧":
        return [strip_brackets(text)]
    return conjuncts(outer.left) + conjuncts(outer.right)


def disjuncts(text: str) -> list[str]:
    """`A ∨ B ∨ C` as `[A, B, C]`: the branches of one `rcases h with h | h | h`; anything else as itself."""
    outer = shape(text)
    return [outer.left, *disjuncts(outer.right)] if outer.head == "∨" else [text]


def strip_brackets(text: str) -> str:
    """`text` without round brackets that hold the whole of it, such as `(p ∧ q)` but not `(a) + (b)`."""
    text = text.strip()
    while text.startswith("("):
        code = code_tokens(text)
        depth = 0
        for token in code:
            depth += (token.kind == "open") - (token.kind == "close")
            if depth == 0:
                break
        if token is not code[-1] or depth or any(t.text == ":" for t in _at_depth(code, 1)):
            return text
        text = text[1:-1].strip()
    return text


def _quantified(text: str, code: Sequence[Token]) -> Shape:
    comma = next((token for token in _at_depth(code, 0) if token.text == ","), None)
    if comma is None:
        return Shape("term")
    binders = tuple(_binders(text, [token for token in code[1:] if token.end <= comma.start]))
    head: Head = "∀" if code[0].text == "∀" else "∃"
    return Shape(head, right=text[comma.end :].strip(), binders=binders)


def _binders(text: str, code: Sequence[Token]) -> Iterator[Binder]:
    """`(a b : Nat) {c : Int} x` one by one; `x > 1` and `x ∈ s` are one name with a predicate."""
    at = 0
    while at < len(code):
        if code[at].kind == "open":
            end = _closing(code, at)
            inside = code[at + 1 : end]
            colon = next((i for i, token in enumerate(inside) if token.text == ":"), None)
            if code[at].text == "[" and colon is None:
                yield Binder("inst")
            else:
                names = inside if colon is None else inside[:colon]
                type_ = "" if colon is None else text[inside[colon].end : code[end].start].strip()
                yield from (Binder(name.text, type_) for name in names)
            at = end + 1
        elif code[at].text == ":":
            return
        elif code[at].kind in ("name",) or code[at].text == "_":
            if at + 1 < len(code) and code[at + 1].text in (*RELATIONS, "⊆"):
                yield Binder(code[at].text, predicate=True)
                return
            rest = [token.text for token in code[at:]]
            type_ = text[code[at + rest.index(":")].end : code[-1].end].strip() if ":" in rest else ""
            yield Binder(code[at].text, type_)
            at += 1
        else:
            return


def _closing(code: Sequence[Token], at: int) -> int:
    depth = 0
    for i in range(at, len(code)):
        depth += (code[i].kind == "open") - (code[i].kind == "close")
        if depth == 0:
            return i
    return len(code) - 1


def _at_depth(code: Sequence[Token], wanted: int) -> Iterator[Token]:
    depth = 0
    for token in code:
        if token.kind == "close":
            depth -= 1
        if depth == wanted and token.kind not in ("open", "close"):
            yield token
        if token.kind == "open":
            depth += 1


def _top_level(code: Sequence[Token]) -> Iterator[Token]:
    """Tokens outside of brackets, up to a quantifier: what follows one belongs to its body."""
    for token in _at_depth(code, 0):
        if token.text in _QUANTIFIERS:
            return
        yield token

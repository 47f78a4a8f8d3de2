"""Reads terms from Lean text and writes them as Lean text; what was written reads back as the same term."""

import re
from collections.abc import Mapping

from rl.synthetic.language import OPERATORS, Operator
from rl.synthetic.terms import BINDERS, Term

_TOKEN = re.compile(r"\s*(List\.\w+|[^\W\d][\w']*|\d+|\.\w+\??|\+\+|::|=>|&&|\|\||\S)")
# What an application binds like, and what stands alone.
APPLIED, ALONE = 100, 200
_NEGATION = 45

_INFIX = frozenset(head for head, known in OPERATORS.items() if known.kind == "infix")
_NAMED = frozenset(head for head, known in OPERATORS.items() if known.kind in ("function", "constant"))


def read(text: str, types: Mapping[str, str] | None = None) -> Term:
    """The term that a text means. `types` are those of the variables that it binds, by name.

    `∸` is read as truncated subtraction, `-` as that of integers.

    Raises:
        ValueError: it means none.
    """
    reader = _Reader(_TOKEN.findall(text), types or {})
    term = reader.term(0)
    if reader.at < len(reader.tokens):
        raise ValueError(f"`{reader.tokens[reader.at]}` is left over in `{text}`")
    return term


class _Reader:
    """Precedence climbing over the tokens, from `at` on."""

    def __init__(self, tokens: list[str], types: Mapping[str, str]) -> None:
        self.tokens, self.types, self.at = [*tokens], types, 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise ValueError(f"`{wanted or 'more'}` is wanted after `{' '.join(self.tokens[: self.at])}`")
        self.at += 1
        return token

    def term(self, level: int) -> Term:
        left = self.prefixed()
        while (head := self.peek()) in _INFIX and OPERATORS[head].level >= level:
            known = OPERATORS[self.take()]
            left = Term(head, (left, self.term(known.level + (known.side != "right"))))
        return left

    def prefixed(self) -> Term:
        if self.peek() in BINDERS:
            return self.binder()
        for head in ("¬", "neg"):
            if self.peek() == OPERATORS[head].text:
                self.take()
                return Term(head, (self.prefixed(),))
        return self.application()

    def binder(self) -> Term:
        head, names = self.take(), []
        end = "=>" if head == "fun" else ","
        while self.peek() not in (end, ":"):
            names.append(self.take())
        said = ""
        if self.peek() == ":":
            self.take()
            said = self.take()
        self.take(end)
        body = self.term(0)
        for name in reversed(names):
            body = Term(head, (body,), name, said or self.types.get(name, ""))
        return body

    def application(self) -> Term:
        token = self.peek()
        if token in _NAMED and (arity := OPERATORS[token].arity):
            self.take()
            return Term(token, tuple(self.alone() for _ in range(arity)))
        first = self.alone()
        if self.peek() in OPERATORS and self.peek().startswith("."):
            method = self.take()
            return Term(method, (first, *(self.alone() for _ in range(OPERATORS[method].arity - 1))))
        args = []
        while self._begins_alone():
            args.append(self.alone())
        return Term("apply", (first, *args)) if args else first

    def alone(self) -> Term:
        token = self.take()
        if token == "(":
            term = self.term(0)
            self.take(")")
        elif token == "[":
            term = Term("[]") if self.peek() == "]" else Term("[·]", (self.term(0),))
            self.take("]")
        elif token[0].isalnum() or token[0] == "_":
            term = Term(token)
        else:
            raise ValueError(f"`{token}` begins no term")
        while self.peek() in OPERATORS and self.peek().startswith(".") and OPERATORS[self.peek()].arity == 1:
            term = Term(self.take(), (term,))
        return term

    def _begins_alone(self) -> bool:
        token = self.peek()
        return bool(token) and token not in BINDERS and (token in "([" or token[0].isalnum() or token[0] == "_")


def write(term: Term, level: int = 0) -> str:
    """The term as Lean text, in parentheses if it binds less tightly than `level`."""
    text, own = _written(term)
    return text if own >= level else f"({text})"


def _written(term: Term) -> tuple[str, int]:
    """The text of a term, and how tightly its outermost symbol binds."""
    if term.head in BINDERS:
        names, body = [term.bound], term.args[0]
        while body.head == term.head and body.type == term.type:
            names.append(body.bound)
            body = body.args[0]
        # Lean knows the type of what is an argument of something; of variables that are only equated it does not.
        said = "" if term.head == "fun" or all(_is_argument(name, body) for name in names) else f" : {term.type}"
        return f"{term.head} {' '.join(names)}{said}{' =>' if term.head == 'fun' else ','} {write(body)}", 0
    if term.head == "apply":
        return " ".join(write(arg, ALONE) for arg in term.args), APPLIED
    known = OPERATORS.get(term.head)
    return (term.head, ALONE) if known is None else _operation(known, term.args)


def _is_argument(name: str, term: Term) -> bool:
    own = term.head not in ("=", "≠") and any(arg.head == name for arg in term.args)
    return own or any(_is_argument(name, arg) for arg in term.args)


def _operation(known: Operator, args: tuple[Term, ...]) -> tuple[str, int]:
    if known.kind == "infix":
        left = write(args[0], known.level + (known.side != "left"))
        return f"{left} {known.text} {write(args[1], known.level + (known.side != 'right'))}", known.level
    if known.kind == "prefix":
        if known.text == "¬":
            return f"¬{write(args[0], _NEGATION if args[0].head == '¬' else known.level)}", _NEGATION
        return f"-{write(args[0], known.level + 1)}", known.level
    if known.text == "[·]":
        return f"[{write(args[0])}]", ALONE
    if known.kind == "method":
        text = f"{write(args[0], ALONE)}.{known.text}"
        return " ".join([text, *(write(arg, ALONE) for arg in args[1:])]), ALONE if known.arity == 1 else APPLIED
    return " ".join([known.text, *(write(arg, ALONE) for arg in args)]), APPLIED if args else ALONE

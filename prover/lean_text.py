"""A small lexer for Lean text: enough to tell code from comments and strings, and to find brackets and `:=`.

It never fails: text that is not Lean gives tokens too, and the tokens put together are always the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["space", "comment", "doc", "string", "char", "name", "number", "open", "close", "symbol"]

BRACKETS = {"(": ")", "[": "]", "{": "}", "⟨": "⟩", "⟦": "⟧", "⌊": "⌋", "⌈": "⌉", "⦃": "⦄"}
CLOSING = frozenset(BRACKETS.values())

_SPACE = re.compile(r"\s+")
_LINE_COMMENT = re.compile(r"--[^\n]*")
_RAW_STRING = re.compile(r'r(#*)"')
_INTERPOLATED = re.compile(r'[A-Za-z]+!"')
_CHAR = re.compile(r"'(?:\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)|[^\\'\n])'")
_PART = r"(?:«[^»\n]*»|[^\W\d][\w'!?]*)"
_NAME = re.compile(rf"{_PART}(?:\.(?:{_PART}|\d+))*")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_COMMAND_NAME = re.compile(r"#[a-z_]+")
_NESTED = 32  # interpolated strings within one another; what is further in is read as a plain string
# Longest first. Only those matter that begin like another one: `:=` must not be found inside of `:=:`.
_SYMBOL = re.compile(r":=|=>|<;>|<\|>|\.\.\.|\.\.|::|&&|\|\||\|>|<\||→|←|↔|==|!=|<=|>=|\+\+|>>=|.", re.DOTALL)


@dataclass(frozen=True)
class Token:
    """A piece of the text from `start` up to `end`, both in characters."""

    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def is_code(self) -> bool:
        return self.kind not in ("space", "comment", "doc")


def tokens(text: str) -> Iterator[Token]:
    """The tokens of `text` in order; joined they are `text`."""
    at = 0
    while at < len(text):
        token = _next(text, at)
        yield token
        at = token.end


def code_tokens(text: str) -> list[Token]:
    """The tokens that are neither white space nor comment."""
    return [token for token in tokens(text) if token.is_code]


def _next(text: str, at: int, nested: int = 0) -> Token:
    def take(kind: Kind, end: int) -> Token:
        return Token(kind, text[at:end], at)

    char = text[at]
    if match := _SPACE.match(text, at):
        return take("space", match.end())
    if match := _LINE_COMMENT.match(text, at):
        return take("comment", match.end())
    if text.startswith("/-", at):
        is_doc = text.startswith(("/--", "/-!"), at) and not text.startswith("/--/", at)
        return take("doc" if is_doc else "comment", _block_comment_end(text, at))
    if char == '"':
        return take("string", _string_end(text, at + 1))
    if match := _RAW_STRING.match(text, at):
        close = text.find('"' + match.group(1), match.end())
        return take("string", len(text) if close < 0 else close + 1 + len(match.group(1)))
    if nested < _NESTED and (match := _INTERPOLATED.match(text, at)):
        return take("string", _interpolated_end(text, match.end(), nested + 1))
    if match := _CHAR.match(text, at):
        return take("char", match.end())
    if match := _NAME.match(text, at):
        return take("name", match.end())
    if match := _NUMBER.match(text, at):
        return take("number", match.end())
    if char in BRACKETS:
        return take("open", at + 1)
    if char in CLOSING:
        return take("close", at + 1)
    if match := _COMMAND_NAME.match(text, at):
        return take("name", match.end())
    match = _SYMBOL.match(text, at)
    return take("symbol", match.end() if match else at + 1)


def _block_comment_end(text: str, at: int) -> int:
    """Where the comment that begins at `at` ends; comments nest. One that is never closed ends with the text."""
    depth, at = 1, at + 2
    while depth:
        closing, opening = text.find("-/", at), text.find("/-", at)
        if closing < 0:
            return len(text)
        if 0 <= opening < closing:
            depth, at = depth + 1, opening + 2
        else:
            depth, at = depth - 1, closing + 2
    return at


def _string_end(text: str, at: int) -> int:
    """Where the string whose first character is at `at` ends, its closing quote included."""
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == '"':
            return at + 1
        else:
            at += 1
    return len(text)


def _interpolated_end(text: str, at: int, nested: int) -> int:
    """The same for `s!"...{term}..."`, whose terms may hold strings of their own; it is the `nested`th around `at`."""
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == '"':
            return at + 1
        elif text[at] == "{":
            depth, at = 1, at + 1
            while at < len(text) and depth:
                token = _next(text, at, nested)
                depth += {"{": 1, "}": -1}.get(token.text, 0)
                at = token.end
        else:
            at += 1
    return len(text)


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Line from 1 and column from 0, in characters, as Lean counts them."""
    line_start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - line_start


def offset_of(text: str, line: int, column: int) -> int:
    """The inverse of `line_and_column`; a place outside of the text is moved to the nearest one inside."""
    at = 0
    for _ in range(line - 1):
        newline = text.find("\n", at)
        if newline < 0:
            return len(text)
        at = newline + 1
    line_end = text.find("\n", at)
    return min(at + max(column, 0), len(text) if line_end < 0 else line_end)

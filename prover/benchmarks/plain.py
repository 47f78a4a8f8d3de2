"""Reads the statement of one plain theorem without the lexer, which the many rows of a large file would wait for."""

import re

from prover.lean_file import _COMMANDS
from prover.lean_text import BRACKETS

_PART = r"[A-Za-z_][\w']*"
_HEAD = re.compile(rf"theorem\s+({_PART}(?:\.{_PART})*)(?=[\s(\[{{⦃:])")
_TAIL = re.compile(r"(?<!:):=(?:\s*by)?(?:\s+sorry|(?<==)sorry)?\Z")
_WORDS = sorted({*_COMMANDS, "let", "have", "letI", "haveI", "sorry", "admit", "example"})
# Comments, strings, quoted names, characters, attributes, commands, and whatever may bring a `:=` of its own.
_NOT_PLAIN = re.compile(r'--|/-|"|«|»|\'[^\'\n]\'|\'\\|@\s*\[|#|:=|\b(?:' + "|".join(map(re.escape, _WORDS)) + r")\b")
_OPEN = re.compile("[" + re.escape("".join(BRACKETS)) + "]")
_CLOSE = re.compile("[" + re.escape("".join(BRACKETS.values())) + "]")


def plain_theorem(text: str) -> tuple[str, str] | None:
    """Name and statement of a text that is one plain theorem, perhaps with `:=`, `:= by` or a `sorry` at its end.

    None where that is not certain; `prover.sources.from_text` knows then, and agrees where it is.
    """
    text = text.strip()
    head = _HEAD.match(text)
    if head is None:
        return None
    tail = _TAIL.search(text, head.end())
    statement = text[: tail.start()].rstrip() if tail else text
    if _NOT_PLAIN.search(statement, head.start(1)) or len(_OPEN.findall(statement)) != len(_CLOSE.findall(statement)):
        return None
    return head[1], statement

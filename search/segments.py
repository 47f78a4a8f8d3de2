"""Cuts a tactic script into its outermost tactics, from the layout and the tokens alone."""

import re
from dataclasses import dataclass


def segments(text: str) -> list[str]:
    """The tactics of a script whose first lies at the leftmost column, each as lines from column 0.

    What is indented further belongs to the tactic above it, and so do rows within brackets, rows that begin with what
    no tactic begins with (`<;>`, `|`, `at`, `by`, `_ = c`, an operator), and what follows a row that cannot end there
    (`:=`, `,`, `=>`, an operator). Comments stay with what they stand in or above; those below the last tactic are
    dropped. Every row with code is in one of the tactics, in order. Empty if there is no tactic.
    """
    rows = _rows(text)
    margin = min((row.indent for row in rows if row.code and not row.goes_on and not row.in_comment), default=0)
    found: list[list[str]] = []
    waiting: list[str] = []  # comments, which belong to the tactic below
    here = waiting
    for row in rows:
        line = row.text if row.in_string else _without_margin(row.text, margin)
        goes_on = bool(found) and (row.goes_on or row.indent > margin)
        if row.in_comment and (not row.code or here is not waiting):
            here.append(line)
        elif not row.text.strip():
            if row.goes_on and found:
                found[-1] += [*waiting, line]
                waiting.clear()
        elif row.code or goes_on:
            if not goes_on:
                found.append([])
            here = found[-1]
            here += [*waiting, line]
            waiting.clear()
        else:
            here = waiting
            here.append(line)
    return ["\n".join(lines).rstrip() for lines in found]


@dataclass(frozen=True)
class _Row:
    """`code` is what is left of it without comments; `goes_on`: it begins no tactic, wherever it begins.

    `in_comment`, `in_string`: it begins within one that an earlier row opens.
    """

    text: str
    code: str
    indent: int
    goes_on: bool
    in_comment: bool
    in_string: bool


# Of several that begin alike the longest comes first.
_OPERATOR = (
    r"<;>|<\|>|<\|>?|\|>\.?|>>=|<\$>|<\*>|:=|::|:|,|=>|\+\+|&&|\|\||[-+*/%^=≠<>≤≥≡≃≅∧∨→↔↦∘∣∤∈∉⊆⊂⊇⊃∪∩×⊔⊓⊕•▸$\\]|←"
)
_BEGINS_NONE = re.compile(
    rf"(?:{_OPERATOR}|\||;|[)\]}}⟩]|(?:at|with|using|generalizing|from|by|else|then|in|_)(?![\w'.!?]))"
)
_ENDS_NONE = re.compile(
    rf"(?:{_OPERATOR}|¬|(?:^|\s)\||(?<![\w.'])(?:at|with|using|generalizing|from|by|else|then|in|calc|do|fun))$"
)
_EVERYWHERE = re.compile(r"(?<![\w.'])at\s+\*$")
_TOKEN = re.compile(
    r"""
      (?P<line>--.*)
    | (?P<comment>/-)
    | (?P<raw>(?<![\w'])r(?P<fence>\#*)"(?:.|\n)*?"(?P=fence))
    | (?P<string>"(?:[^"\\]|\\(?:.|\n))*(?:"|\\?\Z))
    | (?P<character>(?<![\w'!?✝»])'(?:[^\\'\n]|\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.))')
    | (?P<name>«[^»\n]*»)
    | (?P<opens>[(\[{⟨])
    | (?P<closes>[)\]}⟩])
    """,
    re.VERBOSE,
)
_COMMENT_MARK = re.compile(r"/-|-/")


def _rows(text: str) -> list[_Row]:
    text = text.replace("\r\n", "\n").expandtabs(2)
    code, depths, strings, comments = _scan(text)
    rows: list[_Row] = []
    before, at = "", 0
    for row in text.split("\n"):
        own = code[at : at + len(row)].strip()
        goes_on = (
            depths[at] > 0
            or strings[at]
            or bool(_ENDS_NONE.search(before) and not _EVERYWHERE.search(before))
            or bool(_BEGINS_NONE.match(own))
        )
        rows.append(_Row(row, own, len(row) - len(row.lstrip()), goes_on, comments[at], strings[at]))
        before, at = own or before, at + len(row) + 1
    return rows


def _scan(text: str) -> tuple[str, list[int], list[bool], list[bool]]:
    """The text with blanks for comments; and before each character the brackets open, and what it is within."""
    size = len(text) + 1
    depths, strings, comments = [0] * size, [False] * size, [False] * size
    code = list(text)
    at = depth = 0
    for _ in range(size):
        token = _TOKEN.search(text, at)
        begin = token.start() if token else len(text)
        depths[at : begin + 1] = [depth] * (begin + 1 - at)
        if token is None:
            break
        end = _comment_end(text, token.end()) if token["comment"] else token.end()
        if token["opens"]:
            depth += 1
        elif token["closes"]:
            depth = max(0, depth - 1)
        depths[begin + 1 : end + 1] = [depth] * (end - begin)
        if token["line"] or token["comment"]:
            code[begin:end] = [c if c == "\n" else " " for c in text[begin:end]]
            if token["comment"]:
                comments[begin + 1 : end] = [True] * (end - begin - 1)
        elif token["string"] or token["raw"]:
            strings[begin + 1 : end] = [True] * (end - begin - 1)
        at = end
    return "".join(code), depths, strings, comments


def _comment_end(text: str, at: int) -> int:
    """Where the block comment ends that is open at this place; they nest."""
    depth = 1
    for mark in _COMMENT_MARK.finditer(text, at):
        depth += 1 if mark[0] == "/-" else -1
        if depth == 0:
            return mark.end()
    return len(text)


def _without_margin(row: str, margin: int) -> str:
    return row[margin:] if not row[:margin].strip() else row.lstrip()

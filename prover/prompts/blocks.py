"""Takes an answer apart as Markdown: what was thought and what was said, the code blocks, and the text around them."""

import re
from dataclasses import dataclass

_THOUGHT = re.compile(r"</?think>")
_FENCE = re.compile(r"```+")
_LABEL = re.compile(r"[^\S\n]*(lean ?4(?!\w)|[\w+.#-]*)", re.IGNORECASE)
LEAN = frozenset(["lean4", "lean"])


@dataclass(frozen=True)
class Block:
    """A code block. `label` is the language that its fence names, in lower case; often none."""

    code: str
    label: str = ""


def parted(text: str) -> tuple[str, str]:
    """(what was said, what was thought between `<think>` and `</think>`).

    A `</think>` that nothing opens ends a thought that the prompt had opened; a `<think>` that nothing closes goes on
    to the end.
    """
    said: list[str] = []
    thought: list[str] = []
    here, at = said, 0
    for mark in _THOUGHT.finditer(text):
        piece = text[at : mark.start()]
        if mark[0] == "</think>" and here is said:
            thought += [*said, piece]
            said.clear()
        else:
            here.append(piece)
        here, at = (thought if mark[0] == "<think>" else said), mark.end()
    here.append(text[at:])
    # The line break keeps the ends of two pieces from making a mark, or a fence.
    return "\n".join(said), "\n".join(thought)


def blocks(text: str) -> tuple[list[Block], str]:
    """The code blocks in order, and the text around them.

    A block ends at the next fence wherever it stands, or with the text. A fence that names Lean begins a block even
    where the one before was never closed: models forget to.
    """
    found: list[Block] = []
    around: list[str] = []
    label: str | None = None  # of the block that is open
    at = 0
    for fence in _FENCE.finditer(text):
        if fence.start() < at:
            continue
        piece = text[at : fence.start()]
        if label is None:
            around.append(piece)
        else:
            found.append(Block(piece, label))
        named, begins = _label(text, fence.end())
        opens = label is None or named in LEAN
        label, at = (named, begins) if opens else (None, fence.end())
    if label is None:
        around.append(text[at:])
    else:
        found.append(Block(text[at:], label))
    return found, "\n".join(around)


def _label(text: str, at: int) -> tuple[str, int]:
    """The language named after a fence, and where the code begins.

    A word with something after it in its line is code, unless it is Lean's name.
    """
    word = _LABEL.match(text, at)
    assert word is not None
    label, end = word[1].lower().replace(" ", ""), word.end()
    if label in LEAN:
        return label, end
    if label and end < len(text) and text[end] == "\n":
        return label, end
    return "", at

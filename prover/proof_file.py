"""Puts proved theorems together as a Lean file that compiles as it stands."""

import itertools
from collections.abc import Sequence

from prover.lean_file import declarations
from prover.lean_text import code_tokens
from prover.report import Outcome
from prover.sources import LeanText, Problem


def proof_file(problems: Sequence[Problem], outcomes: Sequence[Outcome]) -> str:
    """The text of the file.

    Theorems of one text give that text back with its `sorry`s replaced where they were proved. Rows of a `.jsonl` file
    are put one below the other, imports first; of these, only those that were proved.
    """
    proofs: dict[int, dict[int, str]] = {}
    for outcome in outcomes:
        if outcome.proved and outcome.result and outcome.result.proof:
            proofs.setdefault(id(outcome.problem.source), {})[outcome.problem.index] = outcome.result.proof
    sources = list({id(problem.source): problem.source for problem in problems}.values())
    if len(sources) == 1:
        return sources[0].completed(proofs.get(id(sources[0]), {})).rstrip() + "\n"
    return _joined([(source, proofs[id(source)]) for source in sources if id(source) in proofs])


def _joined(parts: Sequence[tuple[LeanText, dict[int, str]]]) -> str:
    """Each part in a section of its own; in a namespace of its own where a name would come twice."""
    imports: list[str] = []
    blocks: list[str] = []
    taken: set[str] = set()
    for number, (source, proofs) in enumerate(parts, 1):
        wanted, body = split_imports(source.completed(proofs))
        imports += [line for line in wanted if line not in imports]
        names = _declared(body)
        if names & taken:
            block = f"namespace Part{number}\n\n{body.strip()}\n\nend Part{number}"
        elif source.extra_header.strip():
            block = f"section\n\n{body.strip()}\n\nend"
        else:
            block = body.strip()
        taken |= names
        blocks.append(block)
    return "\n".join(imports) + ("\n\n" if imports else "") + "\n\n".join(blocks) + "\n"


def split_imports(text: str) -> tuple[list[str], str]:
    """The imports at the top of a Lean text, one a line, and the text without them."""
    code = code_tokens(text)
    found, at, end = [], 0, 0
    while at + 1 < len(code) and code[at].text in ("import", "public") and code[at].kind == "name":
        start = at
        at += 1
        while at < len(code) and code[at].text in ("import", "all", "meta", "runtime"):
            at += 1
        if at >= len(code):
            break
        found.append(" ".join(token.text for token in code[start : at + 1]))
        at += 1
        end = code[at - 1].end
    return found, text[end:]


def _declared(text: str) -> set[str]:
    """Names that a text declares, theorems and definitions."""
    code = code_tokens(text)
    words = ("def", "abbrev", "structure", "inductive", "class", "axiom", "opaque", "instance")
    named = {name.text for word, name in itertools.pairwise(code) if word.text in words and name.kind == "name"}
    return named | {declaration.name for declaration in declarations(text) if declaration.name}

"""The proof out of a model's answer: which part of it is the proof, and what of that part.

Of several code blocks it is the last that has the asked theorem in it with a proof: models sketch first, and correct
themselves later. Without one it is the last Lean block, and without blocks the text itself, short of lines of prose.
What the model has thought (`<think>`) counts only if nothing was said, and only where it holds the whole theorem.

A repeated header and statement are taken off, however they are worded: the judge puts the proof behind the trusted
statement, so that a proof of a changed one fails there. `sorry` is left for the judge to find.

A proof as text after `:=` cannot hold declarations. Lemmas above the theorem that the proof uses become `have`s at its
beginning, which is what they are to it; definitions and axioms are left out, and a proof that needs them fails.
Cases without `:=` (`theorem t : T | p => e`) become `exact fun | p => e`, as Lean reads them.
"""

import re
from dataclasses import dataclass, replace
from itertools import accumulate

from prover.prompts.blocks import LEAN, blocks, parted
from prover.prompts.tactics import DECLARATION, Code, read, tactics, whole_tactics

_DECLARED = re.compile(
    r"^(?: *(?:open|set_option|omit|include|variable)\b[^\n]*(?<!\w)in *\n){0,4}"
    rf"( *)(?:@\[[^\]\n]*\] *\n *)?{DECLARATION}(?:(?<=example)|\s+([^\s:({{\[⦃⟨]+)?)",
    re.MULTILINE,
)
# A bar begins an arm where it begins its row or has blanks around it: `|x|` is an absolute value.
_SIGN = re.compile(
    r"(?P<open>[(\[{⟨⦃])|(?P<close>[)\]}⟩⦄])|(?P<assign>:=)|(?P<arrow>=>)|(?P<bar>^ *\|(?![|>])|(?<=\s)\|(?=\s))"
    r"|(?<![\w.'])(?:(?P<let>let|have|letI|haveI)|(?P<arms>fun|λ|match))(?![\w'])",
    re.MULTILINE,
)
_PART = r"(?:«[^«»\n]*»|[^\W\d][\w'!?]*)"
_NAME = re.compile(rf"{_PART}(?:\.{_PART})*")
_DOTS = 8  # of a name, at most, before which it is looked for a lemma: time stays linear in the text


def proof_of(answer: str, name: str = "", truncated: bool = False) -> str:
    """The tactics at column 0 of the proof of theorem `name` in a chat's answer; empty if there is none.

    `truncated`: the answer was cut off, so that its last line is not whole; neither, then, is what wants more lines.
    Never raises; `proof_of(proof_of(answer))` is `proof_of(answer)`.
    """
    said, thought = parted(_whole_lines(_plain(answer), truncated))
    proof = _best(said, name) or _best(thought, name, only_theorem=True)
    return whole_tactics(proof) if truncated else proof


def continuation_of(answer: str, indent: int = 0, truncated: bool = False) -> str:
    """The tactics at column 0 of an answer that goes on inside a code block, at the beginning of a line.

    It ends with the block. `indent` is the column at which the prompt's own tactics stand: an answer whose first line
    alone begins further left has lost that line's blanks on its way.
    """
    text = _whole_lines(_plain(answer).split("```", 1)[0], truncated)
    first, _, rest = text.partition("\n")
    below = [len(row) - len(row.lstrip()) for row in rest.split("\n") if row.strip()]
    if first[:1].strip() and below and min(below) >= indent:
        text = " " * indent + text
    proof = tactics(text)
    return whole_tactics(proof) if truncated else proof


def one_tactic(answer: str, truncated: bool = False) -> str:
    """The tactic that is all of an answer, its first line at column 0; of one that was cut off, its whole lines."""
    tactic = _whole_lines(_plain(answer), truncated).strip()
    return whole_tactics(tactic) if truncated else tactic


def _plain(text: str) -> str:
    """Lines end with a line feed and are indented with blanks: Lean knows no tabs."""
    return text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(2)


def _whole_lines(text: str, truncated: bool) -> str:
    return text[: text.rfind("\n") + 1] if truncated else text


@dataclass(frozen=True)
class _Found:
    """A proof, and whether it is one of the theorem that was asked for."""

    proof: str
    named: bool


def _best(text: str, name: str, only_theorem: bool = False) -> str:
    fenced, around = blocks(text)
    found: list[tuple[tuple[bool, bool, bool, int], str]] = []
    for i, block in enumerate(fenced):
        if block.label in LEAN or not block.label:
            each = _proof_in(block.code, name)
            is_lean = each.named or block.label in LEAN
            found.append(((each.proof not in ("", "sorry"), each.named, is_lean, i), each.proof))
    # A fence too many or too few leaves the theorem between the blocks.
    each = _proof_in(around, name)
    if each.named or not any(block.code.strip() for block in fenced):
        found.append(((each.proof not in ("", "sorry"), each.named, each.named, -1), each.proof))
    key, proof = max(found, default=((False, False, False, 0), ""))
    return proof if key[1] or not only_theorem else ""


def _proof_in(text: str, name: str) -> _Found:
    """The proof in a piece of Lean text: of the theorem called `name`, else of the last one, else the text itself."""
    code = read(text)
    declared = list(_DECLARED.finditer(code.bare))
    if not declared:
        return _Found(tactics(text), False)
    ends = [*(each.start() for each in declared[1:]), len(text)]
    parts = [_part(code, each, end) for each, end in zip(declared, ends, strict=True)]
    last = name.rpartition(".")[2]
    named = [i for i, part in enumerate(parts) if part.assign is not None and part.name.rpartition(".")[2] == last]
    proved = [i for i, part in enumerate(parts) if part.assign is not None]
    if not proved:
        return _Found("", False)
    chosen = (named or proved)[-1]
    proof = parts[chosen].proof(code)
    return _Found(_with_lemmas(code, parts[:chosen], proof), bool(named)) if proof else _Found("", bool(named))


@dataclass(frozen=True)
class _Part:
    """A declaration: its name, its column, and where its signature, its `:=` (if it has one) and the next one begin.

    `arms`: the first bar of `| p => e` stands for the `:=`, as `:= fun | p => e` would.
    """

    name: str
    column: int
    signature: int
    assign: int | None
    end: int
    arms: bool = False

    def proof(self, code: Code) -> str:
        """Its proof as tactics."""
        if self.assign is None:
            return ""
        row = code.text.rfind("\n", 0, self.assign) + 1
        lead = " " * (self.assign - row)
        if self.arms:  # none of them may stand further left than the first
            lead = ":= fun\n" + (" " * (self.column + 2) if code.text[row : self.assign].strip() else lead)
        return tactics(lead + code.text[self.assign : self.end], self.column)


def _part(code: Code, declared: re.Match[str], end: int) -> _Part:
    """Its `:=` stands outside of brackets, and is not that of a `let` in the statement itself.

    Its arms begin at the first bar before a `=>` that is no `fun`'s or `match`'s in the statement.
    """
    part = _Part(declared[2] or "", len(declared[1]), declared.end(), None, end)
    depth = lets = 0
    bar: int | None = None
    has_own = False
    for token in _SIGN.finditer(code.bare, declared.end(), end):
        if token["open"] or token["close"]:
            depth = depth + 1 if token["open"] else max(0, depth - 1)
        elif depth:
            continue
        elif token["assign"]:
            if lets == 0:
                return replace(part, assign=token.start())
            lets -= 1
        elif token["arrow"]:
            if bar is not None and not has_own:
                return replace(part, assign=bar, arms=True)
        elif token["bar"]:
            bar = token.end() - 1 if bar is None else bar
        elif token["let"]:
            lets += 1
        else:
            has_own = True
    return part


def _with_lemmas(code: Code, parts: list[_Part], proof: str) -> str:
    """The proof behind a `have` for each of the theorems that it uses, or that these use."""
    used = _used(proof)
    haves: list[str] = []
    for part in reversed(parts):
        lemma = part.proof(code) if part.name in used else ""
        if lemma:
            used |= _used(lemma)
            head, *below = code.uncommented[part.signature : part.assign].strip().split("\n")
            rows = [f"have {part.name} {head.strip()}".rstrip(), *(f"    {row.strip()}" for row in below)]
            rows[-1] += " := by"
            haves.append("\n".join([*rows, *(f"  {row}" if row else "" for row in lemma.split("\n"))]))
    return "\n".join([*reversed(haves), proof])


def _used(text: str) -> set[str]:
    """The names in a text, and what stands before their dots: `both.mp` uses `both`."""
    names = _NAME.findall(read(text).bare)
    return {prefix for name in names for prefix in accumulate(name.split(".", _DOTS), "{}.{}".format)}

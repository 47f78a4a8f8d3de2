"""From Lean text to tactics at column 0: the layout of a proof, read from its lines without a parser.

Everything takes time linear in the text, whatever the text is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"""/-|--[^\n]*|"[^"\\\n]*(?:\\.[^"\\\n]*)*"?|'\\?"'""")
_COMMENT_MARK = re.compile(r"/-|-/")
_NO_BREAK = re.compile(r"[^\n]")
_BRACKET = re.compile(r"([(\[{⟨⦃])|[)\]}⟩⦄]")
_END = r"(?![\w'.!?])"
_BEGINS_PROOF = re.compile(rf"(?:\s*(:=|by{_END}))+")
_MODIFIERS = r"(?:(?:private|protected|nonrec|noncomputable|local|scoped|public|meta|unsafe|partial) +)*"
DECLARATION = rf"(?:@\[[^\]\n]*\] *)?{_MODIFIERS}(?:theorem|lemma|example){_END}"
_DECLARATION = re.compile(DECLARATION)
# These are over with their line. In front of an `in` some of them are part of the tactic that follows.
_LINE_COMMAND = re.compile(
    rf"#[a-z]|(?:import|namespace|section|end|mutual|universe|noncomputable section){_END}"
    rf"|(?:open|set_option|variable|variables|attribute|include|omit){_END}(?![^\n]*(?<!\w)in(?!\w))"
)
_OTHER_COMMAND = re.compile(
    r"@\[|(?:def|abbrev|instance|structure|inductive|class|axiom|opaque|private|protected|noncomputable|nonrec|unsafe"
    r"|partial|macro|macro_rules|syntax|notation|infixl?|infixr|prefix|postfix|elab|elab_rules|local|scoped|deriving"
    rf"|export|alias|initialize|simproc|run_cmd|where|termination_by|decreasing_by){_END}"
)
# No tactic begins with a capital letter or a list mark.
_PROSE = re.compile(r"[A-Z][\w’'-]*(?:[ ,:;!?]|\.(?!\w)|$)|#+ |\*\*|[-*>] |\d+[.)] ")
_WANTS_MORE = re.compile(
    r"(?:(?<!at )\*|[,:=<>+/^|&∧∨→↔↦←·∘(\[{⟨$-]|(?<![\w.'])(?:by|with|at|using|from|do|then|else|in|calc|fun|have|show"
    r"|let|obtain|exact|apply|refine|rw))$"
)


@dataclass(frozen=True)
class Code:
    """A text, and two of the same length: with blanks for comments, and (`bare`) with blanks for strings as well.

    `open_comment` is where a comment begins that never ends.
    """

    text: str
    uncommented: str
    bare: str
    open_comment: int | None = None


def read(text: str) -> Code:
    """Tells comments and strings from the rest. A string ends with its line at the latest: prose has quotes, too."""
    uncommented, bare = list[str](), list[str]()
    at, unclosed = 0, None
    while token := _TOKEN.search(text, at):
        start, end = token.span()
        if token[0] == "/-":
            closed = _comment_end(text, end)
            end, unclosed = (len(text), start) if closed is None else (closed, None)
        blank = _NO_BREAK.sub(" ", text[start:end])
        uncommented += [text[at:start], blank if token[0][0] in "/-" else text[start:end]]
        bare += [text[at:start], blank]
        at = end
    return Code(text, "".join([*uncommented, text[at:]]), "".join([*bare, text[at:]]), unclosed)


def _comment_end(text: str, at: int) -> int | None:
    """Where the comment ends that is open at this place; they nest."""
    depth = 1
    for mark in _COMMENT_MARK.finditer(text, at):
        depth += 1 if mark[0] == "/-" else -1
        if depth == 0:
            return mark.end()
    return None


def tactics(text: str, floor: int | None = None) -> str:
    """The tactics at column 0 of a text that may begin with lines of a header, and with `:=` and `by`; or nothing.

    They end before the first command, or line of prose, that stands no further in than column `floor` (by default the
    first tactic's), and before any declaration. What follows `:=` without `by` is a term, and becomes `exact` of it.
    Comments stay, but for those below the last tactic: one of them may document what came next.
    """
    code = read(text)
    bare_rows = code.bare.split("\n")
    start, first = _first_tactic(bare_rows)
    if first is None:
        return ""
    offset = sum(len(row) + 1 for row in bare_rows[:first])
    text, bare, words, term = code.text, code.bare, first, False
    if begins := _BEGINS_PROOF.match(bare, offset):
        words += bare.count("\n", offset, begins.end())
        term = begins[1] == ":="
        text, bare = (_blanked(each, offset, begins.end()) for each in (text, bare))
    rows, bare_rows = text.split("\n"), bare.split("\n")
    first = next((i for i in range(words, len(rows)) if bare_rows[i].strip()), None)
    if first is None or (_is_over(bare_rows[first]) and not term):
        return ""
    comments = next((i for i in range(start, first) if rows[i].strip()), first)
    lead = [_moved(row, _indent(rows[comments])) for row in rows[comments:first]]
    rows, bare_rows = rows[first:], bare_rows[first:]
    length = _length(rows, bare_rows, _indent(rows[0]) if floor is None else floor)
    rows = _at_column_0(rows[:length], bare_rows[:length], begins is not None and first == words, term)
    bare_rows = _read_rows([*lead, *rows])[len(lead) :]
    rows = rows[: _length(rows, bare_rows, 0)]
    last = max(i for i, row in enumerate(bare_rows[: len(rows)]) if row.strip())
    text = "\n".join([*lead, *rows[: last + 1]])
    return text[: read(text).open_comment].rstrip()


def whole_tactics(proof: str) -> str:
    """A proof that was cut off behind a line, without the lines at its end that cannot be its last.

    Those are an open comment, open brackets, and what ends with a word such as `by` or with an operator.
    """
    code = read(proof)
    if code.open_comment is not None:
        code = read(proof[: code.open_comment].rstrip())
    end = depth = 0
    for i, row in enumerate(code.bare.split("\n")):
        depth = _depth(row, depth)
        if row.strip() and depth == 0 and not _WANTS_MORE.search(row.rstrip()):
            end = i + 1
    return "\n".join(code.text.split("\n")[:end]).rstrip()


def after_prefix(proof: str, prefix: str) -> str:
    """What of the proof follows the tactics of `prefix`, whatever the white space and comments of both; nothing if it
    does not begin with them."""
    wanted = "".join(read(prefix).uncommented.split())
    rows, seen = proof.split("\n"), 0
    if not wanted:
        return proof
    for i, row in enumerate(read(proof).uncommented.split("\n"), 1):
        piece = "".join(row.split())
        if not wanted.startswith(piece, seen):
            return ""
        seen += len(piece)
        if seen == len(wanted):
            return tactics("\n".join(rows[i:]))
    return ""


def _first_tactic(bare: Sequence[str]) -> tuple[int, int | None]:
    """(where the comments above the first tactic begin, where it begins or None), past commands and prose."""
    start, inside = 0, None
    for i, row in enumerate(bare):
        code, indent = row.strip(), _indent(row)
        if not code:
            continue
        if inside is not None and indent > inside:
            start = i + 1
            continue
        inside = None
        if _DECLARATION.match(code):
            return i, None
        if _OTHER_COMMAND.match(code):
            inside = indent
        elif not _LINE_COMMAND.match(code) and not _PROSE.match(code):
            return start, i
        start = i + 1
    return start, None


def _length(rows: Sequence[str], bare: Sequence[str], floor: int) -> int:
    """How many of the rows belong to the proof whose first tactic is in the first of them."""
    depth = 0
    for i, row in enumerate(bare):
        if i and row.strip() and (
            _DECLARATION.match(row.strip()) or (depth == 0 and _indent(rows[i]) <= floor and _is_over(row))
        ):  # fmt: skip
            return i
        depth = _depth(row, depth)
    return len(rows)


def _is_over(row: str) -> bool:
    """Whether a row that is no further in than the proof ends it."""
    code = row.strip()
    return any(kind.match(code) for kind in (_DECLARATION, _LINE_COMMAND, _OTHER_COMMAND, _PROSE))


def _at_column_0(rows: Sequence[str], bare: Sequence[str], joined: bool, term: bool) -> list[str]:
    """The rows with the first tactic, and the others that stand in line with it, at column 0.

    `joined`: it began behind `by` in its line. There its column says nothing, unless another row stands in it.
    """
    below = [_indent(rows[i]) for i in _outside(bare) if i]
    column = _indent(rows[0])
    if below and (term or (joined and (min(below) < column or column not in below))):
        margin = min(below) - 2  # they go on with the first row
    else:
        margin = min([column, *below])
    return ["exact " * term + rows[0].lstrip(), *(_moved(row, margin) for row in rows[1:])]


def _moved(row: str, margin: int) -> str:
    if not row.strip():
        return ""
    return row[min(margin, _indent(row)) :] if margin >= 0 else " " * -margin + row


def _outside(bare: Sequence[str]) -> Iterator[int]:
    """The rows with code that begin outside of all brackets."""
    depth = 0
    for i, row in enumerate(bare):
        if depth == 0 and row.strip():
            yield i
        depth = _depth(row, depth)


def _depth(row: str, depth: int) -> int:
    for bracket in _BRACKET.finditer(row):
        depth = depth + 1 if bracket[1] else max(0, depth - 1)
    return depth


def _read_rows(rows: Sequence[str]) -> list[str]:
    return read("\n".join(rows)).bare.split("\n")


def _indent(row: str) -> int:
    return len(row) - len(row.lstrip())


def _blanked(text: str, start: int, end: int) -> str:
    return text[:start] + _NO_BREAK.sub(" ", text[start:end]) + text[end:]

"""Finds the theorems of a Lean text: where each begins, where its statement ends, and what its proof is.

Every position is an offset in characters. Nothing is elaborated here; Lean has the last word on what the text means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prover.lean_text import Token, code_tokens, line_and_column, tokens

KEYWORDS = ("theorem", "lemma", "example")
_DROPPED = {"private", "protected", "noncomputable", "nonrec", "public", "meta", "local", "scoped"}
_MODIFIERS = _DROPPED | {"unsafe", "partial"}
# These are reserved: wherever one stands outside of brackets, a command begins.
_RESERVED = {"theorem", "example", "def", "abbrev", "axiom", "opaque", "inductive", "structure", "namespace", "section"}
# These are over with their line: what comes next begins a command, however far in it stands.
_BODILESS = {"namespace", "section", "end", "open", "variable", "universe", "import", "set_option", "mutual", "module"}
# These begin a command where they are the first of a line and no further in than the command before.
_COMMANDS = _RESERVED | _MODIFIERS | {
    "lemma", "instance", "class", "coinductive", "mutual", "end", "open", "export", "variable", "variables", "universe",
    "set_option", "attribute", "macro", "macro_rules", "syntax", "notation", "infix", "infixl", "infixr", "prefix",
    "postfix", "elab", "elab_rules", "declare_syntax_cat", "initialize", "builtin_initialize", "deriving", "import",
    "include", "omit", "add_decl_doc", "alias", "run_cmd", "run_elab", "run_meta", "simproc", "dsimproc",
    "register_option", "grind_pattern", "unseal", "seal", "module",
}  # fmt: skip


@dataclass(frozen=True)
class Declaration:
    """A theorem, lemma or example of a text.

    `start` is where the command begins, with its attributes and `open ... in`; `documented` where its doc comment
    begins; `keyword` is where the word `theorem` stands, `signature` what follows the name, `assign` the `:=` (None
    without one). The proof goes from `proof_start` to `end`, without white space and comments around it.
    """

    kind: str
    name: str
    documented: int
    start: int
    keyword: int
    signature: int
    statement_end: int
    assign: int | None
    proof_start: int
    end: int
    has_sorry: bool

    @property
    def is_open(self) -> bool:
        """Whether its proof is still to be found: there is none, or it contains `sorry`."""
        return self.assign is None or self.has_sorry


def declarations(text: str) -> list[Declaration]:
    """The theorems, lemmas and examples of a Lean text, in order."""
    code = code_tokens(text)
    starts = _command_starts(text, code)
    documented = _documented(text)
    found = []
    done = -1
    for at in starts:
        keyword = _keyword_of(code, at) if at > done else None
        if keyword is not None:
            done = keyword  # words up to here, such as the `theorem` after `@[simp]`, begin no command of their own
            end = next((i for i in starts if i > keyword), len(code))
            found.append(_declaration(code, at, keyword, end, documented))
    return found


def _first_of_line(text: str) -> frozenset[int]:
    """Offsets of the tokens that are the first of their line, not counting comments."""
    firsts, fresh = set(), True
    for token in tokens(text):
        if "\n" in token.text and not token.is_code:
            fresh = True
        if token.is_code:
            if fresh:
                firsts.add(token.start)
            fresh = "\n" in token.text
    return frozenset(firsts)


def _documented(text: str) -> dict[int, int]:
    """Where the doc comment before a token begins, for tokens that have one: left alone it would document the next."""
    found: dict[int, int] = {}
    doc: int | None = None
    for token in tokens(text):
        if token.kind == "doc":
            doc = token.start if token.text.startswith("/--") else None
        elif token.kind != "space":
            if doc is not None and token.is_code:
                found[token.start] = doc
            doc = None
    return found


def _command_starts(text: str, code: Sequence[Token]) -> list[int]:
    """Indices of the tokens with which a command, or one of its prefixes, begins.

    `open` and `set_option` also occur inside of proofs: there they are further in than the command they are part of.
    """
    firsts = _first_of_line(text)
    starts: list[int] = []
    column, has_body = 0, False
    for i, token in enumerate(code):
        own_column = token.start - text.rfind("\n", 0, token.start) - 1
        if _begins_anywhere(code, i, firsts) or (
            token.start in firsts
            and token.kind == "name"
            and (token.text in _COMMANDS or token.text.startswith("#"))
            and (own_column <= column or not has_body)
        ):
            starts.append(i)
            column = own_column if token.start in firsts else column
            has_body = token.text not in _BODILESS
    return starts


def _begins_anywhere(code: Sequence[Token], at: int, firsts: frozenset[int]) -> bool:
    """Whether this word begins a command wherever it stands, however far in."""
    token, following = code[at], code[at + 1].text if at + 1 < len(code) else ""
    if token.text in _RESERVED and token.kind == "name":
        return at == 0 or code[at - 1].text not in ("@", "[", ".", ",")
    if token.start not in firsts:
        return False
    if token.text == "lemma":
        return (
            at + 2 < len(code) and code[at + 1].kind == "name" and code[at + 2].text in ("(", "{", "[", "⦃", ":", "⟨")
        )
    return token.text in _MODIFIERS - {"local", "scoped", "meta"} or (token.text == "@" and following == "[")


def _keyword_of(code: Sequence[Token], at: int) -> int | None:
    """The index of `theorem`, `lemma` or `example` of the command that begins at `at`, past modifiers and `... in`."""
    i = at
    while i < len(code):
        token = code[i]
        if token.text in KEYWORDS:
            return i
        if token.text in _MODIFIERS:
            i += 1
        elif token.text == "@" and i + 1 < len(code) and code[i + 1].text == "[":
            i = _after_bracket(code, i + 1)
        elif token.text in ("open", "set_option", "variable", "include", "omit", "attribute"):
            upto = _in_of(code, i)
            if upto is None:
                return None
            i = upto + 1
        else:
            return None
    return None


def _after_bracket(code: Sequence[Token], at: int) -> int:
    depth = 0
    for i in range(at, len(code)):
        depth += (code[i].kind == "open") - (code[i].kind == "close")
        if depth == 0:
            return i + 1
    return len(code)


def _in_of(code: Sequence[Token], at: int) -> int | None:
    """The index of the `in` that makes `open X` and its like part of the next command; None where there is none."""
    depth = 0
    for i in range(at + 1, len(code)):
        token = code[i]
        depth += (token.kind == "open") - (token.kind == "close")
        if depth == 0 and token.text == "in":
            return i
        if (depth == 0 and token.text in _COMMANDS | {"@"}) or token.text.startswith("#"):
            return None
    return None


def _declaration(
    code: Sequence[Token], at: int, keyword: int, end: int, documented: Mapping[int, int]
) -> Declaration:  # fmt: skip
    """The declaration whose tokens are `code[at:end]`."""
    kind = code[keyword].text
    name, after = "", keyword + 1
    if kind != "example" and after < end and code[after].kind == "name":
        name, after = code[after].text, after + 1
    assign = _assign_of(code, after, end)
    start, last = code[at].start, code[end - 1].end
    places = (documented.get(start, start), start, code[keyword].start, code[after - 1].end)
    if assign is None:
        return Declaration(kind, name, *places, last, None, last, last, False)
    statement_end = code[assign - 1].end if assign > after else code[after - 1].end
    proof_start = code[assign + 1].start if assign + 1 < end else code[assign].end
    has_sorry = any(token.text in ("sorry", "admit") for token in code[assign + 1 : end])
    # `:= by` and nothing after it is the beginning of a proof that is still to be written.
    bare = [token.text for token in code[assign + 1 : end]] in ([], ["by"])
    ends = (statement_end, code[assign].start, proof_start, last)
    return Declaration(kind, name, *places, *ends, has_sorry or bare)


def _assign_of(code: Sequence[Token], start: int, end: int) -> int | None:
    """The `:=` that ends the statement: outside of brackets, and not that of a `let` in the statement itself."""
    depth = lets = 0
    for i in range(start, end):
        token = code[i]
        depth += (token.kind == "open") - (token.kind == "close")
        if depth == 0 and token.text in ("let", "have", "letI", "haveI"):
            lets += 1
        elif depth == 0 and token.text == ":=":
            if lets == 0:
                return i
            lets -= 1
    return None


@dataclass(frozen=True)
class Piece:
    """`text` of a statement; it stands at `offset` in the user's own text, or was put in at that place."""

    text: str
    offset: int
    own: bool


def is_private(text: str, found: Declaration) -> bool:
    """Whether it has the modifier `private`, with which Lean gives it another name than the one that is written."""
    return any(token.text == "private" for token in code_tokens(text[found.start : found.keyword]))


def statement_pieces(text: str, found: Declaration, name: str) -> tuple[Piece, ...]:
    """The statement as core Lean reads it: `lemma` and `example` become `theorem`, attributes and `private` go.

    `open X in` and its like stay. The pieces know where they came from: a message can be shown in the user's text.
    """
    pieces: list[Piece] = []
    code = list(tokens(text[found.start : found.keyword]))
    kept_from, i = 0, 0
    while i < len(code):
        token = code[i]
        if token.text in _DROPPED or token.text == "@":
            end = i + 1
            if token.text == "@":
                depth = 0
                while end < len(code):
                    depth += (code[end].kind == "open") - (code[end].kind == "close")
                    end += 1
                    if depth == 0:
                        break
            if end < len(code) and code[end].kind == "space":
                end += 1
            pieces += _own(text, found.start + kept_from, found.start + token.start)
            kept_from = code[end - 1].end
            i = end
        elif token.kind == "doc":
            pieces += _own(text, found.start + kept_from, found.start + token.start)
            kept_from = token.end
            i += 1
        else:
            i += 1
    pieces += _own(text, found.start + kept_from, found.keyword)
    head = f"theorem {name}" if found.kind == "example" or not found.name else "theorem"
    if found.kind == "theorem" and found.name:
        return (*pieces, *_own(text, found.keyword, found.statement_end))
    own_from = found.signature if found.kind == "example" or not found.name else found.keyword + len(found.kind)
    return (*pieces, Piece(head, found.keyword, False), *_own(text, own_from, found.statement_end))


def _own(text: str, start: int, end: int) -> list[Piece]:
    return [Piece(text[start:end], start, True)] if end > start else []


def user_offset(pieces: Sequence[Piece], offset: int) -> int:
    """Where in the user's text the character `offset` of the joined pieces stands."""
    for piece in pieces:
        if offset <= len(piece.text) and (offset < len(piece.text) or piece is pieces[-1]):
            return piece.offset + offset if piece.own else piece.offset
        offset -= len(piece.text)
    return pieces[-1].offset + len(pieces[-1].text) if pieces else 0


def header_before(text: str, found: Sequence[Declaration], index: int, proofs: Mapping[int, str]) -> str:
    """Everything before the `index`-th declaration: open ones are left out, unless `proofs` has a proof for them.

    What is left out leaves its line breaks, so that lines keep their numbers where no proof was put in.
    """
    return _rewritten(text, found[index].documented, found[:index], proofs, leave_out=True).rstrip()


def with_proofs(text: str, found: Sequence[Declaration], proofs: Mapping[int, str]) -> str:
    """The whole text with the proofs of those declarations that have one in `proofs`.

    The rest stays as it is, but for the word `lemma`, which core Lean does not know: it becomes `theorem`.
    """
    return _rewritten(text, len(text), found, proofs, leave_out=False)


def _rewritten(
    text: str, end: int, found: Sequence[Declaration], proofs: Mapping[int, str], leave_out: bool
) -> str:  # fmt: skip
    parts, at = [], 0
    for i, declaration in enumerate(found):
        if i not in proofs and declaration.is_open and leave_out:
            start = declaration.documented
            parts += [text[at:start], "\n" * text.count("\n", start, declaration.end)]
            at = declaration.end
            continue
        after_word = declaration.keyword + len(declaration.kind)
        parts += [text[at : declaration.keyword], "theorem" if declaration.kind == "lemma" else declaration.kind]
        at = after_word
        if i in proofs:
            margin = " " * line_and_column(text, declaration.start)[1]
            parts += [text[at : declaration.statement_end], " := ", proofs[i].replace("\n", "\n" + margin)]
            at = declaration.end
        elif declaration.proof_start == declaration.end or text[declaration.proof_start : declaration.end] == "by":
            parts += [text[at : declaration.statement_end], " := by sorry"]
            at = declaration.end
    return "".join(parts) + text[at:end]

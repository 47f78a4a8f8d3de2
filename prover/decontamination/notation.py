"""Lean text as tokens in one notation, and statements in a normal form in which layout, names and brackets are gone.

Nothing is elaborated here, so this works for statements that no Lean at hand can read, Lean 3's included.
"""

from collections.abc import Callable, Iterator, Sequence

from prover.lean_file import KEYWORDS
from prover.lean_text import BRACKETS, CLOSING, code_tokens

# What Lean and Mathlib write in two ways; Lean 3's `λ` and `Π` too.
_SAME = {
    "ℕ": "Nat", "ℤ": "Int", "ℚ": "Rat", "ℝ": "Real", "ℂ": "Complex",
    "<=": "≤", ">=": "≥", "->": "→", "<-": "←", "<->": "↔", "/\\": "∧", "\\/": "∨", "λ": "fun", "↦": "=>", "$": "<|",
    "forall": "∀", "Π": "∀", "exists": "∃",
}  # fmt: skip
# Symbols that the lexer gives in pieces.
_JOINED = frozenset([("-", ">"), ("<", "-"), ("<-", ">"), ("/", "\\"), ("\\", "/")])
_BIG = frozenset("∑∏⨆⨅⋃⋂")
_BINDERS = frozenset(["∀", "∃", "fun", "Σ", *_BIG])
_ENDS = frozenset([",", "=>"])
# Looser than `→`, or open to the right: inside of parentheses they bind otherwise than outside.
_LOOSE = frozenset(["→", "↔", "<|", "|>", ",", ":", "=>", "let", "have", "if", "·", *_BINDERS])
# What follows is bound here, or is a universe.
_BEFORE_A_NAME = frozenset(["let", "have", "Type", "Sort"])
_PUNCTUATION = CLOSING | {*BRACKETS, ":", ","}
_TYPES = _PUNCTUATION | {"→", "×", "*", "_"}
_WORDS = frozenset(["let", "have", "if", "then", "else", "match", "with", "in", "show", "from", "by", "at", "_"])


def notation_tokens(text: str) -> list[str]:
    """The tokens of Lean text without white space and comments: `ℕ` is `Nat`, `<=` is `≤`, `λ x, y` is `fun x => y`."""
    found: list[str] = []
    end = -1
    for token in code_tokens(text):
        word = token.text
        if found and token.start == end and (found[-1], word) in _JOINED:
            found[-1] += word
        elif len(word) > 1 and word[0] == "λ":
            found += ["λ", word[1:]]
        else:
            found.append(word)
        end = token.end
    found = [_SAME.get(word, word) for word in found]
    for start, stop in _regions(found):
        if found[start - 1] == "fun" and found[stop] == ",":
            found[stop] = "=>"
        elif found[start - 1] in _BIG:
            found[start:stop] = ["∈" if word == "in" else word for word in found[start:stop]]
    return found


def signature_tokens(statement: str) -> list[str]:
    """The tokens of a statement from its binders on: without `theorem`, its name and what stands before."""
    found = notation_tokens(statement)
    at = next((i for i, word in enumerate(found) if word in KEYWORDS), None)
    if at is None:
        return found
    at += 1 if found[at] == "example" else 2
    if found[at : at + 2] == [".", "{"]:  # names of universes
        at = next((i for i in range(at, len(found)) if found[i] == "}"), at - 1) + 1
    return found[at:]


def normal_form(statement: str) -> str:
    """The statement in a form that many ways to write it down share.

    White space, comments, the theorem's name, ASCII or Unicode notation, superfluous parentheses and the brackets of
    its binders do not count; `(a b : T)` is `(a : T) (b : T)`. Names of variables and hypotheses that the statement
    binds are numbered in the order in which they first appear, universes too. The order of hypotheses counts, and so
    does everything that only elaboration can tell.
    """
    found = _apart(_bare(signature_tokens(statement)))
    bound = _bound(found)
    numbers: dict[str, str] = {}
    parts = []
    for word in found:
        head, dot, rest = word.partition(".")
        if head in bound:
            parts.append(numbers.setdefault(head, f"#{len(numbers)}") + dot + rest)
        else:
            parts.append(word)
    return " ".join(parts)


def gram_words(statement: str) -> list[str]:
    """The tokens of a statement, or of a proof, that count for runs of tokens: those that say what is peculiar to it.

    Brackets, colons and commas are left out, and so are variables where they are declared: `(a b : Real) (f : Real →
    Real)` begins many a statement.
    """
    found = _in_regions(_apart(signature_tokens(statement)), _without_data)
    return [word for word in found if word not in _PUNCTUATION]


def _pairs(words: Sequence[str]) -> dict[int, int]:
    """Opening bracket -> closing one, by place; those that have no partner are left out."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for i, word in enumerate(words):
        if word in BRACKETS:
            opened.append(i)
        elif word in CLOSING and opened and BRACKETS[words[opened[-1]]] == word:
            found[opened.pop()] = i
    return found


def _top(words: Sequence[str], start: int, stop: int, pairs: dict[int, int]) -> Iterator[int]:
    """The places between `start` and `stop` that are in no bracket; an opening bracket stands for all that is in it."""
    i = start
    while i < stop:
        yield i
        i = pairs.get(i, i) + 1


def _regions(words: Sequence[str]) -> list[tuple[int, int]]:
    """For each `∀`, `∃`, `fun`, `∑`, ...: where its binders begin, and the place of the `,` or `=>` that ends them."""
    pairs = _pairs(words)
    found = []
    for at, word in enumerate(words):
        if word in _BINDERS:
            for i in _top(words, at + 1, len(words), pairs):
                if words[i] in CLOSING:
                    break
                if words[i] in _ENDS:
                    found.append((at + 1, i))
                    break
    return found


def _signature(words: Sequence[str]) -> tuple[int, int]:
    """Where the binders before the statement's colon begin and end."""
    for i in _top(words, 0, len(words), _pairs(words)):
        if words[i] == ":":
            return 0, i
    return 0, 0


def _is_name(word: str) -> bool:
    return (word[0].isalpha() or word[0] in "_«") and word not in _WORDS and word not in _BINDERS


def _names_before_colon(words: Sequence[str], start: int, stop: int) -> int | None:
    """The place of the colon of `a b : T`; None where something else stands between `start` and `stop`."""
    for i in range(start, stop):
        if words[i] == ":":
            return i if i > start else None
        if not _is_name(words[i]) and words[i] != "_":
            return None
    return None


def _bare(words: list[str]) -> list[str]:
    """Without parentheses that change nothing."""
    while True:
        pairs = _pairs(words)
        dropped = {i for start, end in pairs.items() if _superfluous(words, start, end, pairs) for i in (start, end)}
        if not dropped:
            return words
        words = [word for i, word in enumerate(words) if i not in dropped]


def _superfluous(words: Sequence[str], start: int, end: int, pairs: dict[int, int]) -> bool:
    if words[start] != "(" or end == start + 1:
        return False
    if pairs.get(start + 1) == end - 1 and words[start + 1] == "(":
        return True  # one of two pairs
    if end == start + 2:
        return _is_name(words[start + 1]) or words[start + 1][0].isdigit()
    before = words[start - 1] if start else ":"
    after = words[end + 1] if end + 1 < len(words) else ")"
    inside = {words[i] for i in _top(words, start + 1, end, pairs)}
    if before in (":", ",", "=>", "→") and after == ")" and words[start + 1] in ("∀", "∃", "fun"):
        return True
    if before in (":", ",", "=>") and after in (")", ","):
        return not inside & {",", ":", "·", "=>"}
    if before == "→" and after in (")", ","):
        return not inside & (_LOOSE - {"→"})
    if before in (":", ",", "=>", "→", "(") and after == "→":
        return not inside & _LOOSE
    return False


def _apart(words: list[str]) -> list[str]:
    """With parentheses of its own for each variable of the signature and of quantifiers: `∀ a b : T,` is
    `∀ (a : T) (b : T),`.
    """
    return _in_regions(words, _split)


def _in_regions(words: list[str], change: Callable[[list[str]], list[str]]) -> list[str]:
    """With the binders of the signature and of every quantifier changed."""
    left = sorted([_signature(words), *_regions(words)])
    while left:
        start, stop = left.pop()  # those inside of others come before them
        new = change(words[start:stop])
        words = [*words[:start], *new, *words[stop:]]
        more = len(new) - (stop - start)
        left = [(a, b + more if b >= stop else b) for a, b in left]
    return words


def _without_data(region: list[str]) -> list[str]:
    """Binders but for those whose type has nothing in it but names and arrows, as `(f : Nat → Real)`."""
    pairs = _pairs(region)
    parts: list[str] = []
    for i in _top(region, 0, len(region), pairs):
        end = pairs.get(i, i)
        colon = _names_before_colon(region, i + 1, end)
        if colon is None or not all(word in _TYPES or _is_name(word) for word in region[colon + 1 : end]):
            parts += region[i : end + 1]
    return parts


def _split(region: list[str]) -> list[str]:
    colon = _names_before_colon(region, 0, len(region))
    if colon is not None:
        return [part for name in region[:colon] for part in ("(", name, *region[colon:], ")")]
    pairs = _pairs(region)
    parts: list[str] = []
    for i in _top(region, 0, len(region), pairs):
        end = pairs.get(i, i)
        colon = _names_before_colon(region, i + 1, end)
        if end == i or region[i] not in "({⦃" or colon is None:
            parts += region[i : end + 1]
        else:
            type_ = region[colon:end]
            parts += [part for name in region[i + 1 : colon] for part in ("(", name, *type_, ")")]
    return parts


def _bound(words: Sequence[str]) -> set[str]:
    """The names that the statement binds itself."""
    pairs = _pairs(words)
    found: set[str] = set()
    for start, stop in [_signature(words), *_regions(words)]:
        for i in _top(words, start, stop, pairs):
            end = pairs.get(i, i)
            if end > i and words[i] == "⟨":
                found.update(word for word in words[i:end] if _is_name(word))
            elif end > i:
                colon = _names_before_colon(words, i + 1, end)
                found.update(words[i + 1 : colon] if colon is not None else ())
            elif _is_name(words[i]):
                found.add(words[i])
            else:
                break
    for i, end in pairs.items():
        colon = _names_before_colon(words, i + 1, end)
        if colon is not None and end + 1 < len(words) and words[end + 1] == "→":
            found.update(words[i + 1 : colon])
        elif words[i] == "{" and end > i + 2 and _is_name(words[i + 1]) and words[i + 2] in (":", "|", "∈"):
            found.add(words[i + 1])
    found.update(words[i + 1] for i, word in enumerate(words[:-1]) if word in _BEFORE_A_NAME and _is_name(words[i + 1]))
    return {name for name in found if "." not in name and name != "_"}

"""Whether elaborating a text may run code of its author's, told from the text alone, with a margin.

Lean runs code while it elaborates: `#eval`, macros, notations (an antiquotation `$(..)` is evaluated), elaborators,
configurations, attributes with handlers, constants that stand for a tactic or for a number. It can do anything to its
process. Texts that may hold any are elaborated in a process of their own, which is thrown away afterwards (see
verifier.py); a text that only mentions such a word costs a process start, nothing more. Keywords cannot be written in
another way in Lean than letter by letter, so looking for letters is enough.

There are two nets. The server takes commands of a few known kinds only (`harmless` in ProverServer.lean: theorems,
`open`, `section` and the like); whatever else a candidate wants goes apart, so that no constant of the author's that
could be evaluated is ever made beside the judge. This scan is for what can stand inside of a theorem.
"""

import re

# Parts of words: `elab` also stands for elab_rules, by_elab, term_elab and run_elab.
RUNS_CODE = re.compile(
    r"eval|elab|macro|run_|simproc|unsafe|init|native|guard|extern|implemented_by|csimp|export|register_|builtin"
    r"|bv_decide|plausible|slim_check|polyrith|include_str|unexpander|delab|parser|predicate|handler|linter|widget"
    r"|rpc|code_action|incremental|compile|config|debug|aesop|syntax|notation|declare_|Parser|M\b|IO\b|#[A-Za-z_]"
    r"|reduceBool|reduceNat|autoParam|Syntax|suggestions|verso|async"
    r"|\b(?:infix|infixl|infixr|prefix|postfix)\b|\$\S"
)
# Longer ones, or such with more named values, are not looked through: that would take longer than a process start.
LONGEST = 20_000
MOST_VALUES = 50
# `simp (maxSteps := e)` evaluates e, and nothing tells it from a named argument. A value can do harm if it rests on
# a false proof: on a constant of the author's, or on a proof of its own that failed.
NAMED_VALUE = re.compile(r"\(\s*[\w.«»✝]+\s*:=")
# A comment could hide such a value.
HIDDEN_VALUE = re.compile(r"\(\s*(?:[\w.«»✝]+\s*)?(?:--|/-)")
LITERAL = re.compile(r"\s*(\d+|true|false|_)\s*\)")
FALSE_PROOF = re.compile(r"\bby\b|sorry|admit|axiom|lcProof|lcUnreachable|ofReduce|lcAny|lcCast|nomatch|absurd")
# Local definitions become constants, which what follows can evaluate.
DEFINES = re.compile(r"\b(def|abbrev|instance|opaque|structure|inductive|class|example|mutual|where|rec)\b")
PROVES = re.compile(r"\b(theorem|lemma)\b")
# Brackets in these are none.
QUOTED = re.compile(r"""["]|--|/-|(?<!\w)'""")
ATTRIBUTES = re.compile(r"@\[|attribute")
ATTRIBUTE_WORD = re.compile(r"[^\W\d][\w!?.]*")
HARMLESS_ATTRIBUTES = frozenset(
    [
        "simp",
        "ext",
        "reducible",
        "inline",
        "instance",
        "local",
        "scoped",
        "irreducible",
        "semireducible",
        "elab_as_elim",
        "grind",
        "refl",
        "symm",
        "trans",
        "congr",
        "default_instance",
        "simps",
        "to_additive",
        "norm_cast",
        "push_cast",
        "gcongr",
        "mono",
        "high",
        "low",
        "default",
        "expose",
        "always_inline",
        "noinline",
        "specialize",
        "match_pattern",
        "coe",
        "deprecated",
        "since",
        "eq",
        "intro",
    ]
)


def runs_code(text: str) -> bool:
    """Whether elaborating `text` may run code that its author wrote."""
    if len(text) > LONGEST or RUNS_CODE.search(text) or HIDDEN_VALUE.search(text) or DEFINES.search(text):
        return True
    values = [match.end() for match in NAMED_VALUE.finditer(text) if not LITERAL.match(text, match.end())]
    if values and (len(values) > MOST_VALUES or _leans_on_others(text)):
        return True
    if any(not _harmless_value(text, start) for start in values):
        return True
    lists = [match.end() for match in ATTRIBUTES.finditer(text)]
    return len(lists) > MOST_VALUES or any(not _harmless(text, start) for start in lists)


def _leans_on_others(text: str) -> bool:
    """Whether there is a proof besides the theorem's own, which may be of something false."""
    proved = len(PROVES.findall(text))
    return proved > 1 or (proved == 1 and not text.lstrip().startswith(("theorem", "lemma")))


def _harmless_value(text: str, start: int) -> bool:
    """Whether the value that begins at `start` cannot rest on a false proof, should it be evaluated."""
    depth = 1
    for end in range(start, len(text)):
        depth += (text[end] == "(") - (text[end] == ")")
        if depth == 0:
            return not FALSE_PROOF.search(text, start, end) and not QUOTED.search(text, start, end)
    return False


def _harmless(text: str, start: int) -> bool:
    """Whether the attributes whose list begins about `start` are all known to have no handler of the author's."""
    end = text.find("]", start)
    if end < 0:
        return False
    return all(word in HARMLESS_ATTRIBUTES for word in ATTRIBUTE_WORD.findall(text[start:end]))

"""What is to be proved and what is offered as its proof: plain, frozen data."""

from dataclasses import dataclass
from typing import Literal

DEFAULT_HEADER = "import Init"


@dataclass(frozen=True)
class Theorem:
    """A statement that the user vouches for.

    `statement` is Lean text up to but without `:=`, such as `theorem two_mul' (n : Nat) : n + n = 2 * n`; `header` is
    what stands before it in a file: imports first, then opens, options, definitions. An empty header imports `Init`.
    """

    name: str
    statement: str
    header: str = ""


@dataclass(frozen=True)
class Candidate:
    """A proof offered by someone who is not trusted.

    `kind` is `proof` (`text` goes after `:=`) or `code` (`text` is a file body that is to contain the theorem).
    """

    text: str
    kind: Literal["proof", "code"] = "proof"

"""The Lean code that prompts show: header, statement, the proof so far, and a failed proof with its messages."""

from dataclasses import dataclass

from lean_env.theorem import Theorem
from search.policy import FailedProof

# What published provers were trained behind (deepseek-ai/DeepSeek-Prover-V1.5, prover/utils.py). It is shown for a
# theorem without a header, as their code does with rows that have none: they have never seen a prompt without.
PUBLISHED_HEADER = """\
import Mathlib
import Aesop

set_option maxHeartbeats 0

open BigOperators Real Nat Topology Rat

"""


def stated(theorem: Theorem) -> str:
    """Header, blank line, and statement without `:=`."""
    header = f"{theorem.header.strip()}\n\n" if theorem.header.strip() else PUBLISHED_HEADER
    return header + theorem.statement.strip()


def begun(prefix: str) -> str:
    """The tactics of a prefix as lines of a proof, indented by two blanks; empty without a prefix."""
    return "".join(f"  {row}\n" if row.strip() else "\n" for row in prefix.split("\n")) if prefix.strip() else ""


@dataclass(frozen=True)
class Error:
    """What Lean says of a place in a file's text: `line` and `column` from 0."""

    line: int
    column: int
    message: str


def refused(theorem: Theorem, failed: FailedProof) -> tuple[str, list[Error]]:
    """The code with a proof that was refused, and Lean's errors with their places in that code, in order.

    Only errors are taken of its messages, whose places are in the proof's own text; one outside of it is moved inside.
    """
    lead = f"{stated(theorem)} := "
    code = lead + failed.text.strip("\n").rstrip()
    rows = code.split("\n")
    above, before = lead.count("\n"), len(lead) - lead.rfind("\n") - 1
    errors = []
    for message in failed.messages:
        if message.get("severity", "error") != "error":
            continue
        own_line, column = _number(message.get("line"), 1), _number(message.get("column"), 0)
        line = min(max(own_line - 1, 0) + above, len(rows) - 1)
        column = min(max(column, 0) + (before if line == above else 0), len(rows[line]))
        errors.append(Error(line, column, str(message.get("message", ""))))
    return code, errors


def _number(value: object, default: int) -> int:
    return value if isinstance(value, int) else default

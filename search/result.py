"""What a search gives back, and the Lean text of a list of tactics."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lean_env.verdict import Verdict
from search.budget import Spent

Stopped = Literal[
    "proved",  # the judge accepted a proof
    "budget",  # a limit was reached
    "exhausted",  # nothing was left to try
    "lost",  # Lean was lost and did not come back
    "interrupted",  # the caller asked to stop
]


@dataclass(frozen=True)
class SearchResult:
    """How an attempt ended. `proof` is the text after `:=`; `verdict` is the judge's, where the caller has one."""

    proof: str | None
    spent: Spent
    stopped: Stopped
    verdict: Verdict | None = None


def proof_text(tactics: Sequence[str]) -> str:
    """`by` and the tactics below it, one after another, every line indented by two spaces."""
    lines = [line for tactic in tactics for line in tactic.split("\n")]
    return "by\n" + "\n".join(f"  {line}" if line.strip() else "" for line in lines)

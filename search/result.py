"""What a search gives back, and the Lean text of a list of tactics."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from lean_env.verdict import Verdict
from search.budget import Spent
from search.graph.proof_graph import ProofGraph

Stopped = Literal[
    "proved",  # the judge accepted a proof
    "budget",  # a limit was reached
    "exhausted",  # nothing was left to try
    "lost",  # Lean was lost and did not come back
    "interrupted",  # the caller asked to stop
    "policy",  # the policy or the critic raised an error, or answers of its model were lost; `message` says which
]

Side = Literal["statement", "negation"]


@dataclass(frozen=True)
class SearchResult:
    """How an attempt ended. `proof` is the text after `:=`, and `verdict` what the judge said of it.

    `side` says what it proves: the statement, or its negation (`disprove`). `graph` is all that the search has seen.
    """

    proof: str | None
    spent: Spent
    stopped: Stopped
    verdict: Verdict | None = None
    graph: ProofGraph | None = field(default=None, repr=False, compare=False)
    side: Side = "statement"
    message: str = ""


def proof_text(tactics: Sequence[str]) -> str:
    """`by` and the tactics below it, one after another, every line indented by two spaces."""
    lines = [line for tactic in tactics for line in tactic.split("\n")]
    return "by\n" + "\n".join(f"  {line}" if line.strip() else "" for line in lines)

"""What a search tells while it runs: progress displays and pictures are drawn from these alone."""

from dataclasses import dataclass

from lean_env.goal import ProofFinished, TacticError, TacticState
from search.budget import Spent
from search.policy import Proposal


@dataclass(frozen=True)
class NodeAdded:
    """A tactic state that had not been seen entered the tree; `node` counts from 0, the root, which has no parent."""

    node: int
    parent: int | None
    state: TacticState
    spent: Spent


@dataclass(frozen=True)
class EdgeTried:
    """A proposal was run on node `node` and gave `result`."""

    node: int
    proposal: Proposal
    result: TacticState | TacticError | ProofFinished
    spent: Spent


@dataclass(frozen=True)
class ProofFound:
    """A proof was claimed and judged; `accepted` is what the judge said. Only an accepted one is a proof."""

    text: str
    accepted: bool
    spent: Spent


SearchEvent = NodeAdded | EdgeTried | ProofFound

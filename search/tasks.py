"""What an algorithm may ask for, one thing at a time, and what it hears of it."""

from dataclasses import dataclass, field

from search.graph.proof_graph import Edge, Node
from search.policy import Completion, FailedProof


@dataclass(frozen=True)
class Ask:
    """Ask the policy for tactics on a node. Counts as one sample."""

    node: Node


@dataclass(frozen=True)
class Asked:
    """The untried edges that came of it, most likely first; those that the node had are left out."""

    node: Node
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Try:
    """Run an edge's tactic with so many of Lean's heartbeats (in thousands). Counts as one Lean call."""

    edge: Edge
    heartbeats: int


@dataclass(frozen=True)
class Tried:
    """The edge has its new status; `new` are the nodes that nobody had seen. `limit`: more heartbeats might help."""

    edge: Edge
    new: tuple[Node, ...] = ()
    limit: bool = False


@dataclass(frozen=True)
class Complete:
    """Have the policy complete the proof from a node: one sample. Its tactics are run one after another, or `whole`.

    `path` are the edges from the root that lead there; the simulation is booked on them.
    """

    node: Node
    path: tuple[Edge, ...] = ()
    whole: bool = False
    heartbeats: int = 200_000


@dataclass(frozen=True)
class Completed:
    """How far the completion stood: the edges that work, and the nodes that nobody had seen.

    `completion` is None where the policy returned nothing; `broke_off` says that the run was cut short by the budget.
    """

    task: Complete
    completion: Completion | None
    edges: tuple[Edge, ...] = ()
    new: tuple[Node, ...] = ()
    broke_off: bool = field(default=False)


@dataclass(frozen=True)
class Write:
    """Have the policy write a proof of the theorem, or correct one that failed, and the judge look at it.

    One sample and, unless that proof was there before, one Lean call.
    """

    failed: FailedProof | None = None


@dataclass(frozen=True)
class Written:
    """What came of it; `refused` is a new proof that the judge did not take, with what it said. Else as `Completed`."""

    task: Write
    completion: Completion | None
    refused: FailedProof | None = None
    broke_off: bool = field(default=False)


Task = Ask | Try | Complete | Write
Outcome = Asked | Tried | Completed | Written

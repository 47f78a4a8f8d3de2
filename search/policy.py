"""What a search wants of others, as Protocols: a policy that proposes tactics, and a session that runs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lean_env.goal import ProofFinished, TacticError, TacticState
from lean_env.theorem import Theorem


@dataclass(frozen=True)
class Proposal:
    """One tactic that a policy would try, and how likely it finds it.

    `text` may hold several lines, the first at column 0; `log_probability` is natural and at most 0.
    """

    text: str
    log_probability: float


class TacticPolicy(Protocol):
    """Proposes tactics for a tactic state."""

    def propose(self, state: TacticState, theorem: Theorem) -> Sequence[Proposal]:
        """The tactics to try on `state`, most likely first; an empty sequence says that it knows none.

        The probabilities of the answer sum to at most 1. The same state may be asked about more than once.
        """
        ...


class Session(Protocol):
    """A place where tactics run: `lean_env.ProofSession`, or a hand-made graph in a test of an algorithm."""

    @property
    def start(self) -> TacticState:
        """The state of the theorem before any tactic."""
        ...

    def run_tactic(
        self, state: TacticState, text: str, *, heartbeats: int = 200_000, wall_seconds: float = 10.0
    ) -> TacticState | TacticError | ProofFinished:
        """What `text` makes of `state`; `state` itself can be continued from again."""
        ...

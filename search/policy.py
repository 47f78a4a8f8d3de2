"""What a search wants of others, as Protocols: policies, a critic, a session that runs tactics, and a judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from lean_env.goal import ProofFinished, TacticError, TacticState
from lean_env.theorem import Theorem
from lean_env.verdict import Verdict


@dataclass(frozen=True)
class Proposal:
    """One tactic that a policy would try, and how likely it finds it.

    `text` may hold several lines, the first at column 0; `log_probability` is natural and at most 0. `tokens` is what
    it cost. A blank text, which is not tried, stands for answers that held no tactic.
    """

    text: str
    log_probability: float
    tokens: int = 0


class TacticPolicy(Protocol):
    """Proposes tactics for a tactic state."""

    def propose(self, state: TacticState, theorem: Theorem) -> Sequence[Proposal]:
        """The tactics to try on `state`, most likely first; an empty sequence says that it knows none.

        The probabilities of the answer sum to at most 1. The same state may be asked about more than once.
        """
        ...


@dataclass(frozen=True)
class ProofPrompt:
    """Where a proof is to be completed from: after the tactics of `prefix` (lines at column 0), which lead to `state`.

    `seed` is the sample's own: the same prompt and seed give the same completion.
    """

    theorem: Theorem
    state: TacticState
    prefix: str = ""
    seed: int = 0


@dataclass(frozen=True)
class Completion:
    """What follows the prefix, as tactics at column 0. Token ids and their log-probabilities where there are tokens.

    `finish` is `length` where the text was cut off by a limit of tokens. `tokens` is the cost, prompt excluded.
    """

    text: str
    log_probability: float = 0.0
    tokens: int = 0
    finish: Literal["stop", "length"] = "stop"
    token_ids: tuple[int, ...] = ()
    token_log_probabilities: tuple[float, ...] = ()


class ProofPolicy(Protocol):
    """Completes whole proofs."""

    def complete(self, prompts: Sequence[ProofPrompt]) -> Sequence[Completion]:
        """One completion for each prompt, in order; fewer say that it knows nothing for the last ones."""
        ...


@dataclass(frozen=True)
class FailedProof:
    """A proof that the judge refused: the `text` after `:=`, and the verdict's `messages`.

    A message has `message`, and `line` and `column` in the text. `round` corrections led to it from a fresh sample;
    `previous` is the proof that the last of them was to correct.
    """

    text: str
    messages: tuple[dict[str, Any], ...]
    round: int = 0
    previous: "FailedProof | None" = None

    def history(self) -> tuple["FailedProof", ...]:
        """All that led to it, the fresh sample first, and itself last."""
        found, failed = [self], self.previous
        while failed is not None:
            found.append(failed)
            failed = failed.previous
        return tuple(reversed(found))


class CorrectingPolicy(ProofPolicy, Protocol):
    """Completes whole proofs, and corrects those that failed."""

    def correct(self, prompt: ProofPrompt, failed: FailedProof) -> Completion | None:
        """Another proof from the prompt's state, after what was said of one that failed; None if it knows none."""
        ...


class Critic(Protocol):
    """Says how provable states look."""

    def score(self, states: Sequence[TacticState]) -> Sequence[float]:
        """For each state the natural logarithm of the probability that it can be proved, at most 0."""
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


class Judge(Protocol):
    """Has the last word on a claimed proof: `lean_env.Verifier`, as the caller wraps it."""

    def __call__(self, theorem: Theorem, proof: str, seconds: float) -> Verdict:
        """Whether `proof`, the text after `:=`, proves the theorem, said within `seconds` of wall clock."""
        ...

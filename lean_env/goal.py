"""Goals and tactic states as plain data, and the three things that running a tactic can give."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Hypothesis:
    """One line of a goal's context: `names : type`, or `name : type := value`."""

    names: tuple[str, ...]
    type: str
    value: str | None = None


@dataclass(frozen=True)
class Goal:
    """One goal as Lean shows it; `pretty` is Lean's own text of the whole of it."""

    target: str
    hypotheses: tuple[Hypothesis, ...] = ()
    case: str | None = None
    pretty: str = ""


@dataclass(frozen=True)
class TacticState:
    """A list of open goals, and the path of tactics from the start of the theorem that leads here.

    Immutable: any state can be continued from, any number of times. `handle` is the server's name for it;
    `path` rebuilds it on another worker if the one that held it is gone. `depth` = len(path).
    """

    goals: tuple[Goal, ...]
    path: tuple[str, ...] = ()
    handle: int = field(default=-1, compare=False)
    generation: int = field(default=-1, compare=False, repr=False)
    seconds: float = field(default=0.0, compare=False)

    @property
    def pretty(self) -> str:
        return "\n\n".join(goal.pretty for goal in self.goals)


@dataclass(frozen=True)
class TacticError:
    """The tactic did not apply: it does not parse, Lean says `error`, heartbeats ran out, or no answer came."""

    message: str
    kind: Literal["parse", "error", "limit", "timeout", "lost"] = "error"
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class ProofFinished:
    """No goal is left. `path` is the whole list of tactics; only the `Verifier` can say that it is a proof."""

    path: tuple[str, ...]
    seconds: float = field(default=0.0, compare=False)

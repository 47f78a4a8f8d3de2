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
    """One goal as Lean shows it; `pretty` is Lean's own text of the whole of it.

    `key` is Lean's fingerprint of it: the same for goals that differ in nothing but names, the order and repetition of
    facts, and facts that say `True`; empty where no Lean gave one. `metavariables` are those that it is or mentions;
    `open` are the same in Lean's order: first the one that it is.
    """

    target: str
    hypotheses: tuple[Hypothesis, ...] = ()
    case: str | None = None
    pretty: str = ""
    key: str = field(default="", compare=False)
    metavariables: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    open: tuple[str, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True)
class Focus:
    """A step of a path that is not a tactic: from here on only the goals at these places count."""

    goals: tuple[int, ...]


Step = str | Focus


@dataclass(frozen=True)
class TacticState:
    """A list of open goals, and the path of steps from the start of the theorem that leads here.

    Immutable: any state can be continued from, any number of times. `handle` is the server's name for it;
    `path` rebuilds it on another worker if the one that held it is gone. `depth` = len(path).
    """

    goals: tuple[Goal, ...]
    path: tuple[Step, ...] = ()
    handle: int = field(default=-1, compare=False)
    generation: int = field(default=-1, compare=False, repr=False)
    seconds: float = field(default=0.0, compare=False)

    @property
    def tactics(self) -> tuple[str, ...]:
        """The tactics of the path."""
        return tuple(step for step in self.path if isinstance(step, str))

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
    """No goal is left. `path` is the whole list of steps; only the `Verifier` can say that it is a proof."""

    path: tuple[Step, ...]
    seconds: float = field(default=0.0, compare=False)

    @property
    def tactics(self) -> tuple[str, ...]:
        """The tactics of the path."""
        return tuple(step for step in self.path if isinstance(step, str))


def independent(goals: tuple[Goal, ...]) -> list[tuple[int, ...]]:
    """The places of the goals, in groups that share no metavariable: each can be proved without the others."""
    groups: list[tuple[set[str], list[int]]] = []
    for place, goal in enumerate(goals):
        names, places = set(goal.metavariables), [place]
        apart = []
        for group in groups:
            if group[0] & names:
                names |= group[0]
                places = group[1] + places
            else:
                apart.append(group)
        groups = [*apart, (names, places)]
    return sorted(tuple(sorted(places)) for _, places in groups)


def focused(state: TacticState, places: tuple[int, ...]) -> TacticState:
    """The state in which only the goals at these places are left, in their order; it is finished when they are.

    Meant for groups that share no metavariable with the other goals (`independent`). Plain data: Lean hears of it when
    a tactic is run on it.

    Raises:
        ValueError: there is no goal at one of the places, or none is named.
    """
    step = Focus(tuple(sorted(set(places))))
    if not step.goals or not set(step.goals) <= set(range(len(state.goals))):
        raise ValueError(f"a state with {len(state.goals)} goals has none at {places}")
    return TacticState(tuple(state.goals[place] for place in step.goals), (*state.path, step))

"""Both sides of a question: a theorem and its negation take turns under one budget, until one of them is proved.

The statement has a slice of time, then its negation as much as that took, and the slices double. Graphs and sessions
are kept, so that a turn begins where the last one ended.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from math import inf

from lean_env.theorem import Theorem
from search.algorithms.best_first import BestFirst
from search.budget import Budget, Spent
from search.driver import Limits
from search.entry import Plan, SessionFactory, prove
from search.events import NodeAdded, SearchEvent
from search.graph.proof_graph import ProofGraph
from search.policy import Judge, ProofPolicy, Session, TacticPolicy
from search.result import SearchResult, Side

FIRST_SLICE = 1.0


def prove_or_disprove(
    theorem: Theorem,
    negation: Theorem,
    policy: TacticPolicy | ProofPolicy,
    session_factory: SessionFactory,
    algorithm: Plan = BestFirst(),
    budget: Budget = Budget(),
    on_event: Callable[[SearchEvent, Side], None] = lambda event, side: None,
    *,
    judge: Judge,
    workers: int = 1,
    seed: int = 0,
    should_stop: Callable[[], bool] = lambda: False,
    limits: Limits = Limits(),
    clock: Callable[[], float] = time.monotonic,
) -> SearchResult:
    """Looks for a proof of `theorem` and of `negation` (see lean_env/negation.py); the result's `side` says of which.

    The budget is one for both, and what the result says was spent is the sum. A side with nothing left to try leaves
    the rest to the other. All `workers` work on the side whose turn it is. Where neither is proved, the graph is the
    statement's. Events number the nodes of each side from 0, and say what both have spent.

    Raises:
        StatementError: the statement or its header does not elaborate.
        ValueError: the algorithm wants another kind of policy.
    """
    began = clock()
    statement, other = sides = (_Attempt("statement", theorem), _Attempt("negation", negation))
    result, out_of_budget, interrupted = SearchResult(None, Spent(), "budget"), False, False

    def spent() -> Spent:
        return replace(statement.spent + other.spent, seconds=clock() - began)

    with ExitStack() as stack:
        for turn, (side, seconds) in enumerate(_turns(statement, other, lambda: budget.seconds_left(spent()))):
            left = _left(budget, spent())
            if not left.allows_lean_call(Spent()):
                out_of_budget = True
                break
            turn_is_over = _Alarm(clock, clock() + seconds)
            result = prove(
                side.theorem,
                policy,
                side.sessions(session_factory, stack),
                algorithm,
                left,
                _told(on_event, side, spent),
                judge=judge,
                workers=workers,
                seed=seed + turn,  # a turn is not to draw again what an earlier one has drawn
                graph=side.graph,
                should_stop=lambda alarm=turn_is_over: should_stop() or alarm(),  # type: ignore[misc]
                limits=limits,
                clock=clock,
            )
            side.take(result)
            if result.proof is not None:
                return replace(result, spent=spent(), side=side.name)
            out_of_budget |= result.stopped == "budget"
            interrupted = should_stop() or (result.stopped == "interrupted" and not turn_is_over.rang)
            if interrupted or result.stopped == "lost" or all(each.over for each in sides):
                break
    if out_of_budget and not interrupted:
        result = replace(result, stopped="budget")
    return replace(result, spent=spent(), graph=statement.graph)


@dataclass
class _Alarm:
    """Whether it is late. `rang`: it said so once, and it was that which ended a turn, not Ctrl-C."""

    clock: Callable[[], float]
    ends: float
    rang: bool = False

    def __call__(self) -> bool:
        self.rang = self.rang or self.clock() >= self.ends
        return self.rang


@dataclass
class _Attempt:
    """What one side has so far; it is `over` when it did not stop because its turn was."""

    name: Side
    theorem: Theorem
    graph: ProofGraph | None = None
    spent: Spent = field(default_factory=Spent)
    over: bool = False
    idle: list[Session] = field(default_factory=list)

    def take(self, result: SearchResult) -> None:
        self.graph, self.over = result.graph, result.stopped != "interrupted"
        self.spent = replace(self.spent + result.spent, nodes=len(self.graph.nodes) if self.graph else 0)

    def sessions(self, factory: SessionFactory, stack: ExitStack) -> SessionFactory:
        """Hands out the sessions of earlier turns, and opens new ones where there are too few."""

        @contextmanager
        def session(theorem: Theorem) -> Iterator[Session]:
            taken = None
            with suppress(IndexError):  # another worker may take the last
                taken = self.idle.pop()
            if taken is None:
                taken = stack.enter_context(factory(theorem))
            try:
                yield taken
            finally:
                self.idle.append(taken)

        return session


def _turns(
    statement: _Attempt, negation: _Attempt, seconds_left: Callable[[], float]
) -> Iterator[tuple[_Attempt, float]]:
    """Whose turn it is, and for how many seconds at most."""
    seconds = FIRST_SLICE
    while True:
        if not statement.over:
            yield statement, inf if negation.over else min(seconds, seconds_left() / 2)
        behind = inf if statement.over else statement.spent.seconds - negation.spent.seconds
        if not negation.over and behind > 0:
            yield negation, behind
        seconds *= 2


def _left(budget: Budget, spent: Spent) -> Budget:
    samples = None if budget.samples is None else max(0, budget.samples - spent.samples)
    calls = None if budget.lean_calls is None else max(0, budget.lean_calls - spent.lean_calls)
    return Budget(samples, calls, None if budget.seconds is None else budget.seconds_left(spent))


def _told(
    on_event: Callable[[SearchEvent, Side], None], side: _Attempt, spent: Callable[[], Spent]
) -> Callable[[SearchEvent], None]:
    """Passes the events of a turn on, but for the nodes that earlier turns have told of."""
    known = side.spent.nodes
    before = replace(spent(), nodes=spent().nodes - known)

    def told(event: SearchEvent) -> None:
        if not (isinstance(event, NodeAdded) and event.node < known):
            on_event(replace(event, spent=before + event.spent), side.name)

    return told

"""The one entry: a theorem, a policy, an algorithm and a budget go in; a judged proof, or what is known, comes out."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random
from typing import Protocol

from lean_env.errors import WorkerLost
from lean_env.theorem import Theorem
from search.algorithms.best_first import BestFirst
from search.budget import Budget, Spent
from search.critics import CriticError
from search.driver import Algorithm, Attempt, Limits
from search.events import SearchEvent
from search.graph.proof_graph import ProofGraph
from search.policy import Judge, ProofPolicy, Session, TacticPolicy
from search.result import SearchResult

SessionFactory = Callable[[Theorem], AbstractContextManager[Session]]


class Plan(Protocol):
    """An algorithm's options, which can begin a search: `BestFirst`, `RMaxTS` and the others."""

    def start(self, graph: ProofGraph, random: Random) -> Algorithm: ...


def prove(
    theorem: Theorem,
    policy: TacticPolicy | ProofPolicy,
    session_factory: SessionFactory,
    algorithm: Plan = BestFirst(),
    budget: Budget = Budget(),
    on_event: Callable[[SearchEvent], None] = lambda event: None,
    *,
    judge: Judge,
    workers: int = 1,
    seed: int = 0,
    graph: ProofGraph | None = None,
    merge: bool = True,
    should_stop: Callable[[], bool] = lambda: False,
    limits: Limits = Limits(),
    clock: Callable[[], float] = time.monotonic,
) -> SearchResult:
    """Searches until the judge takes a proof, the budget is spent, or nothing is left to try.

    Each of the `workers` opens a session of its own. The same seed, policy and one worker give the same graph; `graph`
    is one to go on with. `merge`: equal states are one node. `on_event` is called by one worker at a time. A policy or
    critic that raises ends the search with `stopped` "policy"; nothing is caught of what `on_event` or `judge` raise.

    Raises:
        StatementError: the statement or its header does not elaborate, or the header has a theorem of that name.
        ValueError: the algorithm wants another kind of policy, or `graph` is one of another theorem.
    """
    wanted = "complete" if getattr(algorithm, "whole_proofs", False) else "propose"
    if not hasattr(policy, wanted):
        kind = "whole proofs" if wanted == "complete" else "tactics"
        raise ValueError(f"{type(algorithm).__name__} wants a policy that proposes {kind}")
    if getattr(algorithm, "corrects", False) and not hasattr(policy, "correct"):
        raise ValueError(f"{type(algorithm).__name__} wants a policy that corrects proofs")
    if graph is not None and graph.theorem != theorem:
        raise ValueError(f"the graph to go on with is one of {graph.theorem.name}, not of {theorem.name} as it is here")
    began = clock()
    attempt: Attempt | None = None
    if not budget.allows_lean_call(Spent()) or should_stop():
        return SearchResult(None, Spent(), "interrupted" if should_stop() else "budget", graph=graph)
    try:
        with session_factory(theorem) as first:
            if graph is None:
                graph = ProofGraph(theorem, first.start, split=getattr(algorithm, "split", True), merge=merge)
            search = algorithm.start(graph, Random(seed))
            attempt = Attempt(graph, search, policy, judge, budget, on_event, should_stop, limits, seed, clock, began)
            attempt.run([lambda: _Open(first), *[lambda: session_factory(theorem)] * (workers - 1)])
    except WorkerLost as error:
        return SearchResult(None, Spent(seconds=clock() - began), "lost", graph=graph, message=str(error))
    except CriticError as error:  # those that come later are the driver's
        return SearchResult(None, Spent(seconds=clock() - began), "policy", graph=graph, message=str(error))
    except KeyboardInterrupt:
        if attempt is None:
            return SearchResult(None, Spent(seconds=clock() - began), "interrupted", graph=graph)
    books, claims = attempt.books, attempt.claims
    stopped = books.stopped or "interrupted"
    return SearchResult(claims.proof, books.spent(), stopped, claims.verdict, graph, message=books.message)


class _Open:
    """A session that somebody else closes."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __enter__(self) -> Session:
        return self.session

    def __exit__(self, *_: object) -> None:
        pass

"""One theorem, one policy, one budget: searches, and lets the judge have the last word on what the search claims."""

import threading
from collections.abc import Callable
from dataclasses import replace

from lean_env import Candidate, LeanPool, ProofSession, Theorem, Verdict, Verifier, WorkerLost
from search import BestFirst, Budget, Plan, ProofPolicy, SearchEvent, SearchResult, Spent, TacticPolicy
from search import prove as search_proof


def prove(
    theorem: Theorem,
    pool: LeanPool,
    policy: TacticPolicy | ProofPolicy,
    budget: Budget,
    on_event: Callable[[SearchEvent], None] = lambda event: None,
    stop: threading.Event | None = None,
    algorithm: Plan = BestFirst(),
    workers: int = 1,
    seed: int = 0,
) -> SearchResult:
    """Looks for a proof of `theorem`. What comes back as proved was judged whole, from the statement as it was given.

    A claim that the judge does not take is no proof, and the search goes on. Set `stop` from another thread to end it.

    Raises:
        StatementError: the statement or its header does not elaborate.
    """
    stop = stop or threading.Event()
    verifier = Verifier(pool)

    def judge(theorem: Theorem, proof: str, seconds: float) -> Verdict:
        return verifier.verify(theorem, Candidate(proof), wall_seconds=seconds)

    def open_session(theorem: Theorem) -> ProofSession:
        return ProofSession(pool, theorem)

    try:
        result = search_proof(
            theorem,
            policy,
            open_session,
            algorithm,
            budget,
            on_event,
            judge=judge,
            workers=workers,
            seed=seed,
            should_stop=stop.is_set,
        )
    except WorkerLost:
        return SearchResult(None, Spent(), "interrupted" if stop.is_set() else "lost")
    if stop.is_set() and result.proof is None:
        result = replace(result, stopped="interrupted")
    return result

"""One theorem, one policy, one budget: searches, and lets the judge have the last word on what the search claims."""

import threading
from collections.abc import Callable
from dataclasses import replace

from lean_env import Candidate, LeanPool, ProofSession, Theorem, Verdict, Verifier, WorkerLost
from search import Budget, SearchEvent, SearchResult, Spent, TacticPolicy, best_first

# The judge checks the whole proof in one go; it gets a while even where a search has little time left for steps.
JUDGE_SECONDS = 60.0


def prove(
    theorem: Theorem,
    pool: LeanPool,
    policy: TacticPolicy,
    budget: Budget,
    on_event: Callable[[SearchEvent], None] = lambda event: None,
    stop: threading.Event | None = None,
) -> SearchResult:
    """Looks for a proof of `theorem`. What comes back as proved was judged whole, from the statement as it was given.

    A claim that the judge does not take is no proof, and the search goes on. Set `stop` from another thread to end it.

    Raises:
        StatementError: the statement or its header does not elaborate.
    """
    stop = stop or threading.Event()
    verifier = Verifier(pool)
    verdicts: list[Verdict] = []

    def accept(text: str, seconds: float) -> bool:
        verdicts.append(verifier.verify(theorem, Candidate(text), wall_seconds=min(JUDGE_SECONDS, seconds)))
        return verdicts[-1].proved

    try:
        with ProofSession(pool, theorem) as session:
            result = best_first(session, theorem, policy, budget, accept, on_event, stop.is_set)
    except WorkerLost:
        return SearchResult(None, Spent(), "interrupted" if stop.is_set() else "lost")
    if stop.is_set() and result.proof is None:
        result = replace(result, stopped="interrupted")
    return replace(result, verdict=verdicts[-1]) if result.proof is not None else result

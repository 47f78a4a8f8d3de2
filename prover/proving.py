"""One theorem, one policy, one budget: searches, and lets the judge have the last word on what the search claims."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from lean_env import Candidate, LeanPool, ProofSession, Theorem, Verdict, Verifier, WorkerLost
from search import BestFirst, Budget, Judge, Plan, ProofPolicy, SearchEvent, SearchResult, Spent, TacticPolicy
from search import prove as search_proof
from search.disprove import prove_or_disprove
from search.graph.script import lines, script
from search.shorten import shorten

SHORTEN_SECONDS = 5.0
SHORTEN_SHARE = 0.2


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
    negation: Theorem | None = None,
) -> SearchResult:
    """Looks for a proof of `theorem`. What comes back as proved was judged whole, from the statement as it was given.

    A claim that the judge does not take is no proof, and the search goes on. Set `stop` from another thread to end it.
    With a `negation` both are tried under the one budget, and `side` of the result says which was proved.

    Raises:
        StatementError: the statement or its header does not elaborate.
    """
    stop = stop or threading.Event()

    def open_session(theorem: Theorem) -> ProofSession:
        return ProofSession(pool, theorem)

    try:
        if negation is None:
            result = search_proof(
                theorem, policy, open_session, algorithm, budget, on_event,
                judge=_judge(pool), workers=workers, seed=seed, should_stop=stop.is_set,
            )  # fmt: skip
        else:
            result = prove_or_disprove(
                theorem, negation, policy, open_session, algorithm, budget, lambda event, side: on_event(event),
                judge=_judge(pool), workers=workers, seed=seed, should_stop=stop.is_set,
            )  # fmt: skip
    except WorkerLost:
        return SearchResult(None, Spent(), "interrupted" if stop.is_set() else "lost")
    if stop.is_set() and result.proof is None:
        result = replace(result, stopped="interrupted")
    return result


def shortened(
    theorem: Theorem, pool: LeanPool, budget: Budget, result: SearchResult, stop: threading.Event | None = None
) -> SearchResult:
    """The result with a shorter proof, if there is one to be found in a fifth of the budget's time, 5 s at most.

    `theorem` is what the result proves. Nothing is spent beyond the budget, and a result with a proof keeps one.
    """
    if result.proof is None or result.graph is None:
        return result
    stop = stop or threading.Event()
    seconds = SHORTEN_SECONDS
    if budget.seconds is not None:
        seconds = min(seconds, SHORTEN_SHARE * budget.seconds, budget.seconds_left(result.spent))
    calls = None if budget.lean_calls is None else max(0, budget.lean_calls - result.spent.lean_calls)
    began = time.monotonic()
    tactics = lines(script(result.graph.root))
    left = Budget(None, calls, seconds)
    found = shorten(theorem, tactics, _judge(pool), left, verdict=result.verdict, should_stop=stop.is_set)
    spent = result.spent + Spent(lean_calls=found.calls, seconds=time.monotonic() - began)
    if found.verdict is None or not found.verdict.proved:
        return replace(result, spent=spent)
    return replace(result, spent=spent, proof=found.text, verdict=found.verdict)


def _judge(pool: LeanPool) -> Judge:
    verifier = Verifier(pool)

    def judge(theorem: Theorem, proof: str, seconds: float) -> Verdict:
        return verifier.verify(theorem, Candidate(proof), wall_seconds=seconds)

    return judge

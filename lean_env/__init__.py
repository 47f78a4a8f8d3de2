"""Everything about talking to Lean: workers, proof sessions and the judge. Knows no model and no search.

>>> with LeanPool(workers=1) as pool:
...     theorem = Theorem("t", "theorem t (n : Nat) : n + 0 = n")
...     Verifier(pool).verify(theorem, Candidate("rfl")).reward
1
"""

from lean_env.errors import LeanEnvError, SetupError, StatementError, UnknownImportError, WorkerLost
from lean_env.goal import Focus, Goal, Hypothesis, ProofFinished, Step, TacticError, TacticState, focused, independent
from lean_env.pool import LeanPool, PoolEvent
from lean_env.session import ProofSession
from lean_env.theorem import Candidate, Theorem
from lean_env.verdict import LeanVersion, Verdict
from lean_env.verifier import Verifier
from lean_env.worker import LeanWorker, WorkerTimeout

__all__ = [
    "Candidate",
    "Focus",
    "Goal",
    "Hypothesis",
    "LeanEnvError",
    "LeanPool",
    "LeanVersion",
    "LeanWorker",
    "PoolEvent",
    "ProofFinished",
    "ProofSession",
    "SetupError",
    "StatementError",
    "Step",
    "TacticError",
    "TacticState",
    "Theorem",
    "UnknownImportError",
    "Verdict",
    "Verifier",
    "WorkerLost",
    "WorkerTimeout",
    "focused",
    "independent",
]

"""A theorem as a Gymnasium environment: the observation is the tactic state, the action is a tactic, as text.

Needs the extra `gym`. Importing this module registers `LeanProof-v0`:

>>> env = gymnasium.make("LeanProof-v0", theorem=Theorem("t", "theorem t (n : Nat) : 0 + n = n"))
"""

from typing import Any

import gymnasium
from gymnasium import spaces

from lean_env.goal import ProofFinished, TacticError, TacticState
from lean_env.pool import LeanPool
from lean_env.proof_text import proof_of
from lean_env.session import ProofSession
from lean_env.theorem import Candidate, Theorem
from lean_env.verifier import Verifier

# ASCII, and the parts of Unicode in which Lean writes: letters of all scripts, arrows, operators, fraktur and script.
CHARACTERS = "".join(map(chr, [10, *range(32, 127), *range(0xA0, 0x3000), *range(0x1D400, 0x1D800)]))
KNOWN = frozenset(CHARACTERS)
LONGEST = 1 << 16


class LeanProofEnv(gymnasium.Env[str, str]):
    """An episode is one attempt at one theorem.

    Observation: Lean's text of the open goals, cut to 65,536 characters; empty when none is left. Action: one or more
    tactics. A tactic that fails leaves the state as it was, with Lean's message in `info["error"]`. The reward is 1
    when the proof is finished and the judge says so, else 0. Episodes end there, or are truncated after `max_steps`.

    Raises:
        StatementError: (by `reset`) the theorem does not elaborate.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"]}  # noqa: RUF012 - gymnasium's own declaration

    def __init__(
        self,
        theorem: Theorem,
        pool: LeanPool | None = None,
        max_steps: int = 100,
        wall_seconds: float = 10.0,
        render_mode: str | None = None,
    ) -> None:
        self.theorem, self.max_steps, self.wall_seconds, self.render_mode = (
            theorem,
            max_steps,
            wall_seconds,
            render_mode,
        )
        self.observation_space = spaces.Text(LONGEST, min_length=0, charset=CHARACTERS)
        self.action_space = spaces.Text(512, min_length=1, charset=CHARACTERS)
        self._own_pool = pool is None
        self._pool = pool
        self._session: ProofSession | None = None
        self._state: TacticState | None = None
        self._steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Back to the start of the theorem."""
        super().reset(seed=seed)
        if self._pool is None:
            self._pool = LeanPool(workers=1)
        if self._session is None:
            self._session = ProofSession(self._pool, self.theorem)
        self._state, self._steps = self._session.start, 0
        return self._observation(), {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Runs a tactic."""
        if self._session is None or self._state is None or self._pool is None:
            raise gymnasium.error.ResetNeeded("call reset before step")
        self._steps += 1
        truncated = self._steps >= self.max_steps
        result = self._session.run_tactic(self._state, action, wall_seconds=self.wall_seconds)
        if isinstance(result, TacticError):
            return self._observation(), 0.0, False, truncated, {"error": result.message, "kind": result.kind}
        if isinstance(result, ProofFinished):
            proof = proof_of(result.tactics)
            verdict = Verifier(self._pool).verify(self.theorem, Candidate(proof))
            self._state = None
            return "", float(verdict.proved), True, False, {"proof": proof, "verdict": verdict}
        self._state = result
        return self._observation(), 0.0, False, truncated, {}

    def render(self) -> str | None:
        """The goals as text, in render mode `ansi`."""
        return self._observation() if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Ends the session, and the pool if it is this environment's own."""
        if self._session:
            self._session.close()
            self._session = None
        if self._own_pool and self._pool:
            self._pool.close()
            self._pool = None

    def _observation(self) -> str:
        text = self._state.pretty if self._state else ""
        return "".join(c if c in KNOWN else "?" for c in text)[:LONGEST]


gymnasium.register("LeanProof-v0", entry_point="lean_env.proof_env:LeanProofEnv")

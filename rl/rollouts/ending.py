"""How a rollout ended, and what that says of the Lean that it ran on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from lean_env import Theorem, Verdict
from rl.rollouts.lean import Lean
from rl.rollouts.rollout import Ended, Rollout, Turn


@dataclass(frozen=True)
class Ending:
    """A rollout, and whether its end came from Lean, from a Lean that was lost, or without it."""

    rollout: Rollout
    lean: Literal["answered", "lost", "unasked"] = "unasked"


@dataclass(frozen=True)
class Claim:
    """A proof that is to be judged: `turns` led to it, with so many seconds of Lean's."""

    theorem: Theorem
    proof: str
    turns: tuple[Turn, ...]
    lean_seconds: float = 0.0


def lost_model(turns: Sequence[Turn], reason: str) -> Ending:
    """No answer came, as when a prompt is longer than the model's context."""
    return Ending(Rollout(tuple(turns), None, "lost", reason=reason))


def judged(claims: Sequence[Claim], lean: Lean) -> list[Ending]:
    """How the claims end: the judge's word is the only reward. Equal pairs of theorem and proof are judged once.

    Raises:
        CollectStopped, JudgeLost: as `Lean.each`.
    """
    pairs = list(dict.fromkeys((claim.theorem, claim.proof) for claim in claims))
    verdicts = lean.each([partial(lean.judge, *pair) for pair in pairs])
    found = dict(zip(pairs, verdicts, strict=True))
    counted: set[tuple[Theorem, str]] = set()
    endings = []
    for claim in claims:
        pair = (claim.theorem, claim.proof)
        seconds = claim.lean_seconds + (0.0 if pair in counted else found[pair].seconds)
        counted.add(pair)
        endings.append(_ending(claim, found[pair], seconds))
    return endings


def _ending(claim: Claim, verdict: Verdict, seconds: float) -> Ending:
    ended: Ended = "lost" if verdict.reward is None else "proved" if verdict.proved else "refused"
    reason = f"the judge: {verdict.message or verdict.stage}" if verdict.reward is None else ""
    rollout = Rollout(claim.turns, verdict.reward, ended, claim.proof, seconds, reason)
    return Ending(rollout, "lost" if verdict.stage == "lost" else "answered")

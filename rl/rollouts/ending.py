"""How a rollout ended, and what that says of the Lean that it ran on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from lean_env import Theorem, Verdict
from prover.sampling.sampler import Sample
from rl.rollouts.lean import Lean
from rl.rollouts.rollout import Ended, Rollout, Turn


@dataclass(frozen=True)
class Ending:
    """A rollout, and whether its end came from Lean, from a Lean that was lost, or without it.

    An unscored one that ended without Lean is the model's loss.
    """

    rollout: Rollout
    lean: Literal["answered", "lost", "unasked"] = "unasked"


@dataclass(frozen=True)
class Claim:
    """A proof that is to be judged: `turns` led to it, with so many seconds of Lean's.

    `ran`: Lean has run each of its tactics, within their limits.
    """

    theorem: Theorem
    proof: str
    turns: tuple[Turn, ...]
    lean_seconds: float = 0.0
    ran: bool = False

    @property
    def question(self) -> tuple[Theorem, str, bool]:
        """What `Lean.judge` is asked."""
        return self.theorem, self.proof, self.ran


def lost_model(turns: Sequence[Turn], reason: str) -> Ending:
    """No answer came."""
    return Ending(Rollout(tuple(turns), None, "lost", reason=reason))


def cut_off(turns: Sequence[Turn], last: Turn, sample: Sample, lean_seconds: float = 0.0) -> Ending:
    """The last answer is not whole. One that could not even begin, as its prompt is too long, is no turn."""
    learned = (*turns, last) if last.token_ids else tuple(turns)
    return Ending(Rollout(learned, 0, "length", None, lean_seconds, sample.error))


def judged(claims: Sequence[Claim], lean: Lean) -> list[Ending]:
    """How the claims end: the judge's word is the only reward. Equal ones are judged once.

    Raises:
        CollectStopped, JudgeLost: as `Lean.each`.
    """
    questions = list(dict.fromkeys(claim.question for claim in claims))
    verdicts = lean.each([partial(lean.judge, *question) for question in questions])
    found = dict(zip(questions, verdicts, strict=True))
    counted: set[tuple[Theorem, str, bool]] = set()
    endings = []
    for claim in claims:
        verdict = found[claim.question]
        seconds = claim.lean_seconds + (0.0 if claim.question in counted else verdict.seconds)
        counted.add(claim.question)
        endings.append(_ending(claim, verdict, seconds))
    return endings


def _ending(claim: Claim, verdict: Verdict, seconds: float) -> Ending:
    ended: Ended = "lost" if verdict.reward is None else "proved" if verdict.proved else "refused"
    reason = f"the judge: {verdict.message or verdict.stage}" if verdict.reward is None else ""
    rollout = Rollout(claim.turns, verdict.reward, ended, claim.proof, seconds, reason)
    return Ending(rollout, "lost" if verdict.stage == "lost" else "answered")

"""What the judge says of a (theorem, candidate) pair."""

from dataclasses import dataclass, field
from typing import Any, Literal

Stage = Literal[
    "proved",  # everything below was passed
    "statement",  # the trusted statement itself does not elaborate: unscored, the candidate was not looked at
    "header",  # the candidate asks for imports that the trusted header does not have
    "elaboration",  # Lean reports an error in the candidate, or its deterministic limit was reached
    "missing",  # no constant of that name came out
    "mismatch",  # there is one, but it does not say what was asked, or is not a theorem
    "axioms",  # it rests on more than propext, Quot.sound and Classical.choice
    "kernel",  # the kernel, asked again in a clean environment, refuses
    "timeout",  # a wall-clock limit fired: unscored
    "lost",  # the worker died twice on it: unscored
]


@dataclass(frozen=True)
class LeanVersion:
    """Which Lean judged: `version` and `commit` as Lean prints them, `package` the hash of what was installed."""

    version: str
    commit: str
    road: Literal["wasm", "native"]
    package: str = ""
    sandbox: str = ""


@dataclass(frozen=True)
class Verdict:
    """`reward` is 1, 0, or None for *unscored*: the checker was lost or a wall-clock limit fired; None is never a 0.

    `stage` is the one that decided; `axioms` are those the proof rests on; `seconds` is Lean's own time.
    """

    reward: Literal[0, 1] | None
    stage: Stage
    message: str = ""
    axioms: tuple[str, ...] = ()
    seconds: float = 0.0
    lean: LeanVersion | None = None
    messages: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    @property
    def proved(self) -> bool:
        return self.reward == 1

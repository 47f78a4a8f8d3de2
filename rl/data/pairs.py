"""What is learned from a proof: what was asked, a tactic state or a statement, with the answer that Lean has judged."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from prover.benchmarks.row import Row


@dataclass(frozen=True)
class TacticPair:
    """A tactic, and the state that it was run on.

    `theorem` is the name of its row, `statement` Lean text up to but without `:=`. `state` is the goals as Lean prints
    them, a blank line between two: what `prover.prompts.own.tactic_prompt` is given. `tactic` may hold several lines,
    the first at column 0. `log_probability` is natural, of the tactic as its policy told it; None where none did.
    `reward` is the judge's of the proof that it is the `step`-th step of (from 0), 1 or 0, None for *unscored*;
    `proof_key` is that of the proof's own pair, empty if there is none. `source` is where it was found, `policy` who
    proposed it.
    """

    theorem: str
    statement: str
    header: str
    state: str
    tactic: str
    log_probability: float | None = None
    reward: int | None = 1
    proof_key: str = ""
    step: int = 0
    source: str = ""
    policy: str = ""
    split: str = ""
    topic: str = ""

    kind: ClassVar[str] = "tactic"

    @property
    def row(self) -> Row:
        """The theorem."""
        return Row(self.theorem, self.statement, self.header, self.split, self.topic)

    @property
    def key(self) -> str:
        """SHA-256, in hexadecimal: the same for pairs that say the same of one theorem, whoever proposed them."""
        return _digest(self.kind, self.row.hash, self.state, self.tactic, str(self.reward))


@dataclass(frozen=True)
class ProofPair:
    """A whole proof of a statement: tactics, the first at column 0, without `by`. The rest is as in `TacticPair`."""

    theorem: str
    statement: str
    header: str
    proof: str
    log_probability: float | None = None
    reward: int | None = 1
    source: str = ""
    policy: str = ""
    split: str = ""
    topic: str = ""

    kind: ClassVar[str] = "proof"

    @property
    def row(self) -> Row:
        """The theorem."""
        return Row(self.theorem, self.statement, self.header, self.split, self.topic)

    @property
    def key(self) -> str:
        """As that of a `TacticPair`."""
        return _digest(self.kind, self.row.hash, self.proof, str(self.reward))


Pair = TacticPair | ProofPair


def theorems_of(pairs: Iterable[Pair]) -> tuple[Row, ...]:
    """The theorems that pairs are of, each once, in the order in which they come first."""
    found: dict[str, Row] = {}
    for pair in pairs:
        row = pair.row
        found.setdefault(row.hash, row)
    return tuple(found.values())


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()

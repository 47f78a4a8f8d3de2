"""What earlier rounds came to, read back from their runs: nothing of it is kept anywhere else."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prover.runs.run import Run


@dataclass(frozen=True)
class History:
    """All by the names of the theorems' rows. `attempted` counts rounds; `refuted` ones have a proved negation;
    `broken` says why a statement does not elaborate."""

    attempted: Mapping[str, int] = field(default_factory=dict)
    proved: frozenset[str] = frozenset()
    refuted: frozenset[str] = frozenset()
    broken: Mapping[str, str] = field(default_factory=dict)

    @property
    def dropped(self) -> frozenset[str]:
        """What no round attempts any more."""
        return self.refuted | self.broken.keys()


def history(searches: Iterable[Run], negated: Iterable[Run]) -> History:
    """From the runs of all rounds over theorems, and over negations, whose rows name their theorem in `label`."""
    attempted: Counter[str] = Counter()
    proved: set[str] = set()
    broken: dict[str, str] = {}
    for run in searches:
        attempted.update(run.rows[number].name for number in {attempt.theorem for attempt in run.attempts})
        proved |= {run.rows[attempt.theorem].name for attempt in run.attempts if attempt.reward == 1}
        broken |= {run.rows[number].name: problem for number, problem in run.problems.items()}
    refuted = {run.rows[attempt.theorem].label for run in negated for attempt in run.attempts if attempt.reward == 1}
    return History(dict(attempted), frozenset(proved), frozenset(refuted), broken)

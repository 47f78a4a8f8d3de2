"""When a training ends before its last step: once its held-out loss has not become less for some evaluations."""

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class Best:
    """The least held-out loss so far, the step that it was seen at, and how many evaluations have come since.

    `loss` is infinite before the first one.
    """

    loss: float = inf
    step: int = 0
    since: int = 0

    def after(self, loss: float, step: int) -> "Best":
        """With one more evaluation; a loss that is no number is no better."""
        return Best(loss, step) if loss < self.loss else Best(self.loss, self.step, self.since + 1)

    def is_over(self, patience: int) -> bool:
        """Whether so many evaluations in a row were no better; never with a patience of 0."""
        return 0 < patience <= self.since

"""Two runs compared over the theorems that they have in common."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prover.runs.run import Run
from prover.statistics.intervals import Estimate, mean
from prover.statistics.tally import tally


@dataclass(frozen=True)
class Comparison:
    """Two runs, theorem by theorem; names are in the order of the first run.

    `both`, `only_first`, `only_second` and `neither` say which of the runs has a proof. A theorem in `unscored` has no
    scored attempt in one of them, one in `invalid` is excluded on request; they count no further. `p_value` is
    McNemar's, exact and two-sided. Differences are first less second: of the share of theorems solved, and of pass@1.
    `missing_in_second` theorems are in the first run alone, `missing_in_first` in the second alone; `restated` have one
    name and two statements, and are in both of these numbers.
    """

    both: tuple[str, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    neither: tuple[str, ...]
    unscored: tuple[str, ...]
    invalid: tuple[str, ...]
    missing_in_first: int
    missing_in_second: int
    restated: int
    p_value: float
    solved_difference: Estimate | None
    pass_at_1_difference: Estimate | None

    @property
    def common(self) -> int:
        """How many theorems are in both runs, with the same name and statement."""
        counted = len(self.both) + len(self.only_first) + len(self.only_second) + len(self.neither)
        return counted + len(self.unscored) + len(self.invalid)


def compare(first: Run, second: Run, exclude_invalid: bool = False, seed: int = 0) -> Comparison:
    """The two runs over their common theorems, which have the same name and the same hash.

    A theorem that does not elaborate in a run is unsolved there; `exclude_invalid` leaves it out of both.
    """
    places = {row.name: (row.hash, index) for index, row in enumerate(second.rows)}
    same_name = [(index, row, *places[row.name]) for index, row in enumerate(first.rows) if row.name in places]
    pairs = [(here, there) for here, row, hash_there, there in same_name if row.hash == hash_there]
    names = np.array([first.rows[here].name for here, _ in pairs], dtype=object)
    left, right = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    a, b = tally(first, exclude_invalid), tally(second, exclude_invalid)

    invalid = ~(a.counted[left] & b.counted[right])
    judged = a.judged[left] & b.judged[right]
    solved_a, solved_b = a.solved[left], b.solved[right]

    def named(these: NDArray[np.bool_]) -> tuple[str, ...]:
        return tuple(names[these].tolist())

    only_first, only_second = named(judged & solved_a & ~solved_b), named(judged & ~solved_a & solved_b)
    solved_difference = solved_a.astype(np.float64) - solved_b
    pass_difference = a.pass_at_1[left] - b.pass_at_1[right]
    return Comparison(
        both=named(judged & solved_a & solved_b),
        only_first=only_first,
        only_second=only_second,
        neither=named(judged & ~solved_a & ~solved_b),
        unscored=named(~judged & ~invalid),
        invalid=named(invalid),
        missing_in_first=len(second.rows) - len(pairs),
        missing_in_second=len(first.rows) - len(pairs),
        restated=len(same_name) - len(pairs),
        p_value=mcnemar(len(only_first), len(only_second)),
        solved_difference=mean(solved_difference[judged], (-1, 1), seed),
        pass_at_1_difference=mean(pass_difference[judged], (-1, 1), seed),
    )


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact two-sided p-value of McNemar's test, 1 where the runs never differ.

    Twice the probability that a fair coin, thrown once for each theorem that one run alone solved, falls to the weaker
    run as seldom as this or more so. Exact integers: no overflow at any number of theorems.
    """
    thrown = only_first + only_second
    ways = term = 1
    for hits in range(min(only_first, only_second)):
        term = term * (thrown - hits) // (hits + 1)
        ways += term
    return min(1.0, 2 * ways / (1 << thrown))

"""Which theorems a round attempts."""

from collections.abc import Mapping, Sequence, Set
from random import Random

from prover.benchmarks.row import Row


def drawn(
    rows: Sequence[Row],
    attempted: Mapping[str, int],
    proved: Set[str],
    dropped: Set[str],
    size: int | None,
    proved_share: float,
    seed: int,
    round_number: int,
) -> tuple[Row, ...]:
    """The theorems of a round, in their order in `rows`; all else is by their names.

    Those without a proof come first that were `attempted` the fewest times, so that none is taken twice before all were
    taken once; seed and round decide between equals. `proved_share` of the round (of the proved ones, where `size` is
    None and every one without a proof is taken) have a proof and are to get a shorter one. `dropped` ones never come
    again: their negation is proved, or they do not elaborate.
    """
    random = Random(f"{seed} {round_number}")
    left = [row for row in rows if row.name not in dropped]
    unproved = [row for row in left if row.name not in proved]
    with_proof = [row for row in left if row.name in proved]
    again = round(proved_share * (len(with_proof) if size is None else size))
    chosen = random.sample(with_proof, min(again, len(with_proof)))
    random.shuffle(unproved)
    unproved.sort(key=lambda row: attempted.get(row.name, 0))
    chosen += unproved if size is None else unproved[: size - len(chosen)]
    names = {row.name for row in chosen}
    return tuple(row for row in left if row.name in names)

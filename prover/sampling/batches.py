"""Which requests are sampled together: prompts of like length in one batch, same prompts side by side."""

from collections.abc import Sequence
from math import inf

SLACK = 16  # tokens: padding that is never worth a batch of its own


def batches(prompts: Sequence[tuple[int, ...]], rows: int, spread: float = inf) -> list[list[int]]:
    """The places of `prompts` in batches of at most `rows`, short prompts first.

    `spread` bounds the padding: the longest prompt of a batch has at most `spread` times the tokens of the shortest,
    and `SLACK`; 1 asks for equal lengths.
    """
    found: list[list[int]] = []
    most = 0.0
    for place in sorted(range(len(prompts)), key=lambda place: (len(prompts[place]), prompts[place], place)):
        length = len(prompts[place])
        if not found or len(found[-1]) == rows or length > most:
            found.append([])
            most = length if spread == 1 else length * spread + SLACK
        found[-1].append(place)
    return found


def common_prefix(prompts: Sequence[tuple[int, ...]]) -> int:
    """How many tokens all of the prompts begin with."""
    least, greatest = min(prompts), max(prompts)
    for place, (left, right) in enumerate(zip(least, greatest, strict=False)):
        if left != right:
            return place
    return min(len(least), len(greatest))


def without(rows: int, finished: Sequence[int]) -> list[int]:
    """The rows of a batch that go on: the last of them take the places of the finished ones, so that few are moved."""
    gone = set(finished)
    left = rows - len(gone)
    movers = [row for row in range(left, rows) if row not in gone]
    return [movers.pop() if row in gone else row for row in range(left)]

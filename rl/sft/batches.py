"""Which examples make a batch: of a fixed number of tokens, in an order that hangs on seed and epoch alone."""

from collections.abc import Iterator, Sequence
from random import Random


def batches(
    lengths: Sequence[int], tokens: int, seed: int, epoch: int, shares: Sequence[float] | None = None
) -> list[list[int]]:
    """The examples of an epoch, by place, in batches of at most `tokens` tokens; a larger one is a batch of its own.

    `lengths` (n,) are in tokens, prompt and answer. Each example is in the epoch with the probability that `shares`
    (n,) gives it, 1 if there are none, and then in one batch. That weighs it: its gradient is on average that of a loss
    with this weight, and the rest of it costs nothing.
    """
    random = Random(f"{seed} {epoch}")
    order = [place for place in range(len(lengths)) if shares is None or random.random() < shares[place]]
    random.shuffle(order)
    found: list[list[int]] = []
    room = 0
    for place in order:
        if not found or lengths[place] > room:
            found.append([])
            room = tokens
        found[-1].append(place)
        room -= lengths[place]
    return found


def course(
    lengths: Sequence[int],
    tokens: int,
    seed: int,
    epochs: int,
    steps: int | None = None,
    shares: Sequence[float] | None = None,
) -> Iterator[tuple[int, list[int]]]:
    """(epoch, batch) of a whole training, a batch a step; at most `steps` of them."""
    step = 0
    for epoch in range(epochs):
        for batch in batches(lengths, tokens, seed, epoch, shares):
            if step == steps:
                return
            yield epoch, batch
            step += 1

"""Which examples make a batch: of a fixed number of tokens, in an order that hangs on seed and epoch alone."""

from collections.abc import Iterator, Sequence
from random import Random

from rl.objective.rows import TokenRow


def batches(
    rows: Sequence[TokenRow], tokens: int, seed: int, epoch: int, shares: Sequence[float] | None = None
) -> list[list[int]]:
    """The examples of an epoch, by place, in batches of at most `tokens` tokens; a larger one is a batch of its own.

    Examples with one prompt follow each other, and in a batch their prompt counts once: it is computed once, too. Each
    example is in the epoch with the probability that `shares` (n,) gives it, 1 if there are none, and then in one
    batch. That weighs it: its gradient is on average that of a loss with this weight, and the rest of it costs nothing.
    """
    random = Random(f"{seed} {epoch}")
    order = [place for place in range(len(rows)) if shares is None or random.random() < shares[place]]
    random.shuffle(order)
    groups: dict[tuple[int, ...], list[int]] = {}
    for place in order:
        groups.setdefault(rows[place].prompt_ids, []).append(place)
    found: list[list[int]] = []
    room = 0
    for prompt, places in groups.items():
        shared = False  # whether the prompt is in the batch
        for place in places:
            if not found or rows[place].tokens - shared * len(prompt) > room:
                found.append([])
                room, shared = tokens, False
            found[-1].append(place)
            room -= rows[place].tokens - shared * len(prompt)
            shared = True
    return found


def course(
    rows: Sequence[TokenRow],
    tokens: int,
    seed: int,
    epochs: int,
    steps: int | None = None,
    shares: Sequence[float] | None = None,
) -> Iterator[tuple[int, list[int]]]:
    """(epoch, batch) of a whole training, a batch a step; at most `steps` of them."""
    step = 0
    for epoch in range(epochs):
        for batch in batches(rows, tokens, seed, epoch, shares):
            if step == steps:
                return
            yield epoch, batch
            step += 1

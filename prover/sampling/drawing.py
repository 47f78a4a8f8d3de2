"""Draws a token for every row of a batch: the distribution after temperature and top-p, and a request's own numbers."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def numbers(prompt: Sequence[int], seed: int, count: int) -> Floats:
    """`count` numbers in [0, 1), one for each token of a request: they hang on its prompt and seed and on nothing else.

    The prompt counts too, so that one seed does not draw alike for all theorems. Philox4x64 (Salmon et al. 2011).
    """
    text = f"{seed}:".encode() + np.asarray(prompt, dtype="<i8").tobytes()
    key = int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), "little")
    raw = np.asarray(np.random.Philox(key=key).random_raw(count), dtype=np.uint64)
    return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53


def draw(logits: NDArray[np.float32], temperatures: Floats, top_ps: Floats, chosen: Floats) -> tuple[Ints, Floats]:
    """Token ids (b,) and their natural log-probabilities (b,) under the distribution that they were drawn from.

    `logits` is (b, v), the others (b,): one temperature, top-p and number in [0, 1) a row. A token is the one whose
    share of the distribution, in the order of the vocabulary, holds the number. Temperature 0 takes the likeliest token
    and gives its log-probability at temperature 1 without top-p, as the point mass drawn from would say nothing.
    A row of which nothing can be drawn (not a number, infinite) has a log-probability that is not a number.
    """
    greedy = temperatures <= 0
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        scaled = logits - logits.max(axis=1, keepdims=True)
        scaled = scaled / np.where(greedy, 1.0, temperatures).astype(np.float32)[:, None]
        weights = np.exp(scaled)
        cut = (top_ps < 1) & ~greedy
        if cut.any():
            weights[cut] = _nucleus(weights[cut], top_ps[cut])
        running = np.cumsum(weights, axis=1, dtype=np.float64)
        totals = running[:, -1]
        # Rounding must not carry a number up to the total, which no share holds.
        places = np.minimum(chosen * totals, np.nextafter(totals, 0))
        drawn = (running > places[:, None]).argmax(axis=1)
        drawn = np.where(greedy, logits.argmax(axis=1), drawn)
        return drawn, scaled[np.arange(len(drawn)), drawn] - np.log(totals)


def _nucleus(weights: NDArray[np.float32], top_ps: Floats) -> NDArray[np.float32]:
    """Weights (b, v) with all zero but the fewest largest that make up `top_ps` (b,) of the sum; ties by token id.

    Nucleus sampling (Holtzman et al. 2020, section 3.1). The largest always stays.
    """
    order = np.argsort(-weights, axis=1, kind="stable")
    ordered = np.take_along_axis(weights, order, axis=1)
    running = np.cumsum(ordered, axis=1, dtype=np.float64)
    kept = running - ordered < top_ps[:, None] * running[:, -1:]
    kept[:, 0] = True
    result = np.zeros_like(weights)
    np.put_along_axis(result, order, np.where(kept, ordered, 0), axis=1)
    return result

"""Texts that share a run of tokens with a benchmark, as in DeepSeekMath (arXiv:2402.03300), section 2.1."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Gram = tuple[str, ...]
SHORTEST = 3  # tokens; a text that has fewer says nothing


@dataclass(frozen=True)
class GramIndex:
    """Runs of tokens by length, each with the place of the first benchmark text that it is from.

    `length` is that of the runs taken from a text; shorter texts of at least three tokens are in it whole.
    """

    length: int
    grams: Mapping[int, Mapping[Gram, int]]


def gram_index(texts: Iterable[Sequence[str]], length: int) -> GramIndex:
    """The index of the runs of `length` tokens in the texts, numbered from 0."""
    grams: dict[int, dict[Gram, int]] = {}
    for place, text in enumerate(texts):
        size = min(length, len(text))
        if size < SHORTEST:
            continue
        of_size = grams.setdefault(size, {})
        for i in range(len(text) - size + 1):
            of_size.setdefault(tuple(text[i : i + size]), place)
    return GramIndex(length, grams)


def shared_gram(text: Sequence[str], index: GramIndex) -> tuple[int, Gram] | None:
    """(place of the benchmark text, run) for the first run of `text` that the index has; longer runs come first."""
    for size in sorted(index.grams, reverse=True):
        of_size = index.grams[size]
        for i in range(len(text) - size + 1):
            gram = tuple(text[i : i + size])
            if gram in of_size:
                return of_size[gram], gram
    return None

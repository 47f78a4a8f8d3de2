"""Shared runs of tokens, against a search for sub-strings written down as the paper says it."""

from hypothesis import given
from hypothesis import strategies as st

from prover.decontamination.ngrams import gram_index, shared_gram

TEXTS = st.lists(st.text(alphabet="abc", max_size=12), max_size=4)


def occurs(part: str, whole: str) -> bool:
    return part in whole


def contaminated(text: str, bench: list[str], length: int) -> bool:
    """Section 2.1: any 10-gram of the text is a sub-string of a benchmark text; short ones have to match whole."""
    own = [text[i : i + length] for i in range(len(text) - length + 1)]
    return any(
        any(occurs(gram, b) for gram in own) if len(b) >= length else len(b) >= 3 and occurs(b, text) for b in bench
    )


@given(st.text(alphabet="abc", max_size=30), TEXTS, st.integers(3, 6))
def test_the_index_finds_what_the_definition_finds(text, bench, length):
    found = shared_gram(text, gram_index(bench, length))
    assert (found is not None) == contaminated(text, bench, length)
    if found:
        place, gram = found
        assert "".join(gram) in text
        assert "".join(gram) in bench[place]
        assert len(gram) == min(length, len(bench[place]))


def test_by_hand():
    bench = ["abcdefghijkl", "xyz", "pq", "bcdefghijkm"]
    index = gram_index(bench, 10)
    # Ten letters in common with the first, from the second letter on; the fourth has nine of them.
    assert shared_gram("--bcdefghijk", index) == (0, tuple("bcdefghijk"))
    assert shared_gram("--bcdefghij-", index) is None
    # Three letters are enough where there are no more, two are not.
    assert shared_gram("wxyzw", index) == (1, ("x", "y", "z"))
    assert shared_gram("pq", index) is None
    # Twelve letters have 3 runs of ten; of the 2 runs of eleven letters one is new.
    assert {size: len(grams) for size, grams in index.grams.items()} == {10: 4, 3: 1}

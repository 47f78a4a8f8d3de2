"""Requests in batches, as properties."""

from math import inf
from os.path import commonprefix  # of any sequences

from hypothesis import given
from hypothesis import strategies as st

from prover.sampling.batches import SLACK, batches, common_prefix, without

PROMPTS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=60).map(tuple), max_size=30)


@given(PROMPTS, st.integers(1, 7), st.sampled_from([1.0, 1.5, inf]))
def test_every_request_is_in_one_batch_of_prompts_of_like_length(prompts, rows, spread):
    found = batches(prompts, rows, spread)
    assert sorted(place for batch in found for place in batch) == list(range(len(prompts)))
    assert all(len(batch) <= rows for batch in found)
    for batch in found:
        lengths = [len(prompts[place]) for place in batch]
        slack = 0 if spread == 1 else SLACK
        assert max(lengths) <= min(lengths) * spread + slack
        assert [prompts[place] for place in batch] == sorted(
            (prompts[place] for place in batch), key=lambda p: (len(p), p)
        )


def test_batches_are_as_few_as_they_can_be():
    assert batches([(1,), (2, 2), (1,), (3,)], 2) == [[0, 2], [3, 1]]
    assert batches([(1,), (2, 2), (1,), (3,)], 9, 1) == [[0, 2, 3], [1]]


@given(st.lists(st.text("ab", max_size=6), min_size=1, max_size=6))
def test_the_common_prefix(texts):
    assert common_prefix([tuple(text) for text in texts]) == len(commonprefix(texts))  # noqa: RUF071


@given(st.integers(1, 20).flatmap(lambda rows: st.tuples(st.just(rows), st.sets(st.integers(0, rows - 1)))))
def test_only_the_last_rows_move(case):
    rows, finished = case
    kept = without(rows, sorted(finished))
    assert sorted(kept) == sorted(set(range(rows)) - finished)
    assert all(row == place or (row >= len(kept) and place in finished) for place, row in enumerate(kept))

"""How much tokens weigh, against numbers worked out by hand."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl.objective.rows import TokenRow
from rl.objective.weights import Aggregation, token_weights


def row(tokens: int, sequence: int, mask: tuple[bool, ...] | None = None, truncated: bool = False) -> TokenRow:
    return TokenRow((1,), (2,) * tokens, sequence=sequence, weight_mask=mask, truncated=truncated)


# Sequence 0 is an episode of two turns with 2 and 3 tokens, one of which does not count: 4. Sequence 1 has 1 token.
ROWS = (row(2, 0), row(1, 1), row(3, 0, (True, False, True)))


def test_token_mean():
    assert token_weights(ROWS, "token_mean") == [(1 / 5, 1 / 5), (1 / 5,), (1 / 5, 0, 1 / 5)]


def test_sequence_mean():
    # two sequences, of 4 tokens and of 1
    assert token_weights(ROWS, "sequence_mean") == [(1 / 8, 1 / 8), (1 / 2,), (1 / 8, 0, 1 / 8)]


def test_constant_length():
    assert token_weights(ROWS, "constant_length", 10) == [(1 / 20, 1 / 20), (1 / 20,), (1 / 20, 0, 1 / 20)]


def test_fault_2_bias_by_length_is_that_of_sequence_mean_alone():
    """A token of the long answer weighs as much as one of the short, unless a mean of each sequence is asked for."""
    rows = (row(100, 0), row(10, 1))
    cases: tuple[tuple[Aggregation, int | None, int], ...]
    cases = (("token_mean", None, 1), ("constant_length", 50, 1), ("sequence_mean", None, 10))
    for aggregation, length, ratio in cases:
        long, short = (weights[0] for weights in token_weights(rows, aggregation, length))
        assert short / long == pytest.approx(ratio)


@pytest.mark.parametrize(
    ("aggregation", "length", "left"),
    [("token_mean", None, 1 / 4), ("sequence_mean", None, 1 / 4), ("constant_length", 8, 1 / 8)],
)
def test_fault_3_masked_tokens_are_in_no_denominator(aggregation, length, left):
    """A sequence that was cut off, and one all of whose tokens are masked, change nothing for the one that is left."""
    alone = [row(4, 0)]
    with_masked = [*alone, row(3, 1), row(2, 1, truncated=True), row(2, 2, (False, False))]
    assert token_weights(alone, aggregation, length) == [(left,) * 4]
    found = token_weights(with_masked, aggregation, length, mask_truncated=True)
    assert found == [(left,) * 4, (0, 0, 0), (0, 0), (0, 0)]


def test_truncated_counts_unless_it_is_masked():
    assert token_weights([row(2, 0), row(2, 1, truncated=True)], "token_mean") == [(1 / 4,) * 2, (1 / 4,) * 2]


def test_nothing_counts():
    assert token_weights([row(2, 0, (False, False))], "sequence_mean") == [(0, 0)]
    assert token_weights([], "token_mean") == []


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.lists(st.booleans(), min_size=1, max_size=5), st.booleans()),
        min_size=1,
        max_size=8,
    )
)
def test_means_have_weights_that_sum_to_1(drawn):
    rows = [row(len(mask), sequence, tuple(mask), truncated) for sequence, mask, truncated in drawn]
    cut = {each.sequence for each in rows if each.truncated}
    counted = sum(sum(each.weight_mask or ()) for each in rows if each.sequence not in cut)
    for aggregation in ("token_mean", "sequence_mean"):
        weights = token_weights(rows, aggregation, mask_truncated=True)
        total = sum(Fraction(weight).limit_denominator(10_000) for row_weights in weights for weight in row_weights)
        assert total == (1 if counted else 0)


def test_rows_say_what_does_not_fit():
    with pytest.raises(ValueError, match="prompt"):
        TokenRow((), (1,))
    with pytest.raises(ValueError, match="old_log_probs has 1 values for an answer of 2 tokens"):
        TokenRow((1,), (1, 2), old_log_probs=(0.0,))

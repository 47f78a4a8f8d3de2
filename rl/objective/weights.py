"""How much each token of a batch weighs in its loss."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from rl.objective.rows import TokenRow

Aggregation = Literal["token_mean", "sequence_mean", "constant_length"]


def token_weights(
    rows: Sequence[TokenRow],
    aggregation: Aggregation,
    constant_length: int | None = None,
    mask_truncated: bool = False,
) -> list[tuple[float, ...]]:
    """The weight of each token of each row's answer; the batch's loss is the sum of weight times the token's loss.

    The weights of a batch are worked out before it is cut into micro-batches or shared out, so that the loss does not
    hang on how that is done. With S sequences (rollouts, which may span rows), T counted tokens in all and T_s in
    sequence s, a token's weight is

        token_mean       1 / T           DAPO (arXiv 2503.14476), trl's `dapo`; equally, every token
        sequence_mean    1 / (S T_s)     GRPO's paper, trl's `grpo`: a token of a long answer weighs less than one of a
                                         short, so that long wrong answers are held against the policy too little
        constant_length  1 / (S L)       Dr. GRPO (arXiv 2503.20783), with L `constant_length`: the policy gradient
                                         but for a constant factor, without bias by length

    A token counts that `weight_mask` does not except; none of a sequence does that has a truncated row, where
    `mask_truncated` is set. What does not count has weight 0 and is in no denominator; a sequence without a token that
    counts is not among the S.
    """
    cut = {row.sequence for row in rows if row.truncated} if mask_truncated else set()
    counts = [_counted(row, row.sequence in cut) for row in rows]
    lengths = Counter[int]()
    for row, counted in zip(rows, counts, strict=True):
        lengths[row.sequence] += sum(counted)
    total = lengths.total()
    sequences = sum(1 for length in lengths.values() if length)
    weights = []
    for row, counted in zip(rows, counts, strict=True):
        match aggregation:
            case "token_mean":
                whole = total
            case "sequence_mean":
                whole = sequences * lengths[row.sequence]
            case "constant_length":
                if constant_length is None:
                    raise ValueError("constant_length needs a length")
                whole = sequences * constant_length
        weights.append(tuple(1 / whole if each else 0.0 for each in counted))
    return weights


def _counted(row: TokenRow, cut: bool) -> tuple[bool, ...]:
    if cut or row.weight_mask is None:
        return (not cut,) * len(row.answer_ids)
    return row.weight_mask

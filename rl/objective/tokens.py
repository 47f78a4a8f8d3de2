"""The tokens of some rows as flat vectors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress

import torch

from rl.objective.rows import TokenRow


@dataclass(frozen=True)
class Tokens:
    """The N tokens that count, row after row; all (N,), float32. None stands for what no row tells."""

    weights: torch.Tensor
    advantages: torch.Tensor
    sampler: torch.Tensor | None = None
    old: torch.Tensor | None = None
    reference: torch.Tensor | None = None
    again: torch.Tensor | None = None  # bool


def flatten(rows: Sequence[TokenRow], weights: Sequence[Sequence[float]], device: torch.device | str) -> Tokens:
    """The tokens whose weight, one for each of a row's answer, is not 0."""

    def told(values_of: Callable[[TokenRow], tuple[float, ...] | None]) -> torch.Tensor | None:
        values: list[float] = []
        for row, weight in zip(rows, weights, strict=True):
            told_of_row = values_of(row)
            if told_of_row is None:
                return None
            values.extend(compress(told_of_row, weight))
        return torch.tensor(values, dtype=torch.float32, device=device)

    counted = [[each for each in weight if each] for weight in weights]
    advantages = [row.advantage for row, weight in zip(rows, counted, strict=True) for _ in weight]
    again = [row.again for row, weight in zip(rows, counted, strict=True) for _ in weight]
    return Tokens(
        weights=torch.tensor([each for weight in counted for each in weight], dtype=torch.float32, device=device),
        advantages=torch.tensor(advantages, dtype=torch.float32, device=device),
        sampler=told(lambda row: row.sampler_log_probs),
        old=told(lambda row: row.old_log_probs),
        reference=told(lambda row: row.reference_log_probs),
        again=torch.tensor(again, dtype=torch.bool, device=device),
    )

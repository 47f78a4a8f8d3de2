"""Lines of rows as what a model takes, and where its hidden states predict the tokens that are learned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from rl.learner.config import Layout
from rl.learner.layout import Line
from rl.objective.rows import TokenRow

PADDING = -1


@dataclass(frozen=True)
class Collated:
    """`inputs` is given to the model: `input_ids` (b, l), and perhaps `position_ids` and `attention_mask`.

    `targets` (N,) are the tokens to predict, row after row as the lines have them, and `places` (N,) where in b x l the
    state is that predicts each.
    """

    inputs: dict[str, Any]
    places: torch.Tensor
    targets: torch.Tensor


def collate(
    rows: Sequence[TokenRow],
    wanted: Sequence[Sequence[object]],
    lines: Sequence[Line],
    layout: Layout,
    pad_id: int,
    device: torch.device | str,
) -> Collated:
    """`wanted` has a value for each token of each row's answer: true for those that are to be predicted."""
    width = max(line.length for line in lines)
    ids, positions, branches, places, targets = [], [], [], [], []
    for number, line in enumerate(lines):
        padding = width - line.length
        before = padding if layout == "left" else 0
        tokens: list[int] = [pad_id] * before
        position = [0] * before
        branch = [PADDING] * before
        for place, row in enumerate(rows[each] for each in line.rows):
            if layout != "shared" or place == 0:
                tokens += row.prompt_ids
                position += range(len(row.prompt_ids))
                branch += [0] * len(row.prompt_ids)
                last = len(tokens) - 1
            more = len(row.answer_ids) - 1
            # The prompt's last token predicts the answer's first, and each of the answer the next.
            states = (last, *range(len(tokens), len(tokens) + more))
            for state, token, learned in zip(states, row.answer_ids, wanted[line.rows[place]], strict=True):
                if learned:
                    places.append(number * width + state)
                    targets.append(token)
            tokens += row.answer_ids[:more]
            position += range(len(row.prompt_ids), len(row.prompt_ids) + more)
            branch += [place + 1] * more
        after = width - len(tokens)
        ids.append(tokens + [pad_id] * after)
        positions.append(position + [0] * after)
        branches.append(branch + [PADDING] * after)
    inputs: dict[str, Any] = {"input_ids": torch.tensor(ids, device=device)}
    crowded = any(len(line.rows) > 1 for line in lines)
    if layout == "left" or (crowded and layout in ("shared", "packed")):
        inputs["position_ids"] = torch.tensor(positions, device=device)
    if layout == "left":
        inputs["attention_mask"] = (torch.tensor(branches, device=device) != PADDING).long()
    elif crowded and layout == "shared":
        inputs["attention_mask"] = _visible(torch.tensor(branches, device=device))
    return Collated(inputs, torch.tensor(places, device=device), torch.tensor(targets, device=device))


def _visible(branches: torch.Tensor) -> torch.Tensor:
    """Which token sees which (b, 1, l, l), from the answer (b, l) that each is of, 0 for the prompt.

    A token sees what stands before it of the prompt and of its own answer. Padding sees some, which hurts no one.
    """
    length = branches.shape[1]
    earlier = torch.ones(length, length, dtype=torch.bool, device=branches.device).tril()
    same = branches[:, :, None] == branches[:, None, :]
    return ((same | (branches == 0)[:, None, :]) & earlier)[:, None]

"""What the learner is given: prompts and answers as token ids, with what the loss wants to know of each answer."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TokenRow:
    """A prompt and its answer as token ids. The loss is taken of the answer's n tokens.

    Ids are those that the sampler drew (text that is encoded again may come out as others), and every one of them
    counts, whatever it means: padding is known by its place, and a row may hold the padding token itself. Rows of one
    rollout share `sequence`: an episode of tactics has a row for each turn. Log-probabilities are natural, and all at
    the temperature that was sampled at.

    Raises:
        ValueError: the prompt is empty, or something has another length than the answer.
    """

    prompt_ids: tuple[int, ...]
    answer_ids: tuple[int, ...]  # (n,)
    advantage: float = 1.0
    sequence: int = 0
    sampler_log_probs: tuple[float, ...] | None = None  # (n,) as the sampler told them
    old_log_probs: tuple[float, ...] | None = None  # (n,) of the learner before the first update on this batch
    reference_log_probs: tuple[float, ...] | None = None  # (n,)
    weight_mask: tuple[bool, ...] | None = None  # (n,) tokens that count, all if None
    truncated: bool = False  # a limit of tokens cut the answer off
    again: bool = False  # sampled by far older weights and given again: it says nothing of how far off policy one is

    def __post_init__(self) -> None:
        if not self.prompt_ids:
            raise ValueError("a row needs a prompt of at least one token, after which the answer's first is predicted")
        given: dict[str, Sequence[object] | None] = {
            "sampler_log_probs": self.sampler_log_probs,
            "old_log_probs": self.old_log_probs,
            "reference_log_probs": self.reference_log_probs,
            "weight_mask": self.weight_mask,
        }
        for name, values in given.items():
            if values is not None and len(values) != len(self.answer_ids):
                raise ValueError(f"{name} has {len(values)} values for an answer of {len(self.answer_ids)} tokens")

    @property
    def tokens(self) -> int:
        """Tokens of prompt and answer."""
        return len(self.prompt_ids) + len(self.answer_ids)

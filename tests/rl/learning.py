"""Tiny models and batches for the learner's tests."""

from collections.abc import Sequence
from random import Random
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from rl.objective.rows import TokenRow

VOCABULARY = 61
PAD = 0


def llama(seed: int = 0, layers: int = 2, tied: bool = True) -> Any:
    """Weights larger than usual, so that its distributions are far from even."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=layers, num_attention_heads=4,
            num_key_value_heads=2, intermediate_size=64, max_position_embeddings=128, initializer_range=0.15,
            tie_word_embeddings=tied, pad_token_id=PAD, bos_token_id=None, eos_token_id=1,
        )
    ).eval()  # fmt: skip


def gpt2(seed: int = 0) -> Any:
    """Absolute positions, dropout, and a kind that is not known to build masks from positions."""
    torch.manual_seed(seed)
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=VOCABULARY, n_positions=128, n_embd=32, n_layer=2, n_head=4, initializer_range=0.15,
            bos_token_id=None, eos_token_id=1,
        )
    )  # fmt: skip


def plain_log_probs(model: Any, row: TokenRow, temperature: float = 1.0) -> torch.Tensor:
    """Log-probabilities (n,) of one row, by the plainest way."""
    logits = model(torch.tensor([[*row.prompt_ids, *row.answer_ids]])).logits[0, len(row.prompt_ids) - 1 : -1]
    every = (logits / temperature).log_softmax(-1)
    return every.gather(1, torch.tensor(row.answer_ids)[:, None])[:, 0]


def batch(seed: int = 0, prompts: int = 4, answers: int = 3, **given: Any) -> list[TokenRow]:
    """Groups of answers to prompts, of many lengths, with old and reference log-probabilities; some tokens masked.

    The padding token occurs in them as any other.
    """
    random = Random(seed)
    rows = []
    for number in range(prompts):
        prompt = tuple(random.choices(range(VOCABULARY), k=random.randint(2, 12)))
        for answer in range(answers):
            length = random.randint(1, 9)
            rows.append(
                TokenRow(
                    prompt,
                    (*random.choices(range(VOCABULARY), k=length - 1), PAD),
                    advantage=random.uniform(-1, 2),
                    sequence=number * answers + answer,
                    old_log_probs=_drawn(random, length),
                    sampler_log_probs=_drawn(random, length),
                    reference_log_probs=_drawn(random, length),
                    weight_mask=None if answer else (*(True,) * (length - 1), False),
                    **given,
                )
            )
    return rows


def _drawn(random: Random, length: int) -> tuple[float, ...]:
    return tuple(random.uniform(-7, -1) for _ in range(length))


def gradient(model: Any) -> torch.Tensor:
    """All gradients as one vector."""
    return torch.cat([weight.grad.flatten() for weight in model.parameters() if weight.grad is not None])


def weights(model: Any) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in model.parameters()])


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    """The length of the difference over that of what is expected."""
    return float((found - expected).norm() / expected.norm())


def bits(values: Sequence[torch.Tensor]) -> list[bytes]:
    return [value.detach().numpy().tobytes() for value in values]

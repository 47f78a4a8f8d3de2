"""Tiny random models in `save_pretrained` folders, of several architectures, with the project's own tokenizer."""

from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from prover.model.tokenizer import as_transformers, train

TEXTS = (
    "theorem t (n : Nat) : n + 0 = n\nsimp\nomega\ninduction n with",
    "⊢ ∀ x ∈ s, x = x ∧ True\nintro x hx\nexact ⟨rfl, trivial⟩",
)
CONTEXT = 256
LLAMA: dict[str, Any] = {
    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "intermediate_size": 96, "max_position_embeddings": CONTEXT,
}  # fmt: skip
SHAPES: dict[str, dict[str, Any]] = {
    "llama": {**LLAMA, "tie_word_embeddings": True},
    "qwen2": {**LLAMA, "tie_word_embeddings": False},
    "mistral": {**LLAMA, "sliding_window": None, "head_dim": 32},
    "sliding": {**LLAMA, "sliding_window": 8, "model_type": "mistral"},
    "gpt2": {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": CONTEXT},
    "bloom": {"hidden_size": 64, "n_layer": 2, "n_head": 4},
}


def save(folder, kind="llama", seed=0, spread=0.3):
    """A model of `SHAPES`; `spread` is the standard deviation of its weights, large enough that it has opinions."""
    tokenizer = as_transformers(train(TEXTS, 320), CONTEXT)
    sizes = {"model_type": kind, **SHAPES[kind]}
    special = {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": None}
    config = AutoConfig.for_model(**sizes, vocab_size=len(tokenizer), **special)
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for weight in model.parameters():
            # Biases too, which begin as zeros: a graph that forgot them would pass.
            weight.add_(torch.randn_like(weight) * spread / (weight.shape[-1] ** 0.5 if weight.dim() > 1 else 4))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder

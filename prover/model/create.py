"""Makes an untrained model in an ordinary `save_pretrained` folder. Needs torch and transformers."""

from collections.abc import Iterable
from pathlib import Path

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from prover.model.config import DEFAULT, ModelConfig
from prover.model.tokenizer import as_transformers, train


def create(folder: Path, texts: Iterable[str], config: ModelConfig = DEFAULT, seed: int = 0) -> None:
    """Writes a model with random weights and a tokenizer trained on `texts`, which name the tokens, into `folder`.

    The same texts, sizes and seed give the same files. The model's vocabulary is the tokenizer's: at most what `config`
    says, fewer where the texts are too small for it. What lies in the folder under the same names is overwritten.
    """
    tokenizer = as_transformers(train(texts, config.vocabulary), config.context)
    shape = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=config.hidden,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.key_value_heads,
        head_dim=config.hidden // config.heads,
        intermediate_size=config.intermediate,
        max_position_embeddings=config.context,
        rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        dtype=torch.float32,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(shape)
    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, do_sample=True
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)

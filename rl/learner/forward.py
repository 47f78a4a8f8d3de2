"""Log-probabilities of the learned tokens, whose logits alone are computed."""

from typing import Any

import torch

from prover.sources import UserInputError
from rl.learner.collate import Collated
from rl.learner.config import Layout

# What is known to build its mask from positions, and to take one that is given whole.
MASKED = ("llama", "mistral", "qwen2", "qwen3")


def layout_for(model: Any, asked: Layout) -> Layout:
    """The layout that a model is run with: with `auto` shared where the model can, and right, which all can, elsewhere.

    Raises:
        UserInputError: the model cannot be run with the one asked for.
    """
    config = model.config.get_text_config(decoder=True)
    layers = getattr(config, "layer_types", None) or ()
    full = all(layer == "full_attention" for layer in layers) and getattr(config, "sliding_window", None) is None
    masked = config.model_type in MASKED and config._attn_implementation == "sdpa" and full
    if asked == "auto":
        return "shared" if masked else "right"
    if asked in ("shared", "packed") and not masked:
        kinds = ", ".join(MASKED)
        raise UserInputError(
            f"The layout {asked} needs a model of the kind {kinds}, with full attention by sdpa; choose right."
        )
    return asked


def learned_logits(model: Any, collated: Collated) -> torch.Tensor:
    """Logits (N, v) for the tokens to predict.

    Only the chosen states go on to the output layer, whatever the model does with its logits afterwards. Transformers'
    own way, `logits_to_keep`, chooses the same places in every line, and not all models have it.
    """
    chosen = False

    def choose(_: Any, given: tuple[Any, ...]) -> tuple[Any, ...] | None:
        nonlocal chosen
        if not given or given[0].shape[:2] != collated.inputs["input_ids"].shape:
            return None
        chosen = True
        return (given[0].flatten(0, 1).index_select(0, collated.places)[None], *given[1:])

    output_layer = model.get_output_embeddings()
    hook = None if output_layer is None else output_layer.register_forward_pre_hook(choose)
    try:
        logits = model(**collated.inputs, use_cache=False).logits
    finally:
        if hook is not None:
            hook.remove()
    if chosen:
        return logits[0]
    if logits.shape[:2] != collated.inputs["input_ids"].shape:
        raise ValueError("the model gives no logits for each of its tokens")
    return logits.flatten(0, 1).index_select(0, collated.places)


def token_log_probs(
    logits: torch.Tensor, targets: torch.Tensor, temperature: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Of logits (N, v) and tokens (N,): log-probabilities (N,) with their gradient, and entropies (N,) without.

    Both are of what was sampled from: softmax of the logits over `temperature`, in float32.
    """
    logits = logits.float()
    if temperature != 1.0:
        logits = logits / temperature
    every = logits.log_softmax(dim=-1)
    chosen = every.gather(1, targets[:, None])[:, 0]
    with torch.no_grad():
        entropies = -(every.exp() * every).sum(dim=-1)
    return chosen, entropies

"""Exports a Llama-like model that transformers can load to one .onnx file and a tokenizer, for `onnx:FOLDER`."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from prover.sampling.decoding import DecoderFault
from prover.sampling.faults import cannot_import
from prover.sampling.onnx_format import MODEL, TOKENIZER, Facts, to_metadata
from prover.sampling.sampler import SamplerError
from prover.sources import UserInputError

ARCHITECTURES = ("llama", "mistral", "qwen2")
LARGEST = 2**31 - 1  # bytes: what one protobuf can hold
STEADY_ROTATIONS = ("default", "linear", "llama3", "yarn")  # the others change with the length of a text
CHECKED = 32  # tokens
FAR = 1e-2  # between logits in float32: rounding keeps within a hundredth of it


@dataclass(frozen=True)
class Exported:
    """`size` of the .onnx file in bytes, and the greatest difference between its logits and the model's own."""

    size: int
    difference: float


def export(folder: Path, out: Path, int8: bool = False) -> Exported:
    """Writes `model.onnx` and `tokenizer.json` into the folder `out`, and runs them once.

    `folder` is what `save_pretrained` wrote. Weights are stored in float32, or in bytes with `int8`.

    Raises:
        UserInputError: something needed is not installed, or the model cannot be exported.
    """
    try:
        import onnx
        import tokenizers  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401

        from prover.model.onnx_graph import build
        from prover.sampling.onnx_sampler import open_onnx
        from prover.sampling.transformers_sampler import load, vocabulary_of
    except Exception as error:  # a library that is broken raises its own kinds
        needs = "Exporting needs PyTorch, transformers and onnx"
        raise UserInputError(f"{cannot_import(needs, 'hf,onnx', error)}.") from error
    if not folder.is_dir():
        raise UserInputError(f"There is no folder {folder}.")
    try:
        model, tokenizer = load(str(folder), "cpu", "float32")
    except SamplerError as error:
        raise UserInputError(str(error)) from error
    if not (folder / TOKENIZER).is_file():
        raise UserInputError(f"{folder} has no {TOKENIZER}: only a fast tokenizer, saved with the model, can go along.")
    _check(model, folder, int8)
    vocabulary = vocabulary_of(model, tokenizer)
    facts = Facts(
        layers=model.config.num_hidden_layers,
        key_value_heads=model.config.num_key_value_heads,
        head_size=model.model.layers[0].self_attn.head_dim,
        vocabulary=model.config.vocab_size,
        context=model.config.max_position_embeddings,
        ends=tuple(sorted(vocabulary.ends)),
        weights="int8" if int8 else "float32",
    )
    made = build(_llama(model), int8, to_metadata(facts))
    try:
        out.mkdir(parents=True, exist_ok=True)
        onnx.save_model(made, str(out / MODEL))
        if (folder / TOKENIZER).resolve() != (out / TOKENIZER).resolve():
            shutil.copyfile(folder / TOKENIZER, out / TOKENIZER)
    except OSError as error:
        raise UserInputError(f"{out} cannot be written to: {error.strerror or error}.") from error
    try:
        difference = _difference(model, open_onnx(str(out)).decoder)
    except SamplerError as error:
        raise UserInputError(f"The export failed: {error}") from error
    except (DecoderFault, MemoryError) as error:
        (out / MODEL).unlink()
        reason = "there is not enough memory" if isinstance(error, MemoryError) else error
        raise UserInputError(f"{folder}: onnxruntime cannot run what was exported: {reason}; use hf:.") from error
    if not int8 and not difference < FAR:
        (out / MODEL).unlink()
        raise UserInputError(
            f"{folder}: onnxruntime's answers differ from PyTorch's by {difference:.2g}, so the export is of no use; "
            "use hf:."
        )
    return Exported((out / MODEL).stat().st_size, difference)


def _check(model: Any, folder: Path, int8: bool) -> None:
    """Refuses a model that the graph would not compute."""
    config = model.config
    if config.model_type not in ARCHITECTURES:
        kinds = ", ".join(ARCHITECTURES)
        raise UserInputError(f"{folder} cannot be exported: it is a {config.model_type} and none of {kinds}; use hf:.")
    rotation = (config.rope_parameters or {}).get("rope_type", "default")
    kinds_of_layers = getattr(config, "layer_types", None) or []
    windowed = any(kind != "full_attention" for kind in kinds_of_layers)
    if config.model_type == "mistral":
        windowed = config.sliding_window is not None
    size = sum(weight.numel() for weight in model.parameters()) * (1 if int8 else 4)
    problems = {
        f"its activation is {config.hidden_act}, not silu": config.hidden_act != "silu",
        f"its rotary embedding is of the kind {rotation}": rotation not in STEADY_ROTATIONS,
        "its attention has a sliding window": windowed,
        "the size of its heads is no multiple of 16": model.model.layers[0].self_attn.head_dim % 16 != 0,
        "its weights are larger than one .onnx file can be (2 GiB)": size > LARGEST,
    }
    for problem, found in problems.items():
        if found:
            raise UserInputError(f"{folder} cannot be exported: {problem}; use hf:.")


def _llama(model: Any) -> Any:
    """The weights as numpy arrays; matrices (in, out), as they are multiplied by."""
    import torch

    from prover.model.onnx_graph import Layer, Linear, Llama

    def array(tensor: Any) -> Any:
        return tensor.detach().to(torch.float32).cpu().numpy()

    def linear(*modules: Any) -> Linear:
        weight = np.concatenate([array(module.weight) for module in modules]).T
        if all(module.bias is None for module in modules):
            return Linear(weight)
        biases = [np.zeros(len(m.weight), np.float32) if m.bias is None else array(m.bias) for m in modules]
        return Linear(weight, np.concatenate(biases))

    inner, config = model.model, model.config
    layers = tuple(
        Layer(
            attention_norm=array(layer.input_layernorm.weight),
            query_key_value=linear(layer.self_attn.q_proj, layer.self_attn.k_proj, layer.self_attn.v_proj),
            output=linear(layer.self_attn.o_proj),
            mlp_norm=array(layer.post_attention_layernorm.weight),
            gate_up=linear(layer.mlp.gate_proj, layer.mlp.up_proj),
            down=linear(layer.mlp.down_proj),
        )
        for layer in inner.layers
    )
    places = torch.arange(config.max_position_embeddings)[None]
    cosines, sines = inner.rotary_emb(inner.embed_tokens.weight, places)
    half = cosines.shape[-1] // 2  # the second half repeats the first
    return Llama(
        heads=config.num_attention_heads,
        key_value_heads=config.num_key_value_heads,
        head_size=inner.layers[0].self_attn.head_dim,
        epsilon=config.rms_norm_eps,
        embedding=array(inner.embed_tokens.weight),
        layers=layers,
        norm=array(inner.norm.weight),
        head=linear(model.lm_head),
        cosines=array(cosines[0, :, :half]),
        sines=array(sines[0, :, :half]),
    )


def _difference(model: Any, decoder: Any) -> float:
    """The greatest between the logits that the two give after some tokens, the last of them one at a time."""
    import torch

    ids = tuple(i * 7 % model.config.vocab_size for i in range(min(CHECKED, model.config.max_position_embeddings - 1)))
    given = len(ids) // 2
    decoder.start([ids[:given]], [0], len(ids) - given)
    differences = []
    with torch.inference_mode():
        expected = model(torch.tensor([ids])).logits[0].numpy()
    for place in range(given, len(ids)):
        differences.append(np.abs(decoder.logits[0] - expected[place - 1]).max())
        decoder.advance([0], np.array([ids[place]]))
    differences.append(np.abs(decoder.logits[0] - expected[-1]).max())
    decoder.stop()
    return float(max(differences))

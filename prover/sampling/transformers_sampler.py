"""`hf:NAME_OR_PATH`: any causal language model that transformers can load, from a folder or from the hub.

Torch and transformers are imported when a model is opened.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from prover.sampling.decoding import Vocabulary
from prover.sampling.faults import cannot_import, first_line
from prover.sampling.local_sampler import LocalSampler
from prover.sampling.sampler import Prompt, SamplerError
from prover.sampling.weights import parameter_count

ROWS = {"cpu": 64, "cuda": 256}  # samples in a batch: more are no faster
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
UNLIMITED = 10**9  # tokenizers say some such length where they know none


def open_transformers(
    name: str, *, device: str | None = None, dtype: str | None = None, rows: int | None = None
) -> LocalSampler:
    """The model in a folder that `save_pretrained` wrote (a peft adapter's too), or of that name on the hub.

    `device` is `cpu` or `cuda`, the latter by default where there is one. `dtype` is float32 on a CPU; on CUDA it is
    bfloat16, or float16 where that is not supported. `rows` is the most samples in a batch.

    Raises:
        SamplerError: it cannot be used.
    """
    try:
        import torch

        import prover.sampling.torch_decoder  # noqa: F401
    except Exception as error:  # a build of torch that lacks one of CUDA's libraries raises nearly anything
        raise SamplerError(f"hf: {cannot_import('needs PyTorch and transformers', 'hf', error)}.") from error
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise SamplerError("PyTorch finds no CUDA device here; leave the device out, or name cpu.")
    if dtype is None:
        half = "bfloat16" if device != "cpu" and torch.cuda.is_bf16_supported() else "float16"
        dtype = "float32" if device == "cpu" else half
    model, tokenizer = load(name, device, dtype)
    return transformers_sampler(model, tokenizer, f"hf:{name}", rows)


def load(name: str, device: str, dtype: str) -> tuple[Any, Any]:
    """A model, with an adapter's weights added where there is one, and its tokenizer. Needs torch and transformers.

    Raises:
        SamplerError: they cannot be used.
    """
    import torch
    import transformers

    adapted = _adapted(name)
    name, base = _place(name), _place(adapted or name)
    config = _loaded(lambda: transformers.AutoConfig.from_pretrained(base), base)
    if config.is_encoder_decoder:
        raise SamplerError(f"{base} is an encoder-decoder; a model that continues text (a causal one) is needed.")
    _check_memory(base, config, device, dtype)
    # An adapter's folder may have a tokenizer of its own.
    source = name if (Path(name) / "tokenizer_config.json").is_file() else base
    tokenizer = _loaded(lambda: transformers.AutoTokenizer.from_pretrained(source), source, "tokenizer")
    options: dict[str, Any] = {"dtype": getattr(torch, dtype), "output_loading_info": True}
    if device != "cpu":
        options["device_map"] = device
    model, info = _loaded(lambda: transformers.AutoModelForCausalLM.from_pretrained(base, **options), base)
    if info["missing_keys"]:
        missing = sorted(info["missing_keys"])
        raise SamplerError(f"{base} lacks {len(missing)} of the model's weights, {missing[0]} among them.")
    return (model if adapted is None else _with_adapter(model, name)), tokenizer


def transformers_sampler(
    model: Any, tokenizer: Any, name: str = "hf:in memory", rows: int | None = None
) -> LocalSampler:
    """A sampler over a model and a tokenizer that are loaded already; the model is put into evaluation mode."""
    from prover.sampling.torch_decoder import TorchDecoder

    model.eval()
    most = rows or ROWS.get(model.device.type, ROWS["cpu"])
    return LocalSampler(name, vocabulary_of(model, tokenizer), TorchDecoder(model, most))


def vocabulary_of(model: Any, tokenizer: Any) -> Vocabulary:
    """What the sampling loop is to know of a model and its tokenizer. Every id that either names as an end is one."""
    ends: set[int] = set()
    for named in (model.generation_config and model.generation_config.eos_token_id, tokenizer.eos_token_id):
        ends.update([named] if isinstance(named, int) else named or [])
    config = model.config.get_text_config(decoder=True)
    limits = [getattr(config, key, None) for key in ("max_position_embeddings", "n_positions", "max_seq_len")]
    context = next((limit for limit in limits if isinstance(limit, int)), None)
    if context is None and tokenizer.model_max_length < UNLIMITED:
        context = tokenizer.model_max_length
    return Vocabulary(
        encode=lambda prompt: _encode(prompt, tokenizer),
        decode=_decoding(tokenizer),
        ends=frozenset(ends),
        special={token: tokenizer.convert_tokens_to_ids(token) for token in tokenizer.all_special_tokens},
        context=context,
        size=config.vocab_size,
    )


def _encode(prompt: Prompt, tokenizer: Any) -> list[int]:
    if not prompt.messages:
        return list(tokenizer(prompt.text, verbose=False)["input_ids"])
    if not tokenizer.chat_template:
        raise ValueError(
            "the model has no chat template, so it takes no messages; choose a prompt family of plain text"
        )
    turns = [{"role": message.role, "content": message.text} for message in prompt.messages]
    begun = turns[-1]["role"] == "assistant"
    try:
        encoded = tokenizer.apply_chat_template(
            turns, add_generation_prompt=not begun, continue_final_message=begun, return_dict=True
        )
    except Exception as error:  # a template is a program, and may raise what it likes
        raise ValueError(f"the model's chat template refuses the messages: {error}") from error
    return list(encoded["input_ids"])


def _decoding(tokenizer: Any) -> Callable[[Sequence[int]], str]:
    """The fast tokenizer's own decoding where there is one: the loop decodes a few tokens for every token."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        return lambda ids: str(backend.decode(list(ids), skip_special_tokens=True))
    return lambda ids: str(tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))


def _place(name: str) -> str:
    """A folder's path with `~` written out, which transformers and peft do not do; any other name as it stands."""
    folder = Path(name).expanduser()
    return str(folder) if folder.is_dir() else name


def _adapted(name: str) -> str | None:
    """What the adapter in the folder `name` adapts: a path or a name; None where the name means a whole model."""
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if folder.exists():
            raise SamplerError(f"{name} is a file; name the folder that it lies in.")
        if name.startswith(("/", ".", "~")) or name.count("/") > 1:
            raise SamplerError(f"There is no folder {name}.")
        return None
    if (folder / "config.json").is_file():
        return None
    if not (folder / "adapter_config.json").is_file():
        raise SamplerError(f"{name} has no config.json; name a folder that save_pretrained of transformers wrote.")
    try:
        base = json.loads((folder / "adapter_config.json").read_text("utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError):
        base = None
    if not isinstance(base, str) or not base:
        raise SamplerError(f"{name}: adapter_config.json does not say which model it adapts (base_model_name_or_path).")
    if base.startswith(("/", ".", "~")) and not Path(base).expanduser().is_dir():
        raise SamplerError(f"{name} adapts the model in {base}, and there is no such folder.")
    return base


def _with_adapter(model: Any, folder: str) -> Any:
    """The model with the adapter's weights added to its own, so that it runs no slower."""
    try:
        from peft import PeftModel
    except Exception as error:
        raise SamplerError(f"{folder} is a peft adapter: it {cannot_import('needs peft', 'hf', error)}.") from error
    try:
        return PeftModel.from_pretrained(model, folder).merge_and_unload()
    except Exception as error:  # the libraries raise nearly every kind for one damaged file or another
        raise SamplerError(f"The adapter in {folder} does not fit its model: {first_line(error)}.") from error


def _loaded(load: Callable[[], Any], name: str, what: str = "model") -> Any:
    """What `load` gives, and one sentence for whatever keeps it from it."""
    try:
        with without_progress_bars():
            return load()
    except MemoryError as error:
        raise SamplerError(f"{name} does not fit into memory.") from error
    except Exception as error:  # the library raises nearly every kind for one damaged file or another
        if "OutOfMemory" in type(error).__name__:
            raise SamplerError(f"{name} does not fit into the GPU's memory.") from error
        if "trust_remote_code" in str(error):
            raise SamplerError(
                f"{name} brings a program of its own, which is not run; choose another model."
            ) from error
        if Path(name).is_dir():
            raise SamplerError(f"{name} has no {what} that can be loaded: {first_line(error)}.") from error
        causes = {type(cause).__name__ for cause in (error, error.__cause__, error.__context__)}
        if "GatedRepoError" in causes:
            raise SamplerError(
                f"{name} is on the hub for those only who asked for it: ask there, then `hf auth login`."
            ) from error
        if "RepositoryNotFoundError" in causes:
            raise SamplerError(
                f"There is no model {name} on the hub, or it is private: see `hf auth login`."
            ) from error
        if isinstance(error, OSError):
            raise SamplerError(
                f"{name} is no folder, and cannot be fetched from the hub: is the name right, is there a network?"
            ) from error
        raise SamplerError(f"{name} cannot be loaded: {first_line(error)}.") from error


@contextmanager
def without_progress_bars() -> Iterator[None]:
    """What transformers loads or saves meanwhile, it does in silence."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _check_memory(base: str, config: Any, device: str, dtype: str) -> None:
    """Refuses a model whose weights are larger than the memory left: the system would kill the process, unasked."""
    if getattr(config, "quantization_config", None):
        return  # its numbers are not all of one size
    folder = Path(base)
    try:
        count = parameter_count(folder) if folder.is_dir() else _count_on_hub(base)
    except ValueError as error:
        raise SamplerError(f"{error}.") from error
    if count is None:
        return
    if device == "cpu":
        free = psutil.virtual_memory().available
    else:
        import torch

        free = torch.cuda.mem_get_info(device)[0]
    needed = count * BYTES.get(dtype, 4)
    if needed > free:
        raise SamplerError(
            f"{base} has {count / 1e9:.3g} billion parameters, {needed / 2**30:.1f} GiB in {dtype}, "
            f"and {free / 2**30:.1f} GiB are free; choose a smaller model or a larger machine."
        )


def _count_on_hub(name: str) -> int | None:
    try:
        from huggingface_hub import get_safetensors_metadata

        return sum(get_safetensors_metadata(name).parameter_count.values())
    except Exception:  # no network, or no such files: what loads the model will say so
        return None

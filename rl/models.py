"""Opens a language model for training, and saves one so that `hf:FOLDER` opens it.

Torch, transformers and peft are imported when they are needed.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prover.sampling.faults import cannot_import, first_line
from prover.sampling.sampler import SamplerError
from prover.sampling.transformers_sampler import load, without_progress_bars
from prover.sources import UserInputError
from rl.whole_folder import whole_folder

LINE = 64  # bytes of a processor's cache that are read together


@dataclass(frozen=True)
class PeftOptions:
    """Low-rank adaptation (LoRA, Hu et al. 2021, section 4.1): the model's weights stay, and each of its linear layers
    W learns two thin matrices A (rank, in) and B (out, rank) beside it: W x + alpha / rank B A x.

    All linear layers have them, not attention's alone. There is no dropout: the probabilities that are trained on have
    to be those that were sampled from.

    Raises:
        UserInputError: a value cannot be used.
    """

    lora_rank: int | None = field(
        default=None, metadata={"help": "Train LoRA matrices of this rank beside the weights; none trains all weights."}
    )
    lora_alpha: int = field(default=16, metadata={"help": "What LoRA's product is scaled by, times its rank."})

    def __post_init__(self) -> None:
        if self.lora_rank is not None and self.lora_rank < 1:
            raise UserInputError(f"--lora-rank is at least 1, not {self.lora_rank}.")
        if self.lora_alpha < 1:
            raise UserInputError(f"--lora-alpha is at least 1, not {self.lora_alpha}.")
        if self.lora_rank is None and self.lora_alpha != PeftOptions.lora_alpha:
            raise UserInputError("--lora-alpha is of LoRA, and --lora-rank asks for that; give it, or leave both out.")


def open_trainable(
    name: str,
    *,
    dtype: str = "float32",
    device: str | None = None,
    peft: PeftOptions | None = None,
    seed: int = 0,
) -> tuple[Any, Any]:
    """A causal language model whose weights can be trained, and its tokenizer.

    `name` is a folder that `save` or `save_pretrained` wrote, or a name on the hub. The folder of a peft adapter opens
    the model that it adapts, and the adapter is trained on; with `peft` that has a rank, a model gets a new one, drawn
    by `seed`. The rest of such a model is frozen. `dtype` is that of the weights, `float32` or `bfloat16`; `device` is
    `cpu` or `cuda`, the latter by default where there is one.

    Raises:
        UserInputError: it cannot be used.
    """
    import torch

    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise UserInputError("PyTorch finds no CUDA device here; leave the device out, or name cpu.")
    folder = Path(name).expanduser()
    adapter = (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file()
    try:
        model, tokenizer = load(_base(folder) if adapter else name, device, dtype)
    except SamplerError as error:
        raise UserInputError(str(error)) from error
    if adapter:
        model = _with_adapter(model, folder, peft)
        tokenizer = _own_tokenizer(folder) or tokenizer
    elif peft is not None and peft.lora_rank is not None:
        model = _with_new_adapter(model, peft, name, seed)
    _align(model)
    return model, tokenizer


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Writes the model's weights (safetensors) or its adapter's, its settings for generation, and the tokenizer.

    `hf:FOLDER` and `open_trainable` open it. The folder is written whole or not at all; one that is there is replaced.

    Raises:
        UserInputError: it cannot be written; what was there before is there still.
    """
    # Embeddings are never resized here; where peft is not told so, it asks the hub about them.
    options = {"save_embedding_layers": False} if hasattr(model, "peft_config") else {}
    with whole_folder(folder) as unfinished, without_progress_bars():
        model.save_pretrained(unfinished, **options)
        tokenizer.save_pretrained(unfinished)


def _align(model: Any) -> None:
    """Gives weights that lie in a file's memory, wherever the file has them, memory of their own on a CPU.

    Sums are taken in another order, and rounded otherwise, where numbers begin at another place in a cache line: a
    model that was opened again would not come to the same bits as the one that was saved.
    """
    for weight in model.parameters():
        if weight.device.type == "cpu" and weight.data_ptr() % LINE:
            weight.data = weight.data.clone()


def _base(folder: Path) -> str:
    """The model that the adapter in the folder adapts."""
    try:
        base = json.loads((folder / "adapter_config.json").read_text("utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError):
        base = None
    if not isinstance(base, str) or not base:
        raise UserInputError(f"{folder}: adapter_config.json does not say which model it adapts.")
    if base.startswith(("/", ".", "~")) and not Path(base).expanduser().is_dir():
        raise UserInputError(f"{folder} adapts the model in {base}, and there is no such folder.")
    return base


def _with_adapter(model: Any, folder: Path, peft: PeftOptions | None) -> Any:
    """The model with the adapter in the folder, to be trained on."""
    library = _peft()
    try:
        adapted = library.PeftModel.from_pretrained(model, str(folder), is_trainable=True)
    except Exception as error:  # the libraries raise nearly every kind for one damaged file or another
        raise UserInputError(f"The adapter in {folder} does not fit its model: {first_line(error)}.") from error
    if peft is not None and peft.lora_rank is not None:
        config = adapted.peft_config["default"]
        found = (getattr(config, "r", None), getattr(config, "lora_alpha", None))
        if found != (peft.lora_rank, peft.lora_alpha):
            raise UserInputError(
                f"{folder} is an adapter of rank {found[0]} and alpha {found[1]}, which is trained on as it is; "
                "leave --lora-rank and --lora-alpha out."
            )
    return adapted


def _with_new_adapter(model: Any, peft: PeftOptions, name: str, seed: int) -> Any:
    """The model with matrices whose product is 0 beside its linear layers."""
    import torch

    library = _peft()
    config = library.LoraConfig(
        r=peft.lora_rank, lora_alpha=peft.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            adapted = library.get_peft_model(model, config)
    except ValueError as error:
        raise UserInputError(f"{name} takes no LoRA: {first_line(error)}.") from error
    folder = Path(name).expanduser()
    if folder.is_dir():
        # A saved adapter names its model, and is opened in whatever folder one works then.
        config.base_model_name_or_path = str(folder.resolve())
    return adapted


def _own_tokenizer(folder: Path) -> Any:
    """The tokenizer beside an adapter, if there is one."""
    if not (folder / "tokenizer_config.json").is_file():
        return None
    import transformers

    try:
        return transformers.AutoTokenizer.from_pretrained(folder)
    except Exception as error:  # the library raises nearly every kind for one damaged file or another
        raise UserInputError(f"{folder} has no tokenizer that can be loaded: {first_line(error)}.") from error


def _peft() -> Any:
    try:
        import peft
    except Exception as error:  # as prover.sampling.transformers_sampler, whatever is wrong with it
        raise UserInputError(f"LoRA {cannot_import('needs peft', 'rl', error)}.") from error
    return peft

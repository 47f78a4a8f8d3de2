"""The small model's tokenizer: byte-pair encoding of bytes, trained on Lean text, so that no text is unknown to it."""

from collections.abc import Iterable
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from prover.prompts.own import END, MARKERS

PAD = "<|pad|>"
SPECIAL = (PAD, *MARKERS)
BYTES = 256
LEAST = len(SPECIAL) + BYTES


def train(texts: Iterable[str], size: int) -> Tokenizer:
    """A tokenizer of at most `size` tokens: the markers, the bytes, and what occurs together most in `texts`.

    Fewer tokens come of little text. The same texts give the same tokenizer. Byte-level BPE as in GPT-2 (Radford et
    al. 2019, section 2.2), with every digit a token of its own.

    Raises:
        ValueError: `size` leaves no room for the bytes.
    """
    if size < LEAST:
        raise ValueError(f"a vocabulary of {size} tokens has no room for {BYTES} bytes and {len(SPECIAL)} markers")
    tokenizer = Tokenizer(BPE())
    # ByteLevel splits text as GPT-2 does; digits are apart so that numbers of any size are spelled alike.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=size,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in SPECIAL],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def as_transformers(tokenizer: Tokenizer, context: int) -> Any:
    """The same for transformers, which saves it as an ordinary tokenizer folder; `context` in tokens.

    An answer ends with `<|end|>`. Nothing is put before a prompt.
    """
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=list(MARKERS[:-1]),
        model_max_length=context,
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )

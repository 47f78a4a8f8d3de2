"""`onnx:FOLDER`: a model that `prover export-onnx` wrote, sampled with onnxruntime, numpy and tokenizers: no torch."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prover.model.onnx_format import MODEL, TOKENIZER, from_metadata
from prover.sampling.decoding import Decoder, Vocabulary, sample_all
from prover.sampling.sampler import Prompt, Request, Sample, SamplerError

ROWS = 64  # samples in a batch


@dataclass(frozen=True)
class OnnxSampler:
    """`sampler.Sampler` over a model in this process. Calls from several threads wait for one another."""

    name: str
    vocabulary: Vocabulary
    decoder: Decoder
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def sample(self, requests: Sequence[Request]) -> list[Sample]:
        with self._lock:
            return sample_all(requests, self.vocabulary, self.decoder)


def open_onnx(folder: str, *, rows: int = ROWS, threads: int = 0) -> OnnxSampler:
    """The model in a folder that `prover export-onnx` wrote.

    `rows` is the most samples in a batch, `threads` what a step is computed with; 0 is one for every core.

    Raises:
        SamplerError: it cannot be used.
    """
    try:
        import onnxruntime
        from tokenizers import Tokenizer

        from prover.sampling.onnx_decoder import OnnxDecoder
    except ImportError as error:
        raise SamplerError(
            f"onnx: needs onnxruntime and tokenizers ({error.name} is missing): pip install 'lean-rl-prover[onnx]'."
        ) from error
    place = Path(folder).expanduser()
    for name in (MODEL, TOKENIZER):
        if not (place / name).is_file():
            raise SamplerError(f"There is no {name} in {folder}; `prover export-onnx` writes such a folder.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(place / MODEL), options, providers=["CPUExecutionProvider"])
        tokenizer = Tokenizer.from_file(str(place / TOKENIZER))
    except Exception as error:  # both libraries raise their own kinds, without a common base
        reason = str(error).strip().split("\n")[0]
        raise SamplerError(f"The model in {folder} cannot be loaded: {reason}") from error
    try:
        facts = from_metadata(session.get_modelmeta().custom_metadata_map)
    except ValueError as error:
        raise SamplerError(f"{place / MODEL} {error}; export the model again.") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    vocabulary = Vocabulary(
        encode=lambda prompt: _encode(prompt, tokenizer),
        decode=lambda ids: str(tokenizer.decode(list(ids), skip_special_tokens=True)),
        ends=frozenset(facts.ends),
        special={token.content: i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special},
        context=facts.context,
        size=facts.vocabulary,
    )
    return OnnxSampler(f"onnx:{folder}", vocabulary, OnnxDecoder(session, facts, rows))


def _encode(prompt: Prompt, tokenizer: Any) -> list[int]:
    if prompt.messages:
        raise ValueError(
            "an exported model has no chat template, so it takes no messages; use hf: with the model itself"
        )
    return list(tokenizer.encode(prompt.text).ids)

"""`onnx:FOLDER`: a model that `prover export-onnx` wrote, sampled with onnxruntime, numpy and tokenizers: no torch."""

from pathlib import Path
from typing import Any

from prover.sampling.decoding import Vocabulary
from prover.sampling.faults import cannot_import, first_line
from prover.sampling.local_sampler import LocalSampler
from prover.sampling.onnx_format import MODEL, TOKENIZER, from_metadata
from prover.sampling.sampler import Prompt, SamplerError

ROWS = 64  # samples in a batch
# Bytes of a model whose steps are so short that threads cost more time in waiting for each other than they save: with
# 18 MB, two threads and Lean on the same two cores a step took 2.4 times as long.
SMALL = 100_000_000


def open_onnx(folder: str | Path, name: str = "", *, rows: int = ROWS, threads: int | None = None) -> LocalSampler:
    """The model in a folder that `prover export-onnx` wrote; `name` is what it is called in what is said of it.

    `rows` is the most samples in a batch, `threads` what a step is computed with; 0 is one for every core, None one for
    a model that is `SMALL` and else 0.

    Raises:
        SamplerError: it cannot be used.
    """
    try:
        import onnxruntime
        from tokenizers import Tokenizer

        from prover.sampling.onnx_decoder import OnnxDecoder
    except Exception as error:  # a library that is broken raises its own kinds
        raise SamplerError(f"onnx: {cannot_import('needs onnxruntime and tokenizers', '', error)}.") from error
    place = Path(folder).expanduser()
    for needed in (MODEL, TOKENIZER):
        if not (place / needed).is_file():
            raise SamplerError(f"There is no {needed} in {folder}; `prover export-onnx` writes such a folder.")
    options = onnxruntime.SessionOptions()
    if threads is None:
        threads = 1 if (place / MODEL).stat().st_size < SMALL else 0
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(place / MODEL), options, providers=["CPUExecutionProvider"])
        tokenizer = Tokenizer.from_file(str(place / TOKENIZER))
    except Exception as error:  # both libraries raise their own kinds, without a common base
        raise SamplerError(f"The model in {folder} cannot be loaded: {first_line(error)}.") from error
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
    return LocalSampler(name or f"onnx:{folder}", vocabulary, OnnxDecoder(session, facts, rows))


def _encode(prompt: Prompt, tokenizer: Any) -> list[int]:
    if prompt.messages:
        raise ValueError(
            "an exported model has no chat template, so it takes no messages; use hf: with the model itself"
        )
    return list(tokenizer.encode(prompt.text).ids)

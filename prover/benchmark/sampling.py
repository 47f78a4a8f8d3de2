"""What sampling from a language model costs: against `generate` of transformers, and onnxruntime against PyTorch.

All with the project's small model, untrained: speed does not hang on what it has learned. Every pair is timed in turns.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median
from string import ascii_lowercase
from typing import Any

from lean_env.benchmark.figures import Figure
from prover.model.config import DEFAULT, ModelConfig
from prover.sampling.local_sampler import LocalSampler
from prover.sampling.sampler import Prompt, Request, Sample, Settings

TOKENS = 64
FEW, MANY = 8, 64
STATEMENT = "theorem add_swap (a b c : Nat) (h : a ≤ b) : a + b + c = c + b + a"
LEMMAS = tuple(f"have h{i} : a * {i} ≤ b * {i} := Nat.mul_le_mul_right {i} h" for i in range(24))
ENDINGS = ("omega", "simp", "rw [Nat.add_comm]", "ring_nf", "exact h", "linarith", "decide", "induction a with")
Step = Callable[[], Any]


def figures(rounds: int = 5, config: ModelConfig = DEFAULT, tokens: int = TOKENS) -> list[Figure]:
    """Ratios of speeds, medians over `rounds` paired runs, and the error of the log-probabilities."""
    import torch
    from transformers import AutoModelForCausalLM

    from prover.model.create import create
    from prover.model.onnx_export import export
    from prover.sampling.onnx_sampler import open_onnx
    from prover.sampling.transformers_sampler import open_transformers

    with tempfile.TemporaryDirectory() as folder:
        saved, exported, in_bytes = (Path(folder) / name for name in ("hf", "onnx", "int8"))
        create(saved, _texts(), config)
        export(saved, exported)
        export(saved, in_bytes, int8=True)
        ours = _endless(open_transformers(str(saved), device="cpu"))
        threads = torch.get_num_threads()
        onnx, int8 = (_endless(open_onnx(str(path), threads=threads)) for path in (exported, in_bytes))
        model = AutoModelForCausalLM.from_pretrained(saved, dtype=torch.float32).eval()
        context = len(ours.vocabulary.encode(_prompts()[0]))
        one = [Request(_prompts()[0], Settings(max_tokens=tokens), seed) for seed in range(MANY)]
        shared = [Request(prompt, Settings(max_tokens=tokens), seed) for prompt in _prompts() for seed in range(FEW)]

        def plain(prompts: Sequence[Prompt], samples: int) -> Step:
            ids = [ours.vocabulary.encode(prompt) for prompt in prompts]
            return lambda: _generate(model, ids, samples, tokens)

        alone = _ratios(plain(_prompts()[:1], MANY), lambda: ours.sample(one), rounds)
        together = _ratios(plain(_prompts(), FEW), lambda: ours.sample(shared), rounds)
        many = _ratios(lambda: ours.sample(one), lambda: onnx.sample(one), rounds)
        few = _ratios(lambda: ours.sample(one[:FEW]), lambda: onnx.sample(one[:FEW]), rounds)
        bytes_many = _ratios(lambda: ours.sample(one), lambda: int8.sample(one), rounds)
        bytes_few = _ratios(lambda: ours.sample(one[:FEW]), lambda: int8.sample(one[:FEW]), rounds)
        error = _error(model, ours.vocabulary.encode(_prompts()[0]), ours.sample(one[:FEW]))
    size = f"{model.num_parameters() / 1e6:.1f} M parameters, a prompt of {context} tokens, "
    size += f"{threads} threads"
    proofs, prompts = f"{MANY} proofs of {tokens} tokens", f"{len(ENDINGS)} prompts that share a prefix"
    faster, against = "onnxruntime over PyTorch", "log-probabilities against a teacher-forced pass"
    return [
        Figure(f"{proofs} over generate", median(alone), "x", "1.0", f"{size}; {_range(alone)}"),
        Figure(f"{prompts}, {FEW} proofs each, over generate", median(together), "x", "1.5", _range(together)),
        Figure(against, error, "", "1e-4", "float32; the greatest difference"),
        Figure(f"{faster}, {FEW} samples a batch", median(few), "x", "1.5", _range(few, bytes_few)),
        Figure(f"{faster}, {MANY} samples a batch", median(many), "x", "1.5", _range(many, bytes_many)),
    ]


def _texts() -> list[str]:
    """Enough words, made up, for a whole vocabulary, and the prompts' own."""
    random = Random(0)
    words = " ".join("".join(random.choices(ascii_lowercase, k=6)) for _ in range(5000))
    return [words, STATEMENT, *LEMMAS, *ENDINGS]


def _prompts() -> list[Prompt]:
    """A statement with some proved facts, which all share, and the beginning of a proof each."""
    begun = "\n".join((f"<|theorem|>\n{STATEMENT}\n<|proof|>", *LEMMAS[:8]))
    return [Prompt(f"{begun}\n{ending}\n") for ending in ENDINGS]


def _endless(sampler: LocalSampler) -> LocalSampler:
    """The sampler, but no token ends an answer: all that are compared generate as much."""
    return LocalSampler(sampler.name, replace(sampler.vocabulary, ends=frozenset()), sampler.decoder)


def _generate(model: Any, prompts: Sequence[Sequence[int]], samples: int, tokens: int) -> None:
    """`samples` answers of `tokens` tokens to each prompt, as the library's documentation has it."""
    import torch

    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    with torch.inference_mode():
        made = model.generate(
            ids, attention_mask=mask, do_sample=True, top_k=0, max_new_tokens=tokens, min_new_tokens=tokens,
            num_return_sequences=samples, pad_token_id=0,
        )  # fmt: skip
    assert made.shape == (len(prompts) * samples, longest + tokens)


def _ratios(before: Step, after: Step, rounds: int) -> list[float]:
    """How many times faster `after` is, once each round; which goes first alternates."""
    before()
    after()
    ratios = []
    for turn in range(rounds):
        first, second = (before, after) if turn % 2 == 0 else (after, before)
        began = time.perf_counter()
        first()
        middle = time.perf_counter()
        second()
        ended = time.perf_counter()
        ratio = (middle - began) / (ended - middle)
        ratios.append(ratio if first is before else 1 / ratio)
    return ratios


def _range(ratios: Sequence[float], int8: Sequence[float] = ()) -> str:
    text = f"{len(ratios)} paired runs, {min(ratios):.2f} to {max(ratios):.2f}"
    return f"{text}; with int8 {median(int8):.2f}" if int8 else text


def _error(model: Any, prompt: Sequence[int], samples: Sequence[Sample]) -> float:
    """The greatest difference of a token's log-probability from that of one pass over prompt and answer."""
    import torch

    greatest = 0.0
    with torch.inference_mode():
        for sample in samples:
            logits = model(torch.tensor([[*prompt, *sample.token_ids]])).logits[0, len(prompt) - 1 : -1]
            expected = logits.log_softmax(-1).gather(1, torch.tensor(sample.token_ids)[:, None])[:, 0]
            found = torch.tensor(sample.token_log_probabilities)
            greatest = max(greatest, float((expected - found).abs().max()))
    return greatest

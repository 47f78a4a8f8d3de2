"""Exported models against the models that they were exported from, and without PyTorch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from prover.sampling.decoding import DecoderFault
from prover.sampling.onnx_sampler import open_onnx
from prover.sampling.sampler import Message, Prompt, Request, SamplerError, Settings
from prover.sampling.transformers_sampler import open_transformers
from prover.sources import UserInputError

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

from prover.model.onnx_export import export  # noqa: E402
from prover.model.onnx_graph import in_bytes  # noqa: E402
from tests.prover.sampling.small_models import CONTEXT, save  # noqa: E402

SHARED = "<|state|>\nn : Nat\nh : ∀ x ∈ s, x = x\n⊢ n + 0 = n"
PROMPTS = (SHARED, SHARED + " ∧ True\n<|tactic|>\n", SHARED + "\n<|tactic|>\n", "x", "omega\n<|tactic|>\n")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """A model of that kind with PyTorch, and exported."""
    made = {}

    def pair(kind, int8=False):
        if (kind, int8) not in made:
            folder, out = save(tmp_path_factory.mktemp(kind), kind), tmp_path_factory.mktemp("onnx")
            export(folder, out, int8)
            made[kind, int8] = open_transformers(str(folder), device="cpu"), open_onnx(str(out), threads=1)
        return made[kind, int8]

    return pair


def request(text, seed=0, **settings):
    return Request(Prompt(text), Settings(**{"max_tokens": 16, **settings}), seed)


ASKED = [request(text, seed, temperature=seed / 2) for text in PROMPTS for seed in range(4)]


@pytest.mark.parametrize("kind", ["llama", "qwen2", "mistral"])
def test_samples_are_those_of_pytorch(pairs, kind):
    ours, theirs = pairs(kind)[1].sample(ASKED), pairs(kind)[0].sample(ASKED)
    for left, right in zip(ours, theirs, strict=True):
        assert left.token_ids == right.token_ids
        assert (left.text, left.finish, left.tokens) == (right.text, right.finish, right.tokens)
        assert left.token_log_probabilities == pytest.approx(right.token_log_probabilities, abs=1e-4)


def test_the_same_request_alone_and_among_others(pairs):
    sampler = pairs("llama")[1]
    asked = [request(text, seed, max_tokens=6 + 3 * seed) for seed, text in enumerate(PROMPTS * 2)]
    for each, sample in zip(asked, sampler.sample(asked), strict=True):
        (alone,) = sampler.sample([each])
        assert alone.token_ids == sample.token_ids
        assert alone.token_log_probabilities == pytest.approx(sample.token_log_probabilities, abs=1e-5)


def test_bytes_as_weights_are_close_and_do_not_mix_rows(pairs):
    exact, sampler = pairs("llama", int8=True)
    alone = [sampler.sample([each])[0] for each in ASKED]
    assert [sample.token_ids for sample in sampler.sample(ASKED)] == [sample.token_ids for sample in alone]
    first = [
        abs(left.token_log_probabilities[0] - right.token_log_probabilities[0])
        for left, right in zip(alone, exact.sample(ASKED), strict=True)
        if left.token_ids[0] == right.token_ids[0]
    ]
    assert len(first) > len(ASKED) * 0.7
    assert 0 < max(first) < 0.2


def test_weights_in_bytes_by_hand():
    # Largest 254 in the first column: a scale of 2. 101 is 50.5 scales and goes to the even 50.
    weight = np.array([[254.0, 0.0], [-254.0, 0.0], [101.0, 0.0]], dtype=np.float32)
    data, scales = in_bytes(weight)
    assert data.shape == (2, 1, 32)
    assert data[0, 0, :4].tolist() == [255, 1, 178, 128]
    assert data[1].tolist() == [[128] * 32]
    assert scales.tolist() == [[2.0], [0.0]]


def test_answers_fill_the_context_and_messages_are_refused(pairs):
    sampler = pairs("llama")[1]
    prompt = "x" * (CONTEXT - 5)
    assert len(sampler.vocabulary.encode(Prompt(prompt))) == CONTEXT - 5
    long, chat, *full = sampler.sample(
        [
            request("omega" * 300),
            Request(Prompt(messages=(Message("user", "prove"),))),
            *(request(prompt, seed, max_tokens=50) for seed in range(8)),
        ]
    )
    assert {sample.tokens for sample in full if sample.finish == "length"} == {5}
    assert all(sample.tokens <= 5 for sample in full)
    assert "the model's context 256" in long.error
    assert chat.error.startswith("an exported model has no chat template")


def test_without_torch_and_transformers(pairs):
    folder = pairs("llama")[1].name.removeprefix("onnx:")
    program = f"""
import sys
for name in ("torch", "transformers", "onnx"):
    sys.modules[name] = None
from prover.sampling.onnx_sampler import open_onnx
from prover.sampling.sampler import *
sampler = open_onnx({folder!r}, threads=1)
print(sampler.sample([Request(Prompt({SHARED!r}), Settings(max_tokens=8), 3)])[0].token_ids)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    (expected,) = pairs("llama")[0].sample([request(SHARED, 3, max_tokens=8)])
    assert done.stdout.strip() == str(expected.token_ids)


@pytest.mark.parametrize(
    ("kind", "why"), [("gpt2", "it is a gpt2 and none of llama"), ("sliding", "its attention has a sliding window")]
)
def test_what_the_graph_cannot_compute_is_refused(tmp_path, kind, why):
    folder = save(tmp_path / kind, kind)
    with pytest.raises(UserInputError, match=why):
        export(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_export_that_does_not_run_is_refused_and_not_left_behind(pairs, tmp_path, monkeypatch):
    from prover.sampling.onnx_decoder import OnnxDecoder

    def fault(*_):
        raise DecoderFault("no kernel for this machine")

    folder = pairs("llama")[0].name.removeprefix("hf:")
    monkeypatch.setattr(OnnxDecoder, "advance", fault)
    with pytest.raises(UserInputError) as refused:
        export(Path(folder), tmp_path)
    assert str(refused.value) == (
        f"{folder}: onnxruntime cannot run what was exported: no kernel for this machine; use hf:."
    )
    assert not (tmp_path / "model.onnx").exists()


def test_folders_that_cannot_be_opened(pairs, tmp_path):
    import onnx

    with pytest.raises(SamplerError, match=r"There is no model\.onnx in"):
        open_onnx(str(tmp_path))
    (tmp_path / "model.onnx").write_bytes(b"no model")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(SamplerError, match="cannot be loaded"):
        open_onnx(str(tmp_path))
    good = pairs("llama")[1].name.removeprefix("onnx:")
    model = onnx.load(f"{good}/model.onnx")
    del model.metadata_props[:]
    onnx.save(model, f"{tmp_path}/model.onnx")
    with open(f"{good}/tokenizer.json", "rb") as file:
        (tmp_path / "tokenizer.json").write_bytes(file.read())
    with pytest.raises(SamplerError, match="was not written by this version"):
        open_onnx(str(tmp_path))
    with pytest.raises(UserInputError, match="There is no folder"):
        export(tmp_path / "none", tmp_path / "out")

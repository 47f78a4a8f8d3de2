"""Models in this process, with PyTorch and with onnxruntime: calls of several threads, and their end before time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from prover.sampling.onnx_sampler import open_onnx
from prover.sampling.sampler import INTERRUPTED, Prompt, Request, Settings
from prover.sampling.transformers_sampler import open_transformers

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

from prover.model.onnx_export import export
from tests.prover.sampling.small_models import save

LONG = 20.0  # seconds
PROMPT = "<|theorem|>\ntheorem t (n : Nat) : n + 0 = n\n<|proof|>\n"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder, out = save(tmp_path_factory.mktemp("llama")), tmp_path_factory.mktemp("onnx")
    export(folder, out)
    return {"hf": str(folder), "onnx": str(out)}


@pytest.fixture(params=["hf", "onnx"])
def sampler(request, folders):
    if request.param == "hf":
        return open_transformers(folders["hf"], device="cpu")
    return open_onnx(folders["onnx"], threads=1)


def asked(seed, **settings):
    return Request(Prompt(PROMPT + "simp\n" * (seed % 3)), Settings(**{"max_tokens": 12, **settings}), seed)


def test_calls_that_wait_are_drawn_as_one_batch_and_each_sample_is_the_one_it_is_alone(sampler, monkeypatch):
    sizes: list[int] = []
    began, goes_on = threading.Event(), threading.Event()
    start = sampler.decoder.start

    def gated(prompts, rows, room):
        sizes.append(len(rows))
        began.set()
        assert goes_on.wait(LONG)
        start(prompts, rows, room)

    monkeypatch.setattr(sampler.decoder, "start", gated)
    calls = [[asked(2 * i), asked(2 * i + 1)] for i in range(5)]
    with ThreadPoolExecutor(len(calls)) as threads:
        first = threads.submit(sampler.sample, calls[0])
        assert began.wait(LONG)
        others = [threads.submit(sampler.sample, call) for call in calls[1:]]
        end = time.monotonic() + LONG
        while sampler._together.waiting < 4:
            assert time.monotonic() < end
            time.sleep(0.001)
        goes_on.set()
        found = [call.result(LONG) for call in (first, *others)]
    assert sizes == [2, 8]
    for call, samples in zip(calls, found, strict=True):
        for request, sample in zip(call, samples, strict=True):
            (alone,) = sampler.sample([request])
            assert (sample.token_ids, sample.text, sample.finish) == (alone.token_ids, alone.text, alone.finish)
            assert sample.token_log_probabilities == pytest.approx(alone.token_log_probabilities, abs=1e-5)
    assert len({sample.token_ids for samples in found for sample in samples}) == 10


def test_stop_ends_answers_with_the_token_that_is_being_drawn(sampler, monkeypatch):
    steps: list[int] = []
    advance = sampler.decoder.advance

    def third(kept, tokens):
        steps.append(len(kept))
        advance(kept, tokens)
        if len(steps) == 3:
            sampler.stop()

    with monkeypatch.context() as patched:
        patched.setattr(sampler.decoder, "advance", third)
        # Of one token each is finished before it is stopped; of the others three tokens are drawn by then.
        short, long, longer = sampler.sample([asked(0, max_tokens=1), asked(1, max_tokens=90), asked(2, max_tokens=90)])
    assert (short.finish, short.tokens) == ("length", 1)
    assert [(each.finish, each.error, each.text) for each in (long, longer)] == [("error", "interrupted", "")] * 2
    assert [long.tokens, longer.tokens] == [3, 3]
    assert steps == [2, 2, 2]
    assert INTERRUPTED.error == "interrupted"
    assert sampler.sample([asked(0)])[0].finish != "error"

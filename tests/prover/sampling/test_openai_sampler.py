"""`openai:` against real servers on loopback: llama.cpp's and transformers', over the same tiny model."""

import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from prover.sampling.openai_sampler import KEY, OpenAISampler, open_openai
from prover.sampling.sampler import Message, Prompt, Request, Sample, SamplerError, Settings

SECRET = "sk-not-to-be-seen-1234"
STARTING = 120.0  # seconds
SLOTS, CONTEXT = 4, 256


@pytest.fixture(autouse=True)
def _no_key(monkeypatch):
    monkeypatch.delenv(KEY, raising=False)


# --- llama.cpp's server, over a tiny model whose weights are at hand


@pytest.fixture(scope="session")
def model() -> Any:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    pytest.importorskip("gguf", reason="writes the model for llama.cpp")
    from tests.prover.sampling.tiny_llama import tiny_llama

    return tiny_llama()


@pytest.fixture(scope="session")
def gguf_file(model, tmp_path_factory) -> Path:
    from tests.prover.sampling.tiny_llama import save_gguf

    return save_gguf(model, tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@contextmanager
def llama_cpp(file: Path, *key: str) -> Iterator[str]:
    pytest.importorskip("xllamacpp", reason="llama.cpp's server")
    command = [sys.executable, "-m", "tests.prover.sampling.llama_server", str(file), str(SLOTS), str(CONTEXT), *key]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout
            yield server.stdout.readline().strip()
        finally:
            server.kill()


@pytest.fixture(scope="session")
def llama(gguf_file) -> Iterator[str]:
    with llama_cpp(gguf_file) as address:
        yield address


@pytest.fixture(scope="session")
def sampler(llama) -> Iterator[OpenAISampler]:
    with open_openai("tiny.gguf", llama, in_flight=SLOTS) as sampler:
        yield sampler


def text(prompt: str, seed: int = 0, **settings: Any) -> Request:
    return Request(Prompt(prompt), Settings(**{"max_tokens": 16, **settings}), seed)


def turns(*messages: Message, seed: int = 0, max_tokens: int = 16) -> Request:
    return Request(Prompt(messages=messages), Settings(max_tokens), seed)


def check_against_weights(model: Any, prompt: str, sample: Sample) -> None:
    """Text, tokens and log-probabilities are those that the weights give after `prompt`."""
    from tests.prover.sampling.tiny_llama import END, teacher_forced, text_of, token_ids

    assert sample.tokens == len(sample.token_ids) == len(sample.token_log_probabilities) > 0
    assert sample.text == text_of(sample.token_ids)
    assert (sample.finish == "stop") == (sample.token_ids[-1] == END)
    expected = teacher_forced(model, token_ids(prompt), list(sample.token_ids))
    assert sample.token_log_probabilities == pytest.approx(expected, abs=1e-4)


def test_a_text_is_continued_with_the_log_probabilities_of_the_model(model, sampler):
    # Of this model's tokens one in a hundred or so is the end.
    samples = sampler.sample([text("theorem t : 1", seed, max_tokens=40) for seed in range(30)])
    for sample in samples:
        check_against_weights(model, "theorem t : 1", sample)
    assert {sample.finish for sample in samples} == {"stop", "length"}
    assert all(sample.tokens == 40 for sample in samples if sample.finish == "length")


def test_messages_go_through_the_template_of_the_model(model, sampler):
    [sample] = sampler.sample([turns(Message("system", "Lean"), Message("user", "prove"), seed=3)])
    check_against_weights(model, "s:Lean\nu:prove\na:", sample)


def test_an_answer_that_was_begun_is_gone_on_with_and_not_repeated(model, sampler):
    # llama.cpp's server sends the beginning back with the answer.
    [sample] = sampler.sample([turns(Message("user", "prove"), Message("assistant", "by\n  "), seed=1)])
    check_against_weights(model, "u:prove\na:by\n  ", sample)


def test_each_seed_has_its_answer_however_many_ask_at_once(sampler):
    requests = [text(f"lemma {number % 3}", number // 3) for number in range(24)]  # 3 prompts, 8 seeds
    answers: dict[int, list[Sample]] = {}

    def ask(place: int) -> None:
        answers[place] = sampler.sample(requests[place * 6 : place * 6 + 6])

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = [sample.text for place in range(4) for sample in answers[place]]
    assert together == [sample.text for request in requests for sample in sampler.sample([request])]
    assert len(set(together)) == 24
    assert sampler.sample([]) == []


def test_a_stop_text_ends_the_answer_and_is_left_out(sampler):
    [whole] = sampler.sample([text("stop", 5, max_tokens=40)])
    stop = whole.text[7:9]
    [cut] = sampler.sample([text("stop", 5, max_tokens=40, stop=("nowhere", stop))])
    assert cut.text == whole.text[: whole.text.index(stop)]
    assert cut.finish == "stop"


def test_the_server_s_filters_are_off(sampler):
    # llama.cpp's own are top-k 40 and min-p 0.05. At temperature 3 this model's 130 tokens are nearly alike.
    samples = sampler.sample([text("x", seed, max_tokens=1, temperature=3.0) for seed in range(200)])
    assert len({sample.token_ids[0] for sample in samples}) > 40


def test_a_prompt_longer_than_the_context_is_a_lost_answer_in_the_server_s_words(sampler):
    # 400 characters and the begin token, as llama.cpp counts them.
    samples = sampler.sample([text("a" * 400), text("a")])
    assert samples[0].finish == "error"
    assert samples[0].error == (
        "The server answered 400: request (401 tokens) exceeds the available context size (256 tokens), "
        "try increasing it."
    )
    assert samples[1].finish != "error"


def test_a_key_comes_from_the_environment_and_is_seen_nowhere(gguf_file, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    with llama_cpp(gguf_file, SECRET) as address:
        with pytest.raises(SamplerError, match=rf"asks for a key \(401\); put it into the environment as {KEY}\.$"):
            open_openai("tiny.gguf", address)
        monkeypatch.setenv(KEY, "sk-another-one")
        with pytest.raises(SamplerError, match=rf"refuses the key in {KEY} \(401\)") as refused:
            open_openai("tiny.gguf", address)
        monkeypatch.setenv(KEY, f"{SECRET}\n")
        with open_openai("tiny.gguf", address) as sampler:
            [sample] = sampler.sample([text("x")])
            [lost] = sampler.sample([text("x" * 300)])
            assert sample.tokens
            assert lost.error
            shown = [
                repr(sampler),
                str(sampler),
                sampler.name,
                repr(sample),
                repr(lost),
                repr(refused.value),
                caplog.text,
            ]
    for word in (SECRET, "sk-another-one"):
        assert not [each for each in shown if word in each]


# --- transformers' server: it refuses words that it does not know, and tells no log-probabilities


@pytest.fixture(scope="session")
def transformers_serve(model, tmp_path_factory) -> Iterator[tuple[str, str]]:
    for name in ("fastapi", "uvicorn", "openai"):
        pytest.importorskip(name, reason="transformers' server needs it")
    from tests.prover.sampling.tiny_llama import save_folder

    folder = save_folder(model, tmp_path_factory.mktemp("served"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = shutil.which("transformers", path=str(Path(sys.executable).parent)) or "transformers"
    command = [program, "serve", str(folder), "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "empty"), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as server:
        try:
            end = time.monotonic() + STARTING
            while not _answers(f"http://127.0.0.1:{port}/health"):
                assert server.poll() is None
                assert time.monotonic() < end
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1/", str(folder)
        finally:
            server.kill()


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_a_server_that_knows_less_is_asked_for_less(transformers_serve, caplog):
    address, folder = transformers_serve
    # This server has one random state for all, so that a seed counts with one request at a time only. Its list of
    # models fails where nothing was ever fetched from the hub.
    with open_openai(folder, address, in_flight=1) as sampler:
        first, second, other, chat = sampler.sample(
            [text("abc", 7), text("abc", 7), text("abc", 8), turns(Message("user", "abc"))]
        )
        stop = first.text[3]
        [cut] = sampler.sample([text("abc", 7, stop=(stop,))])
        [begun] = sampler.sample([turns(Message("user", "abc"), Message("assistant", "by"))])
    assert (first.tokens, first.finish, first.token_ids, first.token_log_probabilities) == (16, "length", (), ())
    assert first == second != other
    assert chat.text
    assert (cut.text, cut.finish) == (first.text[: first.text.index(stop)], "stop")
    assert begun.finish == "error"  # and not the answer to another question
    assert "continue_final_message" in begun.error
    said = [record.message for record in caplog.records if record.name.startswith("prover")]
    told = [line for line in said if "log-probabilities" in line]
    assert len(told) == 1
    assert sum("does not take" in line and "return_token_ids" in line for line in said) == 1


def test_a_model_that_the_server_lacks_is_said_at_the_start(transformers_serve):
    with pytest.raises(
        SamplerError, match=r"gives no answer of no-such-model: the server answered 400: Server is pinned"
    ):
        open_openai("no-such-model", transformers_serve[0])

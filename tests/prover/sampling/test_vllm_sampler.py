"""`vllm:`: what the adapter asks of vLLM, against signatures written down from its source, and vLLM itself where it is.

vLLM runs on a GPU alone. The stand-in below checks each call that it gets against the recorded signatures, and answers
in the recorded words; what vLLM makes of the calls is seen where it can be imported.
"""

import inspect
import itertools
import json
import sys
import threading
import time
from dataclasses import make_dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from prover.sampling.sampler import INTERRUPTED, Message, Prompt, Request, Sample, Sampler, SamplerError, Settings
from prover.sampling.vllm_sampler import WRITTEN_FOR, VLLMSampler, engine_arguments, open_vllm, sampling_arguments
from tests.prover.sampling.record_vllm_signatures import FIELDS, RECORDED

RECORD = json.loads(RECORDED.read_text())
CompletionOutput = make_dataclass(
    "CompletionOutput", [(name, Any, None) for name in RECORD["fields"]["CompletionOutput"]]
)
Logprob = make_dataclass("Logprob", [(name, Any, None) for name in RECORD["fields"]["Logprob"]])


def bind(name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """The arguments by name; raises TypeError where vLLM would."""
    kinds = list(inspect._ParameterKind)
    parameters = [
        inspect.Parameter(each, kinds[kind], default=None if optional else inspect.Parameter.empty)
        for each, kind, optional in RECORD["signatures"][name]
    ]
    return inspect.Signature(parameters).bind(*args, **kwargs).arguments


def sampling_params(**fields: Any) -> SimpleNamespace:
    assert set(fields) <= set(RECORD["fields"]["SamplingParams"])
    return SimpleNamespace(**fields)


class Tokenizer:
    """One token a character, after a begin token."""

    def encode(self, *args: Any, **kwargs: Any) -> list[int]:
        return [1, *map(ord, bind("TokenizerLike.encode", *args, **kwargs)["text"])]

    def apply_chat_template(self, *args: Any, **kwargs: Any) -> list[int]:
        bound = bind("TokenizerLike.apply_chat_template", *args, **kwargs)
        assert (bound["kwargs"].pop("tokenize"), bound["kwargs"].pop("return_dict")) == (True, False)
        if bound["messages"][0]["role"] == "system":
            raise TypeError("no system turn,\nin this template")
        return [1, len(bound["messages"]), *bound["kwargs"].values()]


class Engine:
    """Answers with the last token of the prompt, twice, and 0 as the end: one request a step, the last one first."""

    def __init__(self) -> None:
        self.numbers, self.unfinished = itertools.count(7), dict[str, int]()
        self.steps, self.began, self.goes_on = 0, threading.Event(), threading.Event()
        self.goes_on.set()

    def add(self, last: int) -> str:
        name = f"{next(self.numbers)}-0a1b2c3d"
        self.unfinished[name] = last
        return name

    def has_unfinished_requests(self, *args: Any, **kwargs: Any) -> bool:
        assert not bind("LLMEngine.has_unfinished_requests", *args, **kwargs)
        return bool(self.unfinished)

    def step(self, *args: Any, **kwargs: Any) -> list[SimpleNamespace]:
        assert not bind("LLMEngine.step", *args, **kwargs)
        self.steps += 1
        self.began.set()
        assert self.goes_on.wait(10)
        if ord("!") in self.unfinished.values():
            raise RuntimeError("EngineDeadError: the engine died.\nSee above")
        name, last = self.unfinished.popitem()
        begun = [self._output(other, token, False) for other, token in self.unfinished.items()]
        return [*begun, self._output(name, last, True)]

    def abort_request(self, *args: Any, **kwargs: Any) -> None:
        bound = bind("LLMEngine.abort_request", *args, **kwargs)
        assert bound["internal"]
        for name in bound["request_ids"]:
            self.unfinished.pop(name, None)

    def _output(self, name: str, token: int, finished: bool) -> SimpleNamespace:
        reason = {ord("?"): "abort", ord("l"): "length"}.get(token, "stop")
        steps = [{token: Logprob(logprob=-0.5)}, {9: Logprob(logprob=-0.1), token: Logprob(logprob=-1.5)}]
        completion = CompletionOutput(
            text=chr(token) * 2, token_ids=[token, token, 0], logprobs=[*steps, {0: Logprob(logprob=1e-9)}],
            finish_reason=reason if finished else None,
        )  # fmt: skip
        number = name.partition("-")[0]
        return SimpleNamespace(**bind("RequestOutput.__init__", number, None, [], None, [completion], finished))


class StandIn:
    """A `vllm.LLM` that keeps what it was asked."""

    def __init__(self) -> None:
        self.model_config = SimpleNamespace(max_model_len=8)
        self.batches: list[list[list[int]]] = []
        self.asked: list[SimpleNamespace] = []
        self.calls: list[Any] = []
        self.forgets = True
        self.llm_engine = Engine()

    def get_tokenizer(self) -> Tokenizer:
        return Tokenizer()

    def enqueue(self, *args: Any, **kwargs: Any) -> list[str]:
        bound = bind("LLM.enqueue", *args, **kwargs)
        assert bound["use_tqdm"] is False
        assert all(set(prompt) <= set(RECORD["fields"]["TokensPrompt"]) for prompt in bound["prompts"])
        prompts = [prompt["prompt_token_ids"] for prompt in bound["prompts"]]
        self.batches.append(prompts)
        self.asked += bound["sampling_params"]
        assert len(bound["sampling_params"]) == len(prompts)
        return [self.llm_engine.add(prompt[-1]) for prompt in prompts]

    def collective_rpc(self, *args: Any, **kwargs: Any) -> list[None]:
        bound = bind("LLM.collective_rpc", *args, **kwargs)
        self.calls.append((bound["method"], bind(f"GPUModelRunner.{bound['method']}", **bound["kwargs"])))
        if "damaged" in bound["kwargs"]["weights_path"]:
            raise ValueError("damaged")
        return [None]

    def reset_prefix_cache(self, *args: Any, **kwargs: Any) -> bool:
        self.calls.append(("reset_prefix_cache", bind("LLM.reset_prefix_cache", *args, **kwargs)))
        return self.forgets

    def sleep(self, *args: Any, **kwargs: Any) -> None:
        self.calls.append(("sleep", bind("LLM.sleep", *args, **kwargs)))

    def wake_up(self, *args: Any, **kwargs: Any) -> bool:
        self.calls.append(("wake_up", bind("LLM.wake_up", *args, **kwargs)))
        return True


@pytest.fixture
def llm() -> StandIn:
    return StandIn()


@pytest.fixture
def opened(llm) -> VLLMSampler:
    return VLLMSampler("vllm:stand-in", llm, sampling_params)


def text(prompt: str, seed: int = 0, **settings: Any) -> Request:
    return Request(Prompt(prompt), Settings(**settings), seed)


def test_tokens_go_in_and_come_out(opened, llm):
    sampler: Sampler = opened
    assert sampler.sample([text("ab", -1, temperature=0.5, top_p=0.9, stop=("x",), max_tokens=3), text("l")]) == [
        Sample("bb", (98, 98, 0), (-0.5, -1.5, 0.0), "stop", 3),
        Sample("ll", (108, 108, 0), (-0.5, -1.5, 0.0), "length", 3),
    ]
    assert llm.batches == [[[1, 97, 98], [1, 108]]]
    # -1 would be no seed at all; of the context's 8 tokens the second prompt leaves 6.
    assert [vars(asked) for asked in llm.asked] == [
        {"n": 1, "temperature": 0.5, "top_p": 0.9, "seed": 2**31 - 1, "stop": ["x"], "max_tokens": 3, "logprobs": 0},
        {"n": 1, "temperature": 1.0, "top_p": 1.0, "seed": 0, "stop": [], "max_tokens": 6, "logprobs": 0},
    ]
    assert sampler.sample([]) == []


def test_messages_go_through_the_template_and_a_begun_answer_is_gone_on_with(opened, llm):
    user, begun = Message("user", "x"), Message("assistant", "by")
    opened.sample([Request(Prompt(messages=(user,))), Request(Prompt(messages=(user, begun)))])
    # begin, how many turns, whether a new turn is opened, whether the last one is gone on with
    assert llm.batches == [[[1, 1, True, False], [1, 2, False, True]]]


def test_what_cannot_be_asked_has_no_answer_and_the_others_have(opened, llm):
    refused = Request(Prompt(messages=(Message("system", "x"),)))
    samples = opened.sample([text("a" * 8), text("ab"), refused, text("a?"), text("c" * 6)])
    assert [sample.error for sample in samples] == [
        "The prompt has 9 tokens, the model's context holds 8.",
        "",
        "The model's chat template refuses the messages: no system turn,.",
        "vLLM did not finish the answer (abort).",
        "",
    ]
    assert [sample.finish for sample in samples] == ["length", "stop", "error", "error", "stop"]
    assert [len(batch) for batch in llm.batches] == [3]


def test_a_dead_engine_loses_answers_and_not_the_run(opened, llm):
    assert (
        opened.sample([text("a"), text("!")])
        == [Sample("", finish="error", error="vLLM gave no answer: EngineDeadError: the engine died.")] * 2
    )
    assert not llm.llm_engine.unfinished
    assert [sample.text for sample in opened.sample([text("a")])] == ["aa"]


def test_stop_ends_a_batch_after_the_step_that_is_taken(opened, llm):
    engine = llm.llm_engine
    engine.goes_on.clear()
    answers: list[Sample] = []
    thread = threading.Thread(target=lambda: answers.extend(opened.sample([text(word) for word in "abc"])))
    thread.start()
    assert engine.began.wait(10)
    opened.stop()
    engine.goes_on.set()
    thread.join(10)
    # The stand-in's step finishes the last request, and no more steps are taken.
    assert [sample.text for sample in answers] == ["", "", "cc"]
    assert answers[:2] == [INTERRUPTED] * 2
    assert (engine.steps, engine.unfinished) == (1, {})
    assert [sample.text for sample in opened.sample([text("d")])] == ["dd"]


def test_calls_that_wait_for_one_another_are_one_batch(opened, llm):
    llm.llm_engine.goes_on.clear()
    answers: dict[str, list[Sample]] = {}

    def ask(word: str) -> None:
        answers[word] = opened.sample([text(word), text(word.upper())])

    threads = [threading.Thread(target=ask, args=(word,)) for word in "abcd"]
    threads[0].start()
    assert llm.llm_engine.began.wait(10)
    for thread in threads[1:]:
        thread.start()
    while opened._together.waiting < 3:
        time.sleep(0.01)
    llm.llm_engine.goes_on.set()
    for thread in threads:
        thread.join()
    assert [len(batch) for batch in llm.batches] == [2, 6]
    assert {word: [sample.text for sample in found] for word, found in answers.items()} == {
        word: [word * 2, word.upper() * 2] for word in "abcd"
    }


def test_new_weights_are_never_used_with_an_old_cache(opened, llm):
    opened.update_weights(Path("new"))
    reload = ("reload_weights", {"weights_path": "new"})
    assert llm.calls == [reload, ("reset_prefix_cache", {})]
    with pytest.raises(ValueError, match="damaged"):
        opened.update_weights(Path("damaged"))
    assert llm.calls[-1] == ("reset_prefix_cache", {})
    llm.forgets = False
    with pytest.raises(RuntimeError, match="vllm:stand-in: vLLM did not forget its prefix cache"):
        opened.update_weights(Path("new"))


def test_a_model_that_sleeps_is_not_asked(opened, llm):
    opened.sleep(2)
    with pytest.raises(RuntimeError, match="vllm:stand-in sleeps"):
        opened.sample([text("a")])
    opened.wake_up()
    assert opened.sample([text("a")])[0].text == "aa"
    assert llm.calls == [("sleep", {"level": 2}), ("wake_up", {})]


def test_the_engine_is_made_with_words_that_vllm_knows(tmp_path):
    arguments = engine_arguments("org/model", True, {"max_model_len": 4096})
    bound = bind("LLM.__init__", **arguments)
    passed_on = bound.pop("kwargs")
    assert bound == {"model": "org/model"}
    assert passed_on == {
        "logprobs_mode": "processed_logprobs",
        "enable_prefix_caching": True,
        "enable_sleep_mode": True,
        "max_model_len": 4096,
    }
    assert set(passed_on) <= set(RECORD["fields"]["EngineArgs"])
    assert passed_on["logprobs_mode"] in RECORD["logprobs_modes"]
    assert engine_arguments(str(tmp_path), False, {})["model"] == str(tmp_path)
    assert RECORD["version"].startswith(f"{WRITTEN_FOR}.")


def test_without_vllm_one_sentence_says_what_helps(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: False)))
    monkeypatch.setitem(sys.modules, "vllm", None)
    elsewhere = "or have it served by a machine with one and name that: --policy openai:MODEL --base-url URL."
    with pytest.raises(SamplerError) as raised:
        open_vllm("m")
    install = "pip install 'lean-rl-prover[vllm]'"
    assert str(raised.value) == f"vllm: needs vLLM and a GPU (vllm is missing): {install}, {elsewhere}"
    monkeypatch.setitem(sys.modules, "vllm", SimpleNamespace(__version__="0.33.0"))
    with pytest.raises(SamplerError) as raised:
        open_vllm("m")
    assert str(raised.value) == f"vllm: needs a GPU, and PyTorch finds none here; take hf:m, {elsewhere}"


@pytest.fixture(scope="module")
def vllm() -> Any:
    return pytest.importorskip("vllm", reason="vLLM is not installed: it has no build for machines without a GPU")


def test_the_record_is_of_the_vllm_that_is_installed(vllm):
    from vllm import outputs
    from vllm.engine.arg_utils import EngineArgs
    from vllm.logprobs import Logprob
    from vllm.v1.engine.llm_engine import LLMEngine
    from vllm.v1.worker.gpu.model_runner import GPUModelRunner

    owners = {
        "LLM": vllm.LLM,
        "LLMEngine": LLMEngine,
        "RequestOutput": outputs.RequestOutput,
        "GPUModelRunner": GPUModelRunner,
    }
    for name, recorded in RECORD["signatures"].items():
        owner, method = name.split(".")
        if owner in owners:
            parameters = list(inspect.signature(getattr(owners[owner], method)).parameters.values())[1:]
            found = [[each.name, int(each.kind), each.default is not inspect.Parameter.empty] for each in parameters]
            assert found == recorded, name
    fields = {
        "EngineArgs": EngineArgs.__dataclass_fields__,
        "SamplingParams": vllm.SamplingParams.__struct_fields__,
        "CompletionOutput": outputs.CompletionOutput.__dataclass_fields__,
        "Logprob": Logprob.__dataclass_fields__,
        "TokensPrompt": vllm.TokensPrompt.__annotations__,
    }
    assert set(fields) == set(FIELDS)
    for name, names in fields.items():
        assert set(RECORD["fields"][name]) <= set(names), name


def test_vllm_takes_the_adapter_s_settings(vllm):
    asked = vllm.SamplingParams(**sampling_arguments(text("x", 7, stop=("y",), temperature=0.5), 100))
    assert (asked.seed, asked.stop, asked.temperature, asked.max_tokens, asked.logprobs) == (7, ["y"], 0.5, 100, 0)


def test_vllm_samples_with_the_log_probabilities_of_the_weights(vllm, tmp_path):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("vLLM samples on a GPU alone")
    from tests.prover.sampling.tiny_llama import save_folder, teacher_forced, tiny_llama, token_ids

    model = tiny_llama()
    sampler = open_vllm(str(save_folder(model, tmp_path / "one")), options={"dtype": "float32"})
    requests = [text("theorem t", seed, max_tokens=16) for seed in (1, 2, 1)]
    samples = sampler.sample(requests)
    assert samples[0] == samples[2] != samples[1]
    for sample in samples:
        expected = teacher_forced(model, token_ids("theorem t"), list(sample.token_ids))
        assert sample.token_log_probabilities == pytest.approx(expected, abs=1e-3)
    other = tiny_llama(seed=1)
    sampler.update_weights(save_folder(other, tmp_path / "two"))
    [sample] = sampler.sample(requests[:1])
    expected = teacher_forced(other, token_ids("theorem t"), list(sample.token_ids))
    assert sample.token_log_probabilities == pytest.approx(expected, abs=1e-3)

"""`openai:` and a server of bad manners: what no good server would do, and what is said at the start."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import pytest

from prover.benchmark import serving
from prover.sampling.openai_sampler import KEY, OpenAISampler, Patience, backoff, open_openai, retry_after
from prover.sampling.sampler import INTERRUPTED, Prompt, Request, Sample, Sampler, SamplerError, Settings

SECRET = "sk-not-to-be-seen-1234"
HURRIED = Patience(connect=20.0, answer=60.0, stall=30.0, retry=30.0, wait=0.01, longest_wait=0.02)
IMPATIENT = replace(HURRIED, stall=0.5, retry=0.5)
STALL = 20.0  # seconds


@pytest.fixture(autouse=True)
def _no_key(monkeypatch):
    monkeypatch.delenv(KEY, raising=False)


def text(prompt: str, seed: int = 0, **settings: Any) -> Request:
    return Request(Prompt(prompt), Settings(**{"max_tokens": 16, **settings}), seed)


Reply = Callable[["Handler"], None]
GOOD = {
    "choices": [{"index": 0, "text": "ok", "finish_reason": "stop", "token_ids": [5, 2], "logprobs": {
        "tokens": ["token_id:5", "token_id:2"], "token_logprobs": [-0.25, -0.5]}}],
    "usage": {"completion_tokens": 2},
}  # fmt: skip
LIST = {"data": [{"id": "m"}]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Scripted"

    def do_GET(self) -> None:
        self.server.models(self)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.bodies.append(body)
            self.server.times.append(time.monotonic())
            reply = self.server.script.pop(0) if self.server.script else json_reply(GOOD)
        reply(self)

    def log_message(self, *_: object) -> None:
        pass


class Scripted(ThreadingHTTPServer):
    """Says the replies of its script in order, then good ones."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock, self.ended = threading.Lock(), threading.Event()
        self.models: Reply = json_reply(LIST)
        self.script: list[Reply] = []
        self.bodies: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.address = f"http://127.0.0.1:{self.server_port}/v1"


def reply(status: int, content: bytes, length: int | None = None, **headers: str) -> Reply:
    def say(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return say


def json_reply(value: Any, status: int = 200, **headers: str) -> Reply:
    return reply(status, json.dumps(value).encode(), None, **headers)


def error(status: int, sentence: str = "so it is", **headers: str) -> Reply:
    return json_reply({"error": {"message": sentence}}, status, **headers)


def stalls(handler: Handler) -> None:
    reply(200, b'{"choices": [{"te', length=1000)(handler)
    handler.wfile.flush()
    handler.server.ended.wait(STALL)


def hangs_up(handler: Handler) -> None:
    reply(200, b'{"choices": [{"te', length=1000)(handler)
    handler.close_connection = True


@pytest.fixture
def server() -> Iterator[Scripted]:
    server = Scripted()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.ended.set()
    server.shutdown()
    server.server_close()
    thread.join()


def silent(handler: Handler) -> None:
    handler.server.ended.wait(STALL)


@contextmanager
def opening(server: Scripted, *script: Reply, **options: Any) -> Iterator[OpenAISampler]:
    """An open sampler, and a server that has forgotten what it was asked at the start and follows its script now."""
    with open_openai("m", server.address, **{"patience": HURRIED, **options}) as sampler:
        server.bodies.clear()
        server.times.clear()
        server.script = list(script)
        yield sampler


@pytest.fixture
def opened(server) -> Iterator[OpenAISampler]:
    with opening(server) as sampler:
        yield sampler


def ask(sampler: OpenAISampler, request: Request | None = None) -> Sample:
    [sample] = sampler.sample([request or text("x")])
    return sample


def test_what_a_good_answer_holds(opened, server):
    sampler: Sampler = opened
    assert sampler.sample([text("x", -3, temperature=0.5, top_p=0.9, stop=("a",))]) == [
        Sample("ok", (5, 2), (), "stop", 2)  # the log-probabilities are perhaps not those at temperature 0.5
    ]
    assert server.bodies == [
        {"model": "m", "prompt": "x", "max_tokens": 16, "temperature": 0.5, "top_p": 0.9, "stop": ["a"],
         "seed": 2**31 - 3, "logprobs": 1, "top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0,
         "return_token_ids": True, "return_tokens_as_token_ids": True}
    ]  # fmt: skip


@pytest.mark.parametrize("status", [429, 500, 503, 408])
def test_what_passes_is_tried_again(opened, server, status):
    server.script = [error(status), error(status)]
    assert ask(opened).text == "ok"
    assert len(server.bodies) == 3


def test_a_lost_connection_is_tried_again(opened, server):
    server.script = [hangs_up]
    assert ask(opened).text == "ok"
    assert len(server.bodies) == 2


def test_a_server_says_how_long_to_wait(opened, server):
    server.script = [error(429, Retry_After="0.4")]
    assert ask(opened).text == "ok"
    assert [later - earlier >= 0.4 for earlier, later in pairwise(server.times)] == [True]


def test_who_is_to_wait_too_long_gives_up_at_once(opened, server):
    server.script = [error(429, "too many", Retry_After="3600")]
    assert ask(opened) == Sample("", finish="error", error="The server answered 429: too many.")
    assert len(server.bodies) == 1


def test_trying_again_has_an_end(server, caplog):
    began = time.monotonic()
    with opening(server, *[error(500, "broken")] * 10_000, patience=IMPATIENT) as sampler:
        assert ask(sampler).error == "The server answered 500: broken."
    assert time.monotonic() - began > 0.4
    assert 2 < len(server.bodies) < 100  # a hundredth or a fiftieth of a second apart, for half a second
    assert [record.message for record in caplog.records] == [
        "openai:m: The server answered 500: broken. It is asked again.",
    ]  # and nothing of the loss, which who asks counts and logs


@pytest.mark.parametrize("status", [400, 401, 403, 404, 501])
def test_what_does_not_pass_is_lost_and_not_tried_again(opened, server, status):
    server.script = [error(status, "never")]
    assert ask(opened) == Sample("", finish="error", error=f"The server answered {status}: never.")
    assert len(server.bodies) == 1
    assert ask(opened).text == "ok"


def test_a_server_that_stalls_within_an_answer_is_left(server):
    began = time.monotonic()
    with opening(server, stalls, in_flight=1, patience=replace(HURRIED, stall=1.0)) as sampler:
        assert ask(sampler).error == "The server stalled: it sent nothing more for 1 s."
        assert time.monotonic() - began < STALL / 2
        assert len(server.bodies) == 1
        assert ask(sampler).text == "ok"


def test_an_answer_that_does_not_begin_is_waited_for_so_long_as_was_said(server):
    assert Patience().answer == 600
    began = time.monotonic()
    with opening(server, silent, patience=replace(HURRIED, answer=0.4)) as sampler:
        assert ask(sampler).error == "The server is too slow: it gave no whole answer in 0.4 s."
        assert time.monotonic() - began < STALL / 2
        assert ask(sampler).text == "ok"


def test_stop_ends_what_is_on_its_way_and_what_waits_and_no_later_request(server):
    with opening(server, json_reply(GOOD), stalls, silent, in_flight=2) as sampler:
        sampler.stop()  # nothing is on its way
        found: list[Sample] = []
        thread = threading.Thread(target=lambda: found.extend(sampler.sample([text("x", i) for i in range(5)])))
        thread.start()
        end = time.monotonic() + STALL / 2
        while len(server.bodies) < 3:  # the first is answered, two are on their way, and two wait
            assert time.monotonic() < end
            time.sleep(0.01)
        sampler.stop()
        thread.join(STALL / 2)
        assert time.monotonic() < end
        assert len(server.bodies) == 3
        assert [sample.finish for sample in found].count("stop") == 1
        assert [sample for sample in found if sample.finish == "error"] == [INTERRUPTED] * 4
        assert [ask(sampler).text for _ in range(3)] == ["ok"] * 3
    sampler.stop()  # closed


def test_log_probabilities_that_may_be_those_before_temperature_are_withheld(server, caplog):
    told = Sample("ok", (5, 2), (-0.25, -0.5), "stop", 2)
    withheld = replace(told, token_log_probabilities=())
    raw = [text("x"), text("x", temperature=0.0), text("x", temperature=0.0, top_p=0.5)]
    changed = [text("x", temperature=0.6), text("x", temperature=2.0), text("x", top_p=0.9)]
    with opening(server) as sampler:
        assert sampler.sample(raw) == [told] * 3
        assert caplog.records == []
        assert sampler.sample(changed) == [withheld] * 3
    assert [record.message for record in caplog.records] == [
        "openai:m: the server's log-probabilities are left out, as they may be those before temperature and top-p; "
        "where they are those after both, `open_openai` is to be told so by `processed`."
    ]
    with opening(server, processed=True) as sampler:
        assert sampler.sample([*raw, *changed]) == [told] * 6
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the server's answer is not JSON"),
        (b'{"choices": [{"text": "a"', "the server's answer is not JSON"),
        (b"\xff\xfe", "the server's answer is not JSON"),
        (b"[" * 100_000, "the server's answer is not JSON"),
        (b"[]", "the server's answer has no choices"),
        (b"{}", "the server's answer has no choices"),
        (b'{"choices": []}', "the server's answer has no choices"),
        (b'{"choices": [{"text": 5}]}', "the server's answer has no text"),
        (b'{"choices": [{"text": "a", "finish_reason": "abort"}]}', "the server did not finish its answer (abort)"),
    ],
)
def test_an_answer_that_makes_no_sense_is_lost(opened, server, content, said):
    server.script = [reply(200, content)]
    assert ask(opened) == Sample("", finish="error", error=f"No sample: {said}.")


def test_one_lost_answer_loses_no_other(opened, server):
    server.script = [error(400)]
    samples = opened.sample([text("x", seed) for seed in range(40)])
    assert sorted(sample.finish for sample in samples) == ["error"] + ["stop"] * 39


def test_fields_that_a_server_refuses_are_left_out_for_good_if_that_helps(opened, server, caplog):
    # Named in such a way by hosted servers, one at a time.
    server.script = [error(400, "Unrecognized request argument supplied: top_k"), error(400, "no min_p here")]
    assert ask(opened).text == "ok"
    assert ask(opened).text == "ok"
    assert [{"top_k", "min_p"} & set(body) for body in server.bodies] == [{"top_k", "min_p"}, {"min_p"}, set(), set()]
    assert "repetition_penalty" in server.bodies[3]
    assert [record.message for record in caplog.records] == ["openai:m: the server does not take min_p, top_k."]


def test_fields_are_kept_where_leaving_them_out_does_not_help(opened, server):
    server.script = [error(400, "your prompt speaks of a seed"), error(400, "your prompt is bad")]
    assert ask(opened).error == "The server answered 400: your prompt is bad."
    assert ask(opened).text == "ok"
    assert ["seed" in body for body in server.bodies] == [True, False, True]


def test_hosted_models_that_reason_have_a_word_of_their_own_for_the_length(opened, server):
    server.script = [error(400, "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")]
    assert ask(opened).text == "ok"
    assert server.bodies[1]["max_completion_tokens"] == 16
    assert "max_tokens" not in server.bodies[1]


def test_no_more_requests_are_on_their_way_than_allowed(server):
    busy = []
    most = []

    def slow(handler: Handler) -> None:
        busy.append(1)
        most.append(len(busy))
        time.sleep(0.1)
        busy.pop()
        json_reply(GOOD)(handler)

    with opening(server, *[slow] * 12, in_flight=3) as sampler:
        assert len(sampler.sample([text("x")] * 12)) == 12
    assert max(most) == 3


def test_closing_ends_what_waits(server):
    sampler = open_openai("m", server.address)
    server.bodies.clear()
    server.script = [stalls]
    ended: list[BaseException] = []

    def wait() -> None:
        try:
            ask(sampler)
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    while not server.bodies:
        time.sleep(0.01)
    sampler.close()
    thread.join(5)
    assert [type(error).__name__ for error in ended] == ["CancelledError"]
    sampler.close()
    with pytest.raises(RuntimeError, match="openai:m is closed"):
        ask(sampler)


def test_a_key_that_the_server_says_back_is_not_repeated(server, monkeypatch, caplog):
    monkeypatch.setenv(KEY, SECRET)
    with open_openai("m", server.address, patience=HURRIED) as sampler:
        server.script = [error(401, f"Incorrect API key provided: {SECRET}"), error(401, "x" * 290 + SECRET)]
        assert ask(sampler).error == "The server answered 401: Incorrect API key provided: [key]."
        assert ask(sampler).error == f"The server answered 401: {'x' * 290}[key]."
    assert SECRET not in caplog.text


# --- at the start


def test_a_server_without_a_list_of_models_is_asked_for_a_token(server):
    server.models = error(404)
    with open_openai("anything", server.address, patience=HURRIED) as sampler:
        assert ask(sampler).text == "ok"
    assert [body["max_tokens"] for body in server.bodies] == [1, 16]


def test_a_key_is_tried_though_the_list_of_models_is_open_to_all(server, monkeypatch):
    server.script = [error(401, "who are you?")] * 4
    with pytest.raises(SamplerError, match=rf"^openai:m: {server.address} asks for a key \(401\); put it into the "):
        open_openai("m", server.address, patience=HURRIED)
    monkeypatch.setenv(KEY, SECRET)
    with pytest.raises(SamplerError, match=rf"^openai:m: {server.address} refuses the key in {KEY} \(401\); put the "):
        open_openai("m", server.address, patience=HURRIED)


def test_a_connection_lost_once_at_the_start_is_no_mistake(server):
    server.script = [hangs_up]
    open_openai("m", server.address, patience=HURRIED).close()
    assert len(server.bodies) == 2
    server.script = [hangs_up] * 9
    with pytest.raises(SamplerError, match=r"gives no answer of m: no answer from .*: peer closed connection"):
        open_openai("m", server.address, patience=HURRIED)
    assert len(server.bodies) == 2 + 4  # twice as a text and twice as a message


def test_a_server_that_lists_models_and_answers_nothing_is_found_at_the_start(server):
    server.script = [silent] * 2
    began = time.monotonic()
    with pytest.raises(SamplerError) as raised:
        open_openai("m", server.address, patience=IMPATIENT)  # of which a whole answer may take 60 s
    assert time.monotonic() - began < STALL / 2
    assert str(raised.value) == (
        f"openai:m: {server.address} gives no answer of m: the server is too slow: it gave no whole answer in 0.5 s."
    )


def test_a_model_of_chats_alone_is_no_mistake(server):
    server.models = error(500)
    server.script = [error(404, "This is a chat model"), json_reply({"choices": [{"message": {"content": "hi"}}]})]
    open_openai("anything", server.address, patience=HURRIED).close()
    assert ["messages" in body for body in server.bodies] == [False, True]


def test_what_cannot_be_used_is_one_sentence_at_the_start(server, monkeypatch):
    def said(address: str | None, patience: Patience = HURRIED) -> str:
        with pytest.raises(SamplerError) as raised:
            open_openai("x", address, patience=patience)
        return str(raised.value)

    where = server.address
    server.script = [error(404, "no model x")] * 2
    assert said(where) == f"openai:x: {where}, which has m, gives no answer of x: the server answered 404: no model x."
    server.models = error(403)
    assert said(where) == f"openai:x: {where} asks for a key (403); put it into the environment as {KEY}."
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        assert said(nobody) == f"openai:x: No answer from {nobody}: All connection attempts failed."
    server.models = stalls
    assert said(where, IMPATIENT) == "openai:x: The server is too slow: it gave no whole answer in 0.5 s."
    assert said(None) == "openai:x needs the address of a server, as --base-url http://localhost:8000/v1."
    assert said("localhost:8000") == "--base-url localhost:8000 is no address; one looks like http://localhost:8000/v1."
    secret = said(f"http://user:{SECRET}@host/v1")
    assert secret == f"--base-url is to hold neither password nor query; a key goes into {KEY}."
    monkeypatch.setenv(KEY, "ключ")
    assert said(where) == f"{KEY} has characters that no key has; set it anew."


def test_the_benchmark_s_server_is_one():
    [figure] = serving.figures(requests=40, in_flight=8)
    assert "40 answers of 64 tokens, 0 lost" in figure.detail
    assert figure.value > 0


# --- waiting


def test_waits_grow_and_differ():
    patience = Patience(wait=0.5, longest_wait=30.0)
    assert [backoff(patience, tries, 0.0) for tries in (1, 2, 3, 6, 7, 5000)] == [0.5, 1.0, 2.0, 16.0, 30.0, 30.0]
    assert backoff(patience, 2, 0.5) == 0.75  # half of the half that chance takes


def test_seconds_or_a_date_to_try_again_after():
    # 784111777 is Sun, 06 Nov 1994 08:49:37 GMT.
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    said = [(header, retry_after(header, 784111770.0)) for header in ("5", "0.5", date, "-1", "soon", "nan", "", None)]
    assert [seconds for _, seconds in said] == [5.0, 0.5, 7.0, 0.0, 0.0, 0.0, 0.0, 0.0]

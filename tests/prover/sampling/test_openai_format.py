"""The JSON of OpenAI-compatible servers: requests into it, samples out of it."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prover.sampling.openai_format import AnswerError, message, path_and_body, refusals, sample_of
from prover.sampling.sampler import Message, Prompt, Request, Settings

TEXT = Request(Prompt("x"), Settings(stop=("a",)))
CHAT = Request(Prompt(messages=(Message("user", "x"),)))


def test_log_probabilities_of_both_formats():
    chat = {"message": {"content": "ab"}, "finish_reason": "length"}

    def of(choice: dict[str, Any], tokens: int | None = 2) -> tuple[tuple[int, ...], tuple[float, ...], int]:
        answer = {"choices": [choice], "usage": {"completion_tokens": tokens}}
        sample = sample_of(json.dumps(answer).encode(), CHAT)
        return sample.token_ids, sample.token_log_probabilities, sample.tokens

    content = [{"id": 7, "token": "a", "logprob": -1}, {"id": 8, "token": "b", "logprob": 1e-9}]
    assert of({**chat, "logprobs": {"content": content}}) == ((7, 8), (-1.0, 0.0), 2)
    named = [{"token": f"token_id:{entry['id']}", "logprob": entry["logprob"]} for entry in content]
    assert of({**chat, "logprobs": {"content": named}}) == ((7, 8), (-1.0, 0.0), 2)
    plain = {"tokens": ["a", "b"], "token_logprobs": [-1.0, -2.0]}
    assert of({**chat, "logprobs": plain}) == ((), (-1.0, -2.0), 2)
    assert of({**chat, "logprobs": plain, "token_ids": [7, 8]}) == ((7, 8), (-1.0, -2.0), 2)
    assert of({**chat, "logprobs": plain, "token_ids": [7]}) == ((), (-1.0, -2.0), 2)
    assert of({**chat, "logprobs": plain}, None) == ((), (-1.0, -2.0), 2)
    assert of({**chat, "logprobs": {"tokens": ["a", "b"], "token_logprobs": [-1.0, None]}}) == ((), (), 2)
    assert of({**chat, "logprobs": None}) == ((), (), 2)
    # llama.cpp 11549 of a character in two tokens: three tokens, two entries.
    assert of({**chat, "logprobs": {"content": content}}, 3) == ((7, 8), (), 3)
    # and of an answer that a stop text of one token ended
    assert of({**chat, "finish_reason": "stop", "logprobs": {"content": content}}, 3) == ((7, 8), (-1.0, 0.0), 3)


def test_messages_of_errors_are_one_line():
    assert message(b'{"error": {"message": "a\\n b.", "param": null}}') == "a b"
    assert message(b'{"error": "a"}') == message(b'{"message": "a"}') == message(b'{"detail": "a"}') == "a"
    assert message(b'{"detail": [{"loc": ["body", "top_k"]}]}') == '[{"loc": ["body", "top_k"]}]'
    assert message(b"<html><h1>Bad gateway</h1></html>") == "Bad gateway"
    assert message(b"") == message(b"null") == ""
    assert len(message(b"x" * 10_000)) == 300


def test_a_key_is_gone_before_a_message_is_cut():
    # 290 characters, then a key of 20 of which the cut at 297 would leave seven.
    said = ("x" * 290 + "sk-0123456789abcdefg" + "y" * 90).encode()
    assert message(said, "sk-0123456789abcdefg") == "x" * 290 + "[key]yy..."
    assert message(b"no key: []", "") == "no key: []"


def test_only_whole_words_are_fields():
    _, body = path_and_body("m", TEXT)
    assert refusals(b"top_logprobs, 'seed'; max_tokens is too large", body) == {"seed"}
    _, chat = path_and_body("m", CHAT, frozenset({"logprobs"}))
    assert not {"logprobs", "top_logprobs"} & set(chat)


WORDS = ["choices", "text", "message", "content", "finish_reason", "usage", "completion_tokens"]
WORDS += ["logprobs", "tokens", "token_logprobs", "token_ids", "id", "logprob", "token"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
)


@given(JSON)
def test_whatever_a_server_answers_is_a_sample_or_one_error(value):
    wrapped = {"choices": [value], "usage": {"completion_tokens": 1}}
    for answer in (value, wrapped, {"choices": [{"text": "", "logprobs": value, "token_ids": value}], "usage": value}):
        try:
            sample = sample_of(json.dumps(answer).encode(), TEXT)
        except AnswerError:
            continue
        assert sample.tokens >= 0
        assert all(value <= 0 for value in sample.token_log_probabilities)
        assert len(sample.token_ids) == len(sample.token_log_probabilities) or not all(
            [sample.token_ids, sample.token_log_probabilities]
        )

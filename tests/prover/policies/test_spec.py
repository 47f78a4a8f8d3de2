"""What `--policy` may say, and what is wrong with what it may not."""

import pytest

from prover.policies.spec import Options, Part, check_options, read_policy, short_name
from prover.sources import UserInputError


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("portfolio", [Part("portfolio")]),
        ("hf:models/small", [Part("hf", "models/small")]),
        ("hf:/a/b+c*d:e", [Part("hf", "/a/b+c*d:e")]),
        ("openai:gpt-oss:20b", [Part("openai", "gpt-oss:20b")]),
        ("portfolio+hf:x", [Part("portfolio"), Part("hf", "x")]),
        ("0.5*portfolio+templates", [Part("portfolio", "", 0.5), Part("templates")]),
        ("0.7*portfolio+0.3*hf:a+b", [Part("portfolio", "", 0.7), Part("hf", "a+b", 0.3)]),
        ("hf:a+portfolio2+2*onnx:c", [Part("hf", "a+portfolio2"), Part("onnx", "c", 2.0)]),
        (" 1e-1*vllm:n + portfolio ", [Part("vllm", "n", 0.1), Part("portfolio")]),
    ],
)
def test_parts(text, parts):
    assert list(read_policy(text)) == parts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "--policy is `portfolio`, `templates`, `shipped`, `hf:PATH`"),
        ("oracle", "not `oracle`"),
        ("portfolio:x", "not `portfolio:x`"),
        ("templates:x", "not `templates:x`"),
        ("shipped:x", "not `shipped:x`"),
        ("hf:", "--policy hf: wants a model's name or path after the colon"),
        ("hf", "--policy hf: wants a model's name"),
        ("0*portfolio+hf:x", "A weight in --policy is a number above 0, as in `0.3*portfolio`, not `0`"),
        ("portfolio+-1*hf:x", "not `-1`"),
        ("nan*portfolio", "not `nan`"),
        ("portfolio+0.5*portfolio", "--policy names portfolio twice"),
        ("hf:x+hf:x", "--policy names hf:x twice"),
    ],
)
def test_what_is_no_policy(text, said):
    with pytest.raises(UserInputError) as error:
        read_policy(text)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("policy", "options", "tactics", "said"),
    [
        ("portfolio", Options(temperature=0.5), True, "--temperature is for a model"),
        ("portfolio", Options(max_tokens=5), True, "--max-tokens is for a model"),
        ("hf:x", Options(samples=4), False, "--samples is for searches over tactics"),
        ("hf:x", Options(base_url="http://localhost:1/v1"), True, "--base-url is for a model on a server"),
        ("portfolio+openai:x", Options(), True, "openai:x wants the address of a server, as --base-url"),
        ("openai:x", Options(base_url="localhost:8000"), True, "not `localhost:8000`"),
        ("openai:x", Options(base_url="http://h:99999"), True, "not `http://h:99999`"),
        ("hf:x", Options(temperature=float("nan")), True, "--temperature is a number from 0"),
        ("hf:x", Options(temperature=float("inf")), True, "--temperature is a number from 0"),
        ("portfolio", Options(top_p=0.9), True, "--top-p is for a model"),
        ("portfolio+templates", Options(top_p=0.5), True, "`--policy portfolio+templates` asks none"),
        ("portfolio+templates", Options(), False, "`templates` proposes tactics for a state"),
        ("shipped+portfolio", Options(), False, "`shipped` proposes tactics for a state"),
        ("hf:x", Options(top_p=0.0), True, "--top-p is a number above 0 and at most 1"),
        ("hf:x", Options(top_p=float("nan")), False, "--top-p is a number above 0"),
        ("hf:x", Options(top_p=1.01), False, "--top-p is a number above 0"),
    ],
)
def test_options_of_no_use(policy, options, tactics, said):
    with pytest.raises(UserInputError) as error:
        check_options(read_policy(policy), options, tactics)
    assert said in str(error.value)


@pytest.mark.parametrize("url", ["http://me:secret@host/v1", "http://host/v1?key=secret", "//secret@"])
def test_a_key_in_the_address_is_refused_and_not_repeated(url):
    with pytest.raises(UserInputError) as error:
        check_options(read_policy("openai:x"), Options(base_url=url), True)
    assert "not to hold a key" in str(error.value)
    assert "secret" not in str(error.value)


def test_what_is_of_use_passes():
    check_options(read_policy("portfolio"), Options(), True)
    check_options(read_policy("openai:x"), Options(base_url="http://[::1]:8000/v1", temperature=0.0), False)
    check_options(read_policy("portfolio+hf:x"), Options("own", None, 0.7, 100, 4, 0.95), True)


def test_short_names():
    assert short_name(read_policy("0.5*portfolio+hf:/models/small/")) == "portfolio+hf-small"
    assert short_name(read_policy("vllm:deepseek-ai/DeepSeek-Prover-V1.5-RL")) == "vllm-DeepSeek-Prover-V1.5-RL"

"""The JSON of OpenAI-compatible servers: what a request asks them, and the sample that their answer holds.

Servers differ in what they know. What only some do is in `OPTIONAL`, and left out for those that refuse it.
"""

import json
import math
import re
from collections.abc import Set
from typing import Any, Literal

from prover.sampling.continuation import first_stop
from prover.sampling.sampler import Request, Sample

# Servers apply filters of their own (llama.cpp top-k 40 and min-p, vLLM the model's defaults) unless told not to.
UNFILTERED = {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
# vLLM's; its servers before 0.10 know the second alone.
TOKEN_IDS = {"return_token_ids": True, "return_tokens_as_token_ids": True}
OPTIONAL = (*UNFILTERED, *TOKEN_IDS, "logprobs", "top_logprobs", "seed")

FAILED = ("content_filter", "abort", "error")  # reasons to finish that leave no answer
SHOWN = 300  # characters of a server's message
AS_TOKEN_ID = re.compile(r"token_id:(\d+)")


class AnswerError(Exception):
    """An answer that holds no sample; the message says what is wrong with it."""


def path_and_body(model: str, request: Request, refused: Set[str] = frozenset()) -> tuple[str, dict[str, Any]]:
    """Where under the base URL the request goes, and what it says, less the optional fields that are `refused`."""
    prompt, settings = request.prompt, request.settings
    body: dict[str, Any] = {"model": model}
    if prompt.messages:
        path = "/chat/completions"
        body["messages"] = [{"role": message.role, "content": message.text} for message in prompt.messages]
        if begun(request):
            body |= {"continue_final_message": True, "add_generation_prompt": False}
        # llama.cpp gives none for `top_logprobs` 0, and twenty a token where it is not there.
        told: dict[str, Any] = {"logprobs": True, "top_logprobs": 1}
    else:
        path = "/completions"
        body["prompt"] = prompt.text
        told = {"logprobs": 1}
    length = "max_completion_tokens" if "max_tokens" in refused else "max_tokens"
    body |= {length: settings.max_tokens, "temperature": settings.temperature, "top_p": settings.top_p}
    if settings.stop:
        body["stop"] = list(settings.stop)
    # Below 2**31 every server takes it, and none reads it as "no seed".
    optional = UNFILTERED | TOKEN_IDS | told | {"seed": request.seed % 2**31}
    if "logprobs" in refused:
        refused = refused | {"top_logprobs"}
    return path, body | {name: value for name, value in optional.items() if name not in refused}


def begun(request: Request) -> str:
    """The beginning of the answer that the prompt gives, if it does."""
    last = request.prompt.messages[-1:]
    return last[0].text if last and last[0].role == "assistant" else ""


def refusals(content: bytes, body: dict[str, Any]) -> frozenset[str]:
    """Those fields of `body` that can go, and that a server names when it says what is wrong with a request."""
    said = content.decode("utf-8", "replace")
    words = set(re.findall(r"\w+", said))
    named = {name for name in OPTIONAL if name in body and name in words}
    # So say hosted models that reason; every other complaint about the length is the prompt's.
    if "max_tokens" in body and re.search(r"[Uu]se '?max_completion_tokens", said):
        named.add("max_tokens")
    return frozenset(named)


def message(content: bytes, key: str = "") -> str:
    """What the body of an answer says went wrong, on one line, without a full stop; empty if it says nothing.

    A server may say the key back: it is replaced.
    """
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        said = re.sub(r"<[^>]*>", " ", content.decode("utf-8", "replace"))
    for name in ("error", "message", "detail"):
        if isinstance(said, dict):
            said = said.get(name, said)
    text = said if isinstance(said, str) else json.dumps(said) if said else ""
    # Before the line is cut, as half a key would be known no more.
    line = " ".join(hidden(text, key).split()).rstrip(".")
    return line if len(line) <= SHOWN else line[: SHOWN - 3] + "..."


def hidden(text: str, key: str) -> str:
    return text.replace(key, "[key]") if key else text


def sample_of(content: bytes, request: Request, echoes: bool = False) -> Sample:
    """The sample that a server's answer holds. Log-probabilities are there only if every token has one.

    `echoes` says that the server repeats the beginning of the answer that it was given.

    Raises:
        AnswerError: it holds none.
    """
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        raise AnswerError("the server's answer is not JSON") from None
    choices = answer.get("choices") if isinstance(answer, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        raise AnswerError("the server's answer has no choices")
    if choice.get("finish_reason") in FAILED:
        raise AnswerError(f"the server did not finish its answer ({choice['finish_reason']})")
    text = _text(choice)
    if echoes:
        text = text.removeprefix(begun(request))
    finish: Literal["stop", "length"] = "length" if choice.get("finish_reason") == "length" else "stop"
    # Some servers, transformers' among them, leave the stop text in.
    stop = first_stop(text, request.settings.stop)
    if stop is not None:
        text, finish = text[:stop], "stop"
    ids, log_probabilities = _token_ids(choice), _log_probabilities(choice)
    usage = answer.get("usage")
    tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
    if not isinstance(tokens, int) or tokens < 0:
        tokens = max(len(ids), len(log_probabilities))
    # llama.cpp tells none for a stop text, and one for all the tokens of a character that takes several.
    if len(log_probabilities) != tokens and not (finish == "stop" and len(log_probabilities) == tokens - 1):
        log_probabilities = ()
    if log_probabilities and len(ids) != len(log_probabilities):
        ids = ()
    return Sample(text, ids, log_probabilities, finish, tokens)


def _text(choice: dict[str, Any]) -> str:
    said = choice.get("message")
    text = said.get("content") if isinstance(said, dict) else choice.get("text")
    if text is None and isinstance(said, dict):
        return ""  # all of it was reasoning, which some servers keep apart
    if not isinstance(text, str):
        raise AnswerError("the server's answer has no text")
    return text


def _log_probabilities(choice: dict[str, Any]) -> tuple[float, ...]:
    """Of both formats, whichever the server uses at whichever of its two addresses."""
    told = choice.get("logprobs")
    values = told.get("token_logprobs") if isinstance(told, dict) else None
    if values is None:
        values = [entry.get("logprob") for entry in _entries(choice)]
    if not isinstance(values, list) or not all(isinstance(v, float | int) and math.isfinite(v) for v in values):
        return ()
    return tuple(min(0.0, float(value)) for value in values)


def _token_ids(choice: dict[str, Any]) -> tuple[int, ...]:
    ids = choice.get("token_ids")
    if ids is None:
        told = choice.get("logprobs")
        names = told.get("tokens") if isinstance(told, dict) else None
        entries = _entries(choice)
        if entries and all("id" in entry for entry in entries):
            ids = [entry["id"] for entry in entries]
        else:
            named = names if isinstance(names, list) else [entry.get("token") for entry in entries]
            found = [AS_TOKEN_ID.fullmatch(name) if isinstance(name, str) else None for name in named]
            ids = [int(match[1]) if match else None for match in found]
    if not isinstance(ids, list) or not all(isinstance(number, int) for number in ids):
        return ()
    return tuple(ids)


def _entries(choice: dict[str, Any]) -> list[dict[str, Any]]:
    told = choice.get("logprobs")
    entries = told.get("content") if isinstance(told, dict) else None
    return entries if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries) else []

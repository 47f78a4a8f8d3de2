"""What `--policy` says: a policy's kind, with a model's name or path where it is one, or several joined by `+`."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path, PurePath
from typing import Literal
from urllib.parse import urlsplit

from prover.shipped import FOLDER
from prover.sources import UserInputError

Kind = Literal["portfolio", "templates", "shipped", "hf", "onnx", "vllm", "openai"]
KINDS: tuple[Kind, ...] = ("portfolio", "templates", "shipped", "hf", "onnx", "vllm", "openai")
WITHOUT_A_MODEL: tuple[Kind, ...] = ("portfolio", "templates")
NAMELESS: tuple[Kind, ...] = (*WITHOUT_A_MODEL, "shipped")
FORMS = "`portfolio`, `templates`, `shipped`, `hf:PATH`, `onnx:PATH`, `vllm:NAME` or `openai:MODEL`"

# A `+` within a path joins nothing: what follows one has to look like a part.
_JOIN = re.compile(
    r"\s*\+\s*(?=(?:[^+*:/]*\*)?(?:(?:portfolio|templates|shipped)(?=\s*(?:\+|$))|(?:hf|onnx|vllm|openai):))"
)
_PART = re.compile(r"(?:(?P<weight>[^*:/]*)\*)?(?P<kind>[^:*]+)(?::(?P<name>.*))?", re.DOTALL)


@dataclass(frozen=True)
class Part:
    """One policy of a mixture, or the only one. `name` is the model's; `weight` is above 0, its share as typed."""

    kind: Kind
    name: str = ""
    weight: float = 1.0

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind

    @property
    def folder(self) -> Path:
        """Where the model's files are, if it is one in a folder."""
        return FOLDER if self.kind == "shipped" else Path(os.path.expanduser(self.name))  # `~nobody` is left as it is


@dataclass(frozen=True)
class Options:
    """How models are asked, where that is not left to the defaults. `samples` are answers for one tactic state, or
    draws from what policies without a model propose for it."""

    prompt: str | None = None
    base_url: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    samples: int | None = None
    top_p: float | None = None
    redraws: int | None = None


def read_policy(text: str) -> tuple[Part, ...]:
    """The parts that `--policy` names.

    Raises:
        UserInputError: it is none.
    """
    parts = tuple(_part(piece.strip()) for piece in _JOIN.split(text.strip()))
    for part in parts:
        if sum(str(other) == str(part) for other in parts) > 1:
            raise UserInputError(f"--policy names {part} twice; give it once, with a weight: `0.7*{part}+...`.")
    return parts


def _part(text: str) -> Part:
    match = _PART.fullmatch(text)
    kind = next((kind for kind in KINDS if match and match["kind"].strip() == kind), None)
    name = (match["name"] or "").strip() if match else ""
    if match is None or kind is None or (kind in NAMELESS and match["name"] is not None):
        raise UserInputError(f"--policy is {FORMS}, or several joined as in `0.7*portfolio+0.3*hf:PATH`, not `{text}`.")
    if kind not in NAMELESS and not name:
        raise UserInputError(f"--policy {kind}: wants a model's name or path after the colon.")
    if match["weight"] is None:
        return Part(kind, name)
    try:
        weight = float(match["weight"])
    except ValueError:
        weight = 0.0
    if not 0 < weight < float("inf"):
        raise UserInputError(f"A weight in --policy is a number above 0, as in `0.3*{kind}`, not `{match['weight']}`.")
    return Part(kind, name, weight)


def check_options(parts: Sequence[Part], options: Options, tactics: bool) -> None:
    """Says which option would be of no use with these parts; `tactics`: the search asks for those.

    Raises:
        UserInputError: one would, or `--base-url` is none that can be used.
    """
    given = [field.name for field in fields(options) if getattr(options, field.name) is not None]
    given = [name for name in given if name != "samples"]  # what a policy without a model proposes can be drawn from
    if given and all(part.kind in WITHOUT_A_MODEL for part in parts):
        option, asked = "--" + given[0].replace("_", "-"), "+".join(map(str, parts))
        raise UserInputError(f"{option} is for a model, and `--policy {asked}` asks none; name one with --policy.")
    if options.prompt is not None and all(part.kind in NAMELESS for part in parts):
        raise UserInputError("--prompt is for a model that --policy names; the shipped one is asked in its own way.")
    if not tactics and (part := next((part for part in parts if part.kind in ("templates", "shipped")), None)):
        raise UserInputError(
            f"`{part}` proposes tactics for a state, and this search wants whole proofs; see --search."
        )
    if options.temperature is not None and not 0 <= options.temperature < float("inf"):
        raise UserInputError(f"--temperature is a number from 0 upwards, such as 0.8, not {options.temperature}.")
    if options.top_p is not None and not 0 < options.top_p <= 1:
        raise UserInputError(f"--top-p is a number above 0 and at most 1, such as 0.95, not {options.top_p}.")
    if options.samples is not None and not tactics:
        raise UserInputError("--samples is for searches over tactics; here every answer is a proof of its own.")
    if options.redraws is not None and not tactics:
        raise UserInputError("--redraws is for searches over tactics; here every answer is a proof of its own.")
    if options.base_url is not None:
        _check_url(options.base_url, parts)
    elif server := next((part for part in parts if part.kind == "openai"), None):
        raise UserInputError(f"{server} wants the address of a server, as --base-url http://localhost:8000/v1.")


def _check_url(url: str, parts: Sequence[Part]) -> None:
    if not any(part.kind == "openai" for part in parts):
        raise UserInputError("--base-url is for a model on a server: `--policy openai:MODEL`.")
    if "@" in url or "?" in url:
        # A run keeps its settings and its command; and what follows repeats it.
        raise UserInputError("--base-url is not to hold a key or password; keys are read from the environment alone.")
    try:
        split = urlsplit(url)
        good = split.scheme in ("http", "https") and split.hostname and split.port != 0
    except ValueError:
        good = False
    if not good:
        raise UserInputError(f"--base-url looks like http://localhost:8000/v1, not `{url}`.")


def short_name(parts: Sequence[Part]) -> str:
    """For the name of a folder: kinds, and the last pieces of models' names."""
    return "+".join(f"{part.kind}-{PurePath(part.name).name}" if part.name else part.kind for part in parts)

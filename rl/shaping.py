"""Shaping: terms that may be added to the judge's reward for the learner. Each is off until it is given a weight.

They say nothing of whether a proof holds, so they are logged apart and never stand in for the judge's reward.
"""

import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from prover.sources import UserInputError
from rl.rollouts.rollout import Rollout

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Shaping:
    """The weights of the terms, 0 for off, and what the terms are measured by.

    Raises:
        UserInputError: a value cannot be used.
    """

    format_weight: float = 0.0
    """Reward for the share of answers that have the form of --format-pattern."""
    format_pattern: str = r"<think>.*</think>.*\S.*"
    """Regular expression that matches a well-formed answer whole; its dot is any character."""
    language_weight: float = 0.0
    """Reward for the share of words that are of --language-script."""
    language_script: str = "LATIN"
    """A script as Unicode names it, in capitals: LATIN, CYRILLIC, CJK."""
    length_weight: float = 0.0
    """Penalty for long rollouts: none up to --length-free tokens, all of it from --length-most on."""
    length_free: int = 0
    """Tokens that cost nothing."""
    length_most: int = 1024
    """Tokens that cost the whole penalty."""

    def __post_init__(self) -> None:
        for name in ("format_weight", "language_weight", "length_weight"):
            if not getattr(self, name) >= 0:
                raise UserInputError(f"--{name.replace('_', '-')} has to be at least 0.")
        try:
            re.compile(self.format_pattern)
        except re.error as error:
            raise UserInputError(f"--format-pattern is no regular expression: {error}.") from None
        if not _is_script(self.language_script):
            raise UserInputError(
                f"--language-script is a script as Unicode names it, in capitals, such as LATIN; "
                f"no letter is of `{self.language_script}`."
            )
        if self.length_free < 0 or self.length_most <= self.length_free:
            raise UserInputError("--length-most has to be more than --length-free, and neither below 0.")


def terms(rollout: Rollout, shaping: Shaping) -> dict[str, float]:
    """The weighted terms of one rollout, by name; those that are off are left out."""
    found = {}
    texts = [turn.text for turn in rollout.turns]
    if shaping.format_weight:
        found["format"] = shaping.format_weight * format_share(texts, shaping.format_pattern)
    if shaping.language_weight:
        found["language"] = shaping.language_weight * language_share("\n".join(texts), shaping.language_script)
    if shaping.length_weight:
        excess = length_excess(rollout.tokens, shaping.length_free, shaping.length_most)
        found["length"] = -shaping.length_weight * excess
    return found


def learner_reward(reward: int | None, added: Mapping[str, float]) -> float | None:
    """What the learner is given: the judge's reward and the terms; None, unscored, stays so."""
    return None if reward is None else reward + sum(added.values())


def format_share(texts: list[str], pattern: str) -> float:
    """The share of the texts that the regular expression matches whole; 0 of no texts."""
    matched = sum(re.fullmatch(pattern, text, re.DOTALL) is not None for text in texts)
    return matched / len(texts) if texts else 0.0


def language_share(text: str, script: str) -> float:
    """The share of the words, runs of letters, that are of one script alone; 1 of no words.

    DeepSeek-R1 (arXiv 2501.12948), section 2.3.2, with scripts, which Unicode tells, in place of languages.
    """
    words = _WORD.findall(text)
    own = sum(all(unicodedata.name(letter, "").startswith(script) for letter in word) for word in words)
    return own / len(words) if words else 1.0


def _is_script(name: str) -> bool:
    """Whether any letter's name in Unicode begins with this and a space."""
    every = map(chr, range(sys.maxunicode + 1))
    return any(letter.isalpha() and unicodedata.name(letter, "").startswith(f"{name} ") for letter in every)


def length_excess(tokens: int, free: int, most: int) -> float:
    """How much of the way from `free` to `most` tokens is gone, in [0, 1]: DAPO (arXiv 2503.14476), equation 13."""
    return min(max((tokens - free) / (most - free), 0.0), 1.0)

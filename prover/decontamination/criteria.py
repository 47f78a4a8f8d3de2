"""When a training row is taken for one of a benchmark: five criteria, each by itself, on plain texts."""

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from prover.decontamination.elaborated import Form
from prover.decontamination.entry import Entry
from prover.decontamination.ngrams import gram_index, shared_gram
from prover.decontamination.notation import gram_words, normal_form

Criterion = Literal["exact", "normalised", "elaborated", "grams", "informal"]
CRITERIA: tuple[Criterion, ...] = ("exact", "normalised", "elaborated", "grams", "informal")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Match:
    """A training row says what row `benchmark` (by place, from 0) says; `gram` is the run of tokens they share."""

    criterion: Criterion
    benchmark: int
    gram: str = ""


Matches = dict[int, Match]  # by the place of the training row, from 0


def exact(train: Sequence[Entry], bench: Sequence[Entry]) -> Matches:
    """The same statement, letter by letter, its name included."""
    return _equal("exact", [e.statement.strip() for e in train], [e.statement.strip() for e in bench])


def normalised(train: Sequence[Entry], bench: Sequence[Entry]) -> Matches:
    """The same statement in normal form: see `prover.decontamination.notation.normal_form`."""
    return _equal("normalised", [normal_form(e.statement) for e in train], [normal_form(e.statement) for e in bench])


def elaborated(train: Sequence[str | None], bench: Sequence[str | None]) -> Matches:
    """The same elaborated type, by fingerprints; None where a statement does not elaborate."""
    return _equal("elaborated", train, bench)


def grams(train: Sequence[Entry], bench: Sequence[Entry], length: int) -> Matches:
    """A run of `length` Lean tokens in common with a benchmark statement, names of variables as they stand.

    DeepSeekMath (arXiv:2402.03300), section 2.1, with Lean's tokens in place of words, as `gram_words` has them. Of a
    training row the proof counts, too; headers do not count. A benchmark statement of fewer tokens, but three at least,
    has to occur whole.
    """
    index = gram_index([gram_words(e.statement) for e in bench], length)
    found: Matches = {}
    for place, entry in enumerate(train):
        shared = next((hit for text in entry.formal if (hit := shared_gram(gram_words(text), index))), None)
        if shared:
            found[place] = Match("grams", shared[0], " ".join(shared[1]))
    return found


def informal(train: Sequence[Entry], bench: Sequence[Entry], length: int) -> Matches:
    """A run of `length` words in common with a benchmark's informal text, without regard to case or punctuation."""
    index = gram_index([words(e.informal) for e in bench], length)
    found: Matches = {}
    for place, entry in enumerate(train):
        if shared := shared_gram(words(entry.informal), index):
            found[place] = Match("informal", shared[0], " ".join(shared[1]))
    return found


def compare(
    train: Sequence[Entry],
    bench: Sequence[Entry],
    gram: int,
    train_forms: Sequence[Form] = (),
    bench_forms: Sequence[Form] = (),
) -> dict[Criterion, Matches]:
    """What every criterion finds. Without fingerprints the texts alone are compared."""
    return {
        "exact": exact(train, bench),
        "normalised": normalised(train, bench),
        "elaborated": elaborated([form.digest for form in train_forms], [form.digest for form in bench_forms]),
        "grams": grams(train, bench, gram),
        "informal": informal(train, bench, gram),
    }


def words(text: str) -> list[str]:
    """Words and numbers of a text that is not Lean."""
    return _WORD.findall(text.casefold())


def _equal(
    criterion: Criterion, train: Sequence[Hashable], bench: Sequence[Hashable]
) -> Matches:  # fmt: skip
    """Matches of equal keys; a key that is None or empty is none."""
    places: dict[Hashable, int] = {}
    for place, key in enumerate(bench):
        if key:
            places.setdefault(key, place)
    return {place: Match(criterion, places[key]) for place, key in enumerate(train) if key and key in places}


def together(found: Mapping[Criterion, Matches]) -> dict[int, tuple[Match, ...]]:
    """All that speaks against each training row, in the order of `CRITERIA`."""
    places = sorted({place for matches in found.values() for place in matches})
    return {
        place: tuple(found[criterion][place] for criterion in CRITERIA if place in found.get(criterion, {}))
        for place in places
    }

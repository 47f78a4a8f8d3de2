"""Which theorems a model is not trained on, so that its loss on them says what it has learned beyond them."""

import hashlib
from collections.abc import Iterable

from prover.decontamination.notation import normal_form


def theorem_key(statement: str) -> str:
    """What tells a theorem from others: its statement up to layout, notation and names, its own name included."""
    return normal_form(statement)


def held_out(keys: Iterable[str], share: float, seed: int) -> frozenset[str]:
    """The theorems, by key, that are kept out: about `share` of them, from 0 to 1.

    Each is decided by a hash of its own, so that what is kept out of a set is kept out of a larger one as well. Of two
    or more theorems at least one is kept out, unless `share` is 0, and at least one is not.
    """
    places = {key: _place(key, seed) for key in keys}
    if share <= 0 or len(places) < 2:
        return frozenset()
    ordered = sorted(places, key=lambda key: (places[key], key))
    count = sum(place < share for place in places.values())
    return frozenset(ordered[: min(max(count, 1), len(ordered) - 1)])


def _place(key: str, seed: int) -> float:
    """A number in [0, 1) that hangs on nothing but these."""
    digest = hashlib.blake2b(f"{seed} {key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64

"""Stretches of time as they are said to people."""

import pytest

from prover.duration import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 s"),
        (0.26, "0.3 s"),
        (1.4, "1 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.7, "1 h 00 min"),
        (7505, "2 h 05 min"),  # two hours are 7200 s, five minutes 300
    ],
)
def test_two_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words

"""One pool of real Lean workers for the whole run: a worker costs a gigabyte and seconds, so no test starts its own."""

import signal
from collections.abc import Iterator

import pytest

from lean_env import LeanPool, Verifier

# A shell starts what it runs in the background with this signal ignored, and every process below inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def pool() -> Iterator[LeanPool]:
    with LeanPool(workers=2) as pool:
        yield pool


@pytest.fixture(scope="session")
def verifier(pool: LeanPool) -> Verifier:
    return Verifier(pool)

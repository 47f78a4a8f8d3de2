"""One pool of real Lean workers for the whole run: a worker costs a gigabyte and seconds, so no test starts its own."""

from collections.abc import Iterator

import pytest

from lean_env import LeanPool, Verifier


@pytest.fixture(scope="session")
def pool() -> Iterator[LeanPool]:
    with LeanPool(workers=2) as pool:
        yield pool


@pytest.fixture(scope="session")
def verifier(pool: LeanPool) -> Verifier:
    return Verifier(pool)

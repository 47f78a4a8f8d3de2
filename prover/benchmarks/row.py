"""What a benchmark is made of: theorems, each with where it comes from, and a hash of what it says."""

import hashlib
import re
from dataclasses import dataclass
from random import Random

from lean_env import Theorem

_LEAN_NAME = re.compile(r"(?:«[^»]*»|[^:«»])+$")


@dataclass(frozen=True)
class Row:
    """A theorem of a benchmark, and where it comes from.

    `name` is the theorem's in Lean, or that behind a `:` and what tells it from others, as in `week1/sums:add_zero'`.
    `statement` is Lean text up to but without `:=`; `header` is what stands before it (empty: `import Init`). `split`,
    `topic`, `lineage` (which formalisation of the benchmark, at which commit), `licence` and `note` are text for
    people, empty where nothing is known; `informal` is what the theorem says in words. `label` is how messages name
    the row: `FILE.jsonl:3`, `FILE.lean:12`.
    """

    name: str
    statement: str
    header: str = ""
    split: str = ""
    topic: str = ""
    lineage: str = ""
    licence: str = ""
    note: str = ""
    label: str = ""
    informal: str = ""

    @property
    def theorem(self) -> Theorem:
        return Theorem(lean_name(self.name), self.statement, self.header)

    @property
    def hash(self) -> str:
        """SHA-256, in hexadecimal, of header and statement without blank space at their ends."""
        return hashlib.sha256(f"{self.header.strip()}\0{self.statement.strip()}".encode()).hexdigest()


def lean_name(name: str) -> str:
    """What the theorem of a row with this name is called in Lean: what follows the last `:`."""
    found = _LEAN_NAME.search(name)
    return found[0] if found else name


@dataclass(frozen=True)
class Benchmark:
    """Rows in order, with no name twice, and a sentence for each row of the source that could not be used."""

    name: str
    rows: tuple[Row, ...]
    complaints: tuple[str, ...] = ()

    def drawn(self, size: int, seed: int) -> "Benchmark":
        """So many of the rows, in their order; the same seed draws the same ones."""
        if size >= len(self.rows):
            return self
        chosen = sorted(Random(seed).sample(range(len(self.rows)), size))
        name = f"{self.name} ({size} drawn with seed {seed})"
        return Benchmark(name, tuple(self.rows[i] for i in chosen), self.complaints)

    @property
    def hash(self) -> str:
        """SHA-256, in hexadecimal, of the names and hashes of all rows in order."""
        return hashlib.sha256("\n".join(f"{row.name} {row.hash}" for row in self.rows).encode()).hexdigest()

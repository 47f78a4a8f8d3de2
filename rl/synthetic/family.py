"""What a family of synthetic theorems is, and what it draws."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from rl.synthetic.statement import Statement

LEVELS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Drawn:
    """A statement and where it comes from, in words.

    `tight`: its hypotheses can all be true, and each is needed, by how it was made, although worlds in which they are
    true are too rare to be drawn.
    """

    statement: Statement
    note: str
    tight: bool = False


@dataclass(frozen=True)
class Family:
    """`levels` says of each level, from 1, what its statements are like. `draw` goes on for ever, by the random
    numbers alone; what it draws may be there twice."""

    name: str
    about: str
    levels: tuple[str, str, str, str, str]
    draw: Callable[[Random, int], Iterator[Drawn]]

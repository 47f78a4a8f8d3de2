"""A benchmark that has a name, as the list of them shows it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A benchmark with a name: `rows` if it is known how many, `where` it is from, what it `needs`.

    `here` says whether it can be used now; `how` is the command after which it can, empty if it can.
    """

    name: str
    rows: int | None
    where: str
    licence: str
    needs: str
    here: bool
    how: str = ""

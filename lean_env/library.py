"""What the installed library holds: its modules, their theorems, and what these say in a smaller environment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lean_env.answers import raise_statement_error
from lean_env.pool import LeanPool
from lean_env.theorem import DEFAULT_HEADER
from lean_env.worker import LeanWorker

# Lean's own limit for each attempt at one theorem, in thousands. All requests name it, so that they share environments.
HEARTBEATS = 20_000
SECONDS = 300.0


@dataclass(frozen=True)
class Module:
    """`imports` are the names of the modules that it imports itself, each once, in its own order."""

    name: str
    imports: tuple[str, ...]

    @property
    def header(self) -> str:
        """What a file begins with that has the environment of this module's own first line."""
        return "\n".join(["prelude", *(f"import {name}" for name in self.imports)])


@dataclass(frozen=True)
class LibraryTheorem:
    """`made_by` is empty if somebody stated it, else `private`, `internal`, `generated`, `field` or `instance`."""

    name: str
    made_by: str = ""


@dataclass(frozen=True)
class Restated:
    """A library theorem as text: `theorem NAME ...`, up to but without `:=`; None if it cannot be said there.

    Then `missing` is a constant that it mentions and the environment lacks, or `trouble` what became of the text.
    `key` is the same number for theorems that differ in the names of bound variables only. `way` counts the ways of
    printing that did not read back as the same type; the first is the most readable.
    """

    name: str
    statement: str | None = None
    key: str = ""
    way: int = 0
    missing: str = ""
    trouble: str = ""


def modules(lean: LeanPool | LeanWorker, header: str = DEFAULT_HEADER) -> list[Module]:
    """The modules behind this header, each after those that it imports.

    Raises:
        StatementError: the header imports what is not there. WorkerLost: there was no answer.
    """
    answer = _asked(lean, method="modules", header=header)
    return [Module(m["name"], tuple(dict.fromkeys(m["imports"]))) for m in answer["modules"]]


def theorems(lean: LeanPool | LeanWorker, module: str, header: str = DEFAULT_HEADER) -> list[LibraryTheorem]:
    """The theorems of a module behind this header, in the order of its file.

    Raises:
        WorkerLost: there was no answer, or there is no such module.
    """
    answer = _asked(lean, method="theorems", header=header, module=module)
    return [LibraryTheorem(t["name"], t["by"]) for t in answer["theorems"]]


def restate(
    lean: LeanPool | LeanWorker, names: Sequence[str], header: str, source: str = DEFAULT_HEADER
) -> list[Restated]:
    """The theorems of these names, known behind the header `source`, as texts that say the same below `header`.

    The same is: the type that elaborates is theirs, up to reducible definitions, instances and the proofs within.

    Raises:
        StatementError: a header imports what is not there. WorkerLost: there was no answer within five minutes.
    """
    answer = _asked(lean, method="restate", header=header, source=source, names=list(names))
    return list(_restated(answer["restated"]))


def _asked(lean: LeanPool | LeanWorker, **fields: Any) -> dict[str, Any]:
    answer = lean.request(SECONDS, heartbeats=HEARTBEATS, **fields)
    raise_statement_error(answer)
    return dict(answer["ok"])


def _restated(answers: Iterable[dict[str, Any]]) -> Iterable[Restated]:
    for answer in answers:
        yield Restated(
            answer["name"],
            answer.get("statement"),
            answer.get("key", ""),
            answer.get("way", 0),
            answer.get("missing", ""),
            answer.get("trouble", ""),
        )

"""Fingerprints of what statements say once Lean has elaborated them: the same across names, layout and headers."""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

from lean_env import LeanPool, StatementError, Theorem, WorkerLost
from lean_env.answers import raise_statement_error
from prover.lean_file import declarations

SECONDS = 60.0  # for one statement, header included; behind Lean's own limit
CHUNK = 64  # statements of one header that go to one worker


@dataclass(frozen=True)
class Form:
    """SHA-256 of a statement's elaborated type, in hexadecimal, or why there is none.

    The type counts without the theorem's name, names and brackets of binders, names and order of universes, default
    values, annotations, and names of the header's own definitions: those are unfolded. Names of constants of the
    library count, and so do those of inductive types and axioms of the header.
    """

    digest: str | None
    message: str = ""


def forms(
    pool: LeanPool, theorems: Sequence[Theorem], on_done: Callable[[int], None] = lambda count: None
) -> list[Form]:
    """The fingerprints of the theorems, in their order, by all workers of the pool; none for an empty statement.

    `on_done` is told how many more are done.

    Raises:
        SetupError: Lean does not start.
    """
    found: list[Form] = [Form(None)] * len(theorems)
    executor = ThreadPoolExecutor(pool.size, thread_name_prefix="elaborate")
    refused: dict[str, str] = {}  # header -> what is wrong with it
    try:
        chunks = _chunks(theorems)
        running = {
            executor.submit(_forms_of, pool, [theorems[i] for i in places], refused): places for places in chunks
        }
        for future in as_completed(running):
            places = running[future]
            for place, form in zip(places, future.result(), strict=True):
                found[place] = form
            on_done(len(places))
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
    return found


def _chunks(theorems: Sequence[Theorem]) -> list[list[int]]:
    """The places of the theorems, those of one header together: to import one takes longer than to elaborate ten."""
    by_header: dict[str, list[int]] = {}
    for place, theorem in enumerate(theorems):
        if theorem.statement.strip():
            by_header.setdefault(theorem.header, []).append(place)
    return [places[i : i + CHUNK] for places in by_header.values() for i in range(0, len(places), CHUNK)]


def _forms_of(pool: LeanPool, theorems: Sequence[Theorem], refused: dict[str, str]) -> list[Form]:
    found = []
    for theorem in theorems:
        if theorem.header in refused:
            found.append(Form(None, refused[theorem.header]))
            continue
        form = _form_or_error(pool, theorem)
        if isinstance(form, StatementError) and "already" in form.message and not form.in_header:
            # The library has the theorem: under another name it says the same.
            form = _form_or_error(pool, renamed(theorem))
        if isinstance(form, StatementError):
            if form.in_header:
                refused[theorem.header] = str(form)
            form = Form(None, str(form))
        found.append(form)
    return found


def _form_or_error(pool: LeanPool, theorem: Theorem) -> Form | StatementError:
    try:
        answer = pool.request(
            SECONDS, method="form", header=theorem.header, name=theorem.name, statement=theorem.statement
        )
        raise_statement_error(answer)
    except StatementError as error:
        return error
    except WorkerLost as error:
        return Form(None, f"Lean gave no answer: {error}")
    return Form(hashlib.sha256(str(answer["ok"]["form"]).encode()).hexdigest())


def renamed(theorem: Theorem) -> Theorem:
    """The theorem under a name that no library has, in the same namespace."""
    found = declarations(theorem.statement)
    if not found:
        return theorem
    name = f"{theorem.name.removeprefix('_root_.')}.restated"
    head, rest = theorem.statement[: found[-1].keyword], theorem.statement[found[-1].signature :]
    return replace(theorem, name=name, statement=f"{head}theorem {name}{rest}")

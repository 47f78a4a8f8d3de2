"""The theorem that says the opposite of another one."""

from typing import TYPE_CHECKING, Any

from lean_env.answers import raise_statement_error
from lean_env.errors import StatementError
from lean_env.theorem import Theorem

if TYPE_CHECKING:
    from lean_env.pool import LeanPool

SECONDS = 60.0


def negation(pool: "LeanPool", theorem: Theorem) -> Theorem:
    """`theorem t_negation : ¬ (∀ binders, type)` for `theorem t binders : type`, under the same header.

    Lean writes it, and makes sure that its type is `¬` of the theorem's type, letter by letter: with the variables of
    sections and those that Lean binds by itself. Of a theorem about all universes it speaks of each.

    Raises:
        StatementError: the theorem does not elaborate, or its negation cannot be written down.
    """
    fields: dict[str, Any] = {"header": theorem.header, "name": theorem.name, "statement": theorem.statement}
    answer = pool.request(SECONDS, method="negation", **fields)
    if answer.get("error", {}).get("kind") == "negation":
        raise StatementError(str(answer["error"]["message"]))
    raise_statement_error(answer)
    return Theorem(str(answer["ok"]["name"]), str(answer["ok"]["statement"]), theorem.header)

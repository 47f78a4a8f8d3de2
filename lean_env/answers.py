"""Reads the server's answers: what is wrong with a theorem, and goals in parts."""

import re
from dataclasses import replace
from typing import Any

from lean_env.errors import StatementError, UnknownImportError, WorkerLost
from lean_env.goal import Goal, Hypothesis


def raise_statement_error(answer: dict[str, Any]) -> None:
    """Raises what an answer says is wrong with a theorem's header or statement; returns if nothing is."""
    if "error" not in answer:
        return
    try:
        error = answer["error"]
        kind, message, line, column = error["kind"], str(error["message"]), int(error["line"]), int(error["column"])
    except (KeyError, TypeError, ValueError) as malformed:
        raise WorkerLost("the answer is not one") from malformed
    if kind == "import":
        raise UnknownImportError(" ".join(message.split()), in_header=True)
    if kind in ("header", "statement", "start"):
        raise StatementError(message, line, column, in_header=kind == "header")
    raise WorkerLost(f"the server says: {message}")


def read_goal(answer: dict[str, Any]) -> Goal:
    """A goal of an answer: its text in parts, and what Lean says of its identity."""
    goal = parse_goal(answer["pretty"], frozenset(answer.get("lets", ())))
    names = tuple(answer.get("open", ()))
    return replace(goal, key=answer.get("key", ""), metavariables=frozenset(names), open=names)


HYPOTHESIS = re.compile(r"(?P<names>[^\n:]*?) : (?P<type>.*)", re.DOTALL)


def parse_goal(pretty: str, lets: frozenset[str] = frozenset()) -> Goal:
    """The parts of a goal that Lean has printed. `lets` are the hypotheses that have a value (`x : T := v`).

    Lean prints one hypothesis (or several of one type) a line and indents what goes on; `⊢` begins the target.
    """
    lines = pretty.split("\n")
    case = None
    if lines and lines[0].startswith("case "):
        case, lines = lines[0][5:].strip(), lines[1:]
    blocks: list[list[str]] = []
    for at, line in enumerate(lines):
        if line.startswith(("⊢", "|")):
            target = "\n".join([line[1:].strip(), *lines[at + 1 :]])
            break
        if line.startswith(" ") and blocks:
            blocks[-1].append(line)
        else:
            blocks.append([line])
    else:
        return Goal(pretty, (), case, pretty)
    return Goal(target, tuple(_hypothesis("\n".join(block), lets) for block in blocks), case, pretty)


def _hypothesis(text: str, lets: frozenset[str]) -> Hypothesis:
    match = HYPOTHESIS.match(text)
    if not match:
        return Hypothesis((), text)
    names, kind = tuple(match["names"].split()), match["type"]
    if len(names) == 1 and names[0] in lets and " := " in kind:
        kind, value = kind.split(" := ", 1)
        return Hypothesis(names, kind, value)
    return Hypothesis(names, kind)

"""How the outcome of an attempt is told: to people, as JSON, and as one line."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from lean_env import Theorem
from prover.sources import Problem
from search import SearchResult, Spent

REASONS = {
    "budget": "not proved within the budget",
    "exhausted": "not proved: nothing is left to try",
    "lost": "not proved: Lean was lost on it",
    "interrupted": "interrupted",
}


@dataclass(frozen=True)
class Outcome:
    """What came of a problem: a result, or the sentence that says why it was not attempted. `number` counts from 0.

    `negation` is what was tried beside it, if it was.
    """

    number: int
    problem: Problem
    result: SearchResult | None = None
    error: str = ""
    negation: Theorem | None = None

    @property
    def proved(self) -> bool:
        return self.result is not None and self.result.side == "statement" and _accepted(self.result)

    @property
    def disproved(self) -> bool:
        return self.result is not None and self.result.side == "negation" and _accepted(self.result)


def _accepted(result: SearchResult) -> bool:
    return result.proof is not None and result.verdict is not None and result.verdict.proved


def show(outcome: Outcome, console: Console) -> None:
    """For people: the theorem with its proof, as it can be pasted, and below it the verdict and what was spent."""
    result = outcome.result
    if result is None:
        return
    theorem = outcome.negation if outcome.disproved and outcome.negation else outcome.problem.theorem
    if outcome.proved or outcome.disproved:
        console.print(Text(f"{theorem.statement.strip()} := {result.proof}"))
        console.print(Text(f"-- {verdict_line(outcome)}", style="green"))
    else:
        console.print(Text(f"{theorem.statement.strip()} := by sorry"))
        console.print(Text(f"-- {progress_line(outcome)}", style="yellow"))
    console.print()


def verdict_line(outcome: Outcome) -> str:
    """Who says that it is proved, on what it rests, and what it took."""
    assert outcome.result is not None
    assert outcome.result.verdict is not None
    verdict = outcome.result.verdict
    lean = f"Lean {verdict.lean.version} ({verdict.lean.road})" if verdict.lean else "Lean"
    axioms = f" (axioms: {', '.join(verdict.axioms)})" if verdict.axioms else ""
    said = f"{outcome.problem.name} is disproved" if outcome.disproved else "proved"
    return f"{said}, says {lean}{axioms}; {spent_text(outcome.result.spent)}"


def progress_line(outcome: Outcome) -> str:
    """The outcome on one line, the name first."""
    name = outcome.problem.name
    if outcome.result is None:
        return f"{name}: cannot be attempted"
    if outcome.proved or outcome.disproved:
        said = "proved" if outcome.proved else "disproved"
    elif outcome.result.stopped == "policy":
        said = f"not proved: {outcome.result.message}"
    else:
        said = REASONS.get(outcome.result.stopped, "not proved")
    if outcome.negation:
        said = re.sub("^not proved", "neither proved nor disproved", said)
    return f"{name}: {said}; {spent_text(outcome.result.spent)}"


def spent_text(spent: Spent) -> str:
    """What an attempt has used, in words."""
    calls = "1 Lean call" if spent.lean_calls == 1 else f"{spent.lean_calls} Lean calls"
    states = "1 state" if spent.nodes == 1 else f"{spent.nodes} states"
    return f"{spent.seconds:.1f} s, {calls}, {states}"


def as_json(outcome: Outcome) -> str:
    """One JSON object on one line."""
    problem, result = outcome.problem, outcome.result
    data: dict[str, Any] = {
        "name": problem.name,
        "source": problem.source.label,
        "line": problem.line,
        "statement": problem.theorem.statement,
        "proved": outcome.proved,
    }
    if outcome.negation:
        data |= {"negation": outcome.negation.statement, "disproved": outcome.disproved}
    if result is None:
        return json.dumps({**data, "error": outcome.error}, ensure_ascii=False)
    verdict = asdict(result.verdict) if result.verdict else None
    if verdict:
        verdict.pop("messages")
    data |= {"proof": result.proof, "stopped": result.stopped}
    if result.message:
        data["message"] = result.message
    data["verdict"] = verdict
    data["spent"] = {key: round(value, 3) for key, value in asdict(result.spent).items()}
    return json.dumps(data, ensure_ascii=False)


def summary(outcomes: Sequence[Outcome], total: int, interrupted: bool, out: Path | None) -> str:
    """The last line: how many of how many."""
    proved = sum(outcome.proved for outcome in outcomes)
    disproved = sum(outcome.disproved for outcome in outcomes)
    text = f"{proved} of {total} proved" + (f", {disproved} disproved" if disproved else "")
    if interrupted:
        text += f"; interrupted with {total - len(outcomes)} not finished"
    return text + (f"; written to {out}" if out else "")

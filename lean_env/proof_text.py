"""From the tactics of a finished path to the text of a proof."""

from collections.abc import Iterable


def proof_of(tactics: Iterable[str]) -> str:
    """The proof that runs `tactics` one after another: `by`, and each below it, indented by two spaces."""
    lines = [line for tactic in tactics for line in tactic.split("\n")]
    return "by\n" + "\n".join("  " + line if line else line for line in lines)

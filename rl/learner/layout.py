"""How the rows of a batch lie together in lines, and lines in micro-batches.

right   a line for each row, padded at its end. Causal attention never looks there, so that no mask is needed: right for
        every causal model.
left    a line for each row, padded at its beginning, under a mask. Slower; for comparison.
packed  rows one after the other in a line; positions begin anew with each, from which transformers derives that rows do
        not see each other.
shared  rows of the same prompt in one line: the prompt once, then their answers, each of which sees the prompt and
        itself. A group of eight answers to a prompt four times as long as each is a third of the tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rl.learner.config import Layout
from rl.objective.rows import TokenRow

LINE = 1024  # tokens: what rows are put together to; attention's cost grows with a line's length


@dataclass(frozen=True)
class Line:
    """Rows, by their numbers, that lie in one line of `length` tokens."""

    rows: tuple[int, ...]
    length: int


def lines_of(rows: Sequence[TokenRow], numbers: Sequence[int], layout: Layout) -> list[Line]:
    """The lines of those of the rows that `numbers` names, longest first: padding is least between neighbours.

    Their answers have a token at least. The last is predicted and predicts nothing, so that it is not computed.
    """
    if layout == "shared":
        lines = _shared(rows, numbers)
    elif layout == "packed":
        lines = _packed(rows, numbers)
    else:
        lines = [Line((number,), rows[number].tokens - 1) for number in numbers]
    return sorted(lines, key=lambda line: -line.length)


def _shared(rows: Sequence[TokenRow], chosen: Sequence[int]) -> list[Line]:
    groups: dict[tuple[int, ...], list[int]] = {}
    for number in chosen:
        groups.setdefault(rows[number].prompt_ids, []).append(number)
    lines = []
    for prompt, numbers in groups.items():
        held: list[int] = []
        length = len(prompt)
        for number in numbers:
            more = len(rows[number].answer_ids) - 1
            if held and length + more > LINE:
                lines.append(Line(tuple(held), length))
                held, length = [], len(prompt)
            held.append(number)
            length += more
        lines.append(Line(tuple(held), length))
    return lines


def _packed(rows: Sequence[TokenRow], numbers: Sequence[int]) -> list[Line]:
    """First fit, longest first."""
    lines: list[Line] = []
    for number in sorted(numbers, key=lambda number: -rows[number].tokens):
        length = rows[number].tokens - 1
        for place, line in enumerate(lines):
            if line.length + length <= LINE:
                lines[place] = Line((*line.rows, number), line.length + length)
                break
        else:
            lines.append(Line((number,), length))
    return lines


def micro_batches(lines: Sequence[Line], micro_tokens: int) -> list[tuple[Line, ...]]:
    """The lines, in their order, in batches of at most `micro_tokens`, padding included; or of one line."""
    batches: list[list[Line]] = []
    longest = 0
    for line in lines:
        longest = max(longest, line.length)
        if not batches or (len(batches[-1]) + 1) * longest > micro_tokens:
            batches.append([])
            longest = line.length
        batches[-1].append(line)
    return [tuple(batch) for batch in batches]


def share(lines: Sequence[Line], processes: int) -> list[list[Line]]:
    """The lines dealt out, each to the process with the fewest tokens so far; every process deals the same."""
    shares: list[list[Line]] = [[] for _ in range(processes)]
    loads = [0] * processes
    for line in lines:
        least = loads.index(min(loads))
        shares[least].append(line)
        loads[least] += line.length
    return shares

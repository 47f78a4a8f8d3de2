"""The proof of a proved node, read off the graph: a tree of tactics, and the Lean text of it.

Where an edge leads to a state that another one, with other names, stands for, its goals are given those names first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from search.graph.proof_graph import Edge, Node
from search.graph.renaming import rename


@dataclass(frozen=True)
class Step:
    """A tactic, and the scripts that prove what it leaves: `bullets` one goal each, in order; then `rest`, in line.

    `bullets` are (place of the goal in the list that is open then, its script): the goal is brought to the front.
    """

    tactic: str
    bullets: tuple[tuple[int, "Script"], ...] = ()


Script = tuple[Step, ...]


def script(node: Node) -> Script:
    """The proof of `node`.

    Raises:
        ValueError: it is not proved.
    """
    steps: list[Step] = []
    here: Node | None = node
    while here is not None:
        edge = here.proof
        if edge is None:
            raise ValueError(f"node {here.number} is not proved")
        bullets, last = _branches(edge)
        steps.append(Step(edge.tactic, bullets))
        if last is not None:
            steps += _names(edge, last)
        here = None if last is None else edge.children[last]
    return tuple(steps)


def _branches(edge: Edge) -> tuple[tuple[tuple[int, Script], ...], int | None]:
    """Bullets for the groups of one goal, and which child goes on in line: the last, or a group of several goals."""
    if not edge.children:
        return (), None
    last = max(range(len(edge.children)), key=lambda i: (len(edge.groups[i]), i))
    left = sorted(place for group in edge.groups for place in group)
    bullets = []
    for i, child in enumerate(edge.children):
        if i != last:
            (place,) = edge.groups[i]
            bullets.append((left.index(place), (*_names(edge, i), *script(child))))
            left.remove(place)
    return tuple(bullets), last


def _names(edge: Edge, child: int) -> list[Step]:
    """The steps that give the goals behind an edge the names that its child's proof uses, as far as that can be done.

    Where it cannot, the judge refuses, and the driver parts the two (`ProofGraph.part`).
    """
    assert edge.result is not None
    steps = []
    there = [edge.result.goals[place] for place in edge.groups[child]]
    for place, (goal, wanted) in enumerate(zip(there, edge.children[child].state.goals, strict=True)):
        text = rename(goal, wanted) if goal != wanted else None
        if text:
            turned = f"rotate_left {place}\n{text}\nrotate_right {place}" if place else text
            steps.append(Step(turned))
    return steps


def lines(steps: Sequence[Step]) -> list[str]:
    """The script as lines of Lean, the first at column 0."""
    written: list[str] = []
    for step in steps:
        written += step.tactic.split("\n")
        for place, inner in step.bullets:
            bullet = _bullet(lines(inner))
            # Brought to the front, proved, and the others put back into their places.
            written += bullet if place == 0 else [f"rotate_left {place}", *bullet, f"rotate_right {place}"]
    return written


def _bullet(body: Sequence[str]) -> list[str]:
    return [f"· {body[0]}", *(f"  {line}" if line.strip() else "" for line in body[1:])]

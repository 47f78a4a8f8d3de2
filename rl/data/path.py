"""Which tactics of a proof graph the accepted proof is made of: a state may have several proofs, and one was judged."""

from collections.abc import Sequence

from search.graph.proof_graph import Edge, Node, ProofGraph
from search.graph.script import lines, script

_HERE = "\0"  # begins the line that stands for a child's proof; no tactic has it
_BULLET = "· "


def accepted_path(graph: ProofGraph, proof: str) -> tuple[Edge, ...] | None:
    """The edges that `proof` (the text after `:=` that was judged) is made of, each once, from the top.

    None where the graph has no such proof: it was made shorter since, say. The graph is left as it is.
    """
    first, *block = proof.split("\n")
    found = _path(graph.root, [line[2:] for line in block]) if first == "by" else None
    return None if found is None else tuple(dict.fromkeys(found))


def _path(node: Node, block: Sequence[str]) -> list[Edge] | None:
    """The edges by which the node is proved in these lines and no others."""
    for edge in node.edges:
        if edge.proved and block[:1] == edge.tactic.split("\n", 1)[:1]:
            below = _below(edge, block)
            if below is not None:
                return [edge, *below]
    return None


def _below(edge: Edge, block: Sequence[str]) -> list[Edge] | None:
    """The edges that prove what the edge leaves, if the lines begin with it."""
    children = {child.number: child for child in edge.children}
    found: list[Edge] = []
    at = 0
    for line in _frame(edge):
        head, here, number = line.partition(_HERE)
        if not here:
            if block[at : at + 1] != [line]:
                return None
            at += 1
            continue
        end = _bullet_end(block, at) if head else len(block)
        inner = block[at:end]
        if head:
            inner = [each[len(_BULLET) :] for each in inner]
        below = _path(children[int(number)], inner)
        if below is None:
            return None
        found += below
        at = end
    return found if at == len(block) else None


def _frame(edge: Edge) -> list[str]:
    """The proof by this edge with a line of its own in the place of what proves each child: `· ` or nothing, a mark,
    and the child's number."""
    before = [(node, node.proof) for node in (edge.node, *edge.children)]
    try:
        edge.node.proof = edge
        for child in edge.children:
            child.proof = Edge(-1, child, f"{_HERE}{child.number}", 0.0, "done")
        return [line if line.strip() else "" for line in lines(script(edge.node))]
    finally:
        for node, proof in before:
            node.proof = proof


def _bullet_end(block: Sequence[str], at: int) -> int:
    """Where the bullet ends that begins there; there too if none does."""
    if at == len(block) or not block[at].startswith(_BULLET):
        return at
    end = at + 1
    while end < len(block) and (not block[end] or block[end].startswith("  ")):
        end += 1
    return end

"""Which step of a refused proof is to blame: the judge refuses the whole, and does not say which step it was.

First suspected are the steps that leave nothing to prove; the others when nothing else is left to try. Each refused
proof keeps a step that is refuted, so that it is not found again.
"""

from collections.abc import Sequence, Set

from search.graph.proof_graph import Edge


def most_suspect(proofs: Sequence[Sequence[Edge]], blamed: Set[int]) -> Edge:
    """Of the last proof the closing step that is in most refused ones, the last of equals.

    Those that were `blamed` before, and cleared, come after all others.
    """

    def suspicion(edge: Edge) -> tuple[bool, int]:
        return edge.number not in blamed, sum(edge in proof for proof in proofs)

    return max((edge for edge in reversed(proofs[-1]) if edge.settles), key=suspicion)


def next_suspect(proofs: Sequence[Sequence[Edge]], blamed: Set[int]) -> Edge | None:
    """Who else it may have been, when without those that were blamed there is no proof: of the youngest first."""
    suspects = (edge for proof in reversed(proofs) for edge in reversed(proof))
    return next((edge for edge in suspects if edge.number not in blamed), None)


def cleared_by(edge: Edge, proofs: Sequence[Sequence[Edge]]) -> list[Edge]:
    """The refuted steps of which no proof was refused that did not have this one."""
    refuted = {other for proof in proofs for other in proof if other.status == "refuted" and other is not edge}
    found = [other for other in refuted if all(edge in proof for proof in proofs if other in proof)]
    return sorted(found, key=lambda other: other.number)

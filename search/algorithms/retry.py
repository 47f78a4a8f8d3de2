"""Another try of a tactic that ran out of heartbeats: with how many, and the number of the try."""

from search.graph.proof_graph import Edge


def more_heartbeats(edge: Edge, factor: int, most: int) -> int | None:
    """`factor` times as many as the last try had, at most `most`; None if it had those or failed otherwise."""
    if edge.error is None or edge.error.kind != "limit" or edge.heartbeats >= most:
        return None
    return min(edge.heartbeats * factor, most)


def tries_before(heartbeats: int, first: int, factor: int) -> int:
    """How many tries went before one with so many heartbeats, if the first had `first`."""
    tries = 0
    while heartbeats > first:
        heartbeats //= factor
        tries += 1
    return tries

"""How often a request that was lost with its worker is tried again."""

from lean_env.errors import WorkerKilled, WorkerLost

TRIES = 2
# A kill from outside is hardly the request's doing; but the kernel kills like this too when memory is short.
TRIES_WHEN_KILLED = 6


def lost_too_often(losses: list[WorkerLost]) -> bool:
    """Whether these losses of one request are enough to give it up."""
    own = sum(not isinstance(loss, WorkerKilled) for loss in losses)
    return own >= TRIES or len(losses) >= TRIES_WHEN_KILLED


def summary(losses: list[WorkerLost]) -> str:
    """One clause about them."""
    times = "twice" if len(losses) == 2 else f"{len(losses)} times"
    return f"lost {times}: {'; '.join(map(str, losses))}"

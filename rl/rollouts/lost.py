"""What rollouts need was lost, and did not come back in time."""


class RolloutsLost(Exception):
    """No rollouts can be made any more; the message is one sentence. What was learned so far is not in doubt."""


class JudgeLost(RolloutsLost):
    """Lean did not come back in time."""


class SamplerLost(RolloutsLost):
    """The model gave no answers any more."""

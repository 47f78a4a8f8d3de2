"""A few tactics drawn from what a policy proposes, as a model's answers are: so that both can be asked for as many."""

import threading
from collections import Counter
from collections.abc import Sequence
from math import inf, log
from random import Random

from lean_env.goal import TacticState
from lean_env.theorem import Theorem
from prover.policies.losses import lost_by
from prover.policies.tactic_policy import seed_of
from search.policy import Proposal, TacticPolicy


class DrawnTacticPolicy:
    """A `search.TacticPolicy`: `samples` draws, without replacement, from the distribution of another. Thread safe.

    Each keeps its probability. The draws hang on `seed`, the theorem, the state, and how often the state was asked
    about before. They are the largest of all log-probabilities with Gumbel noise (Kool et al. 2019, section 2.3).
    """

    def __init__(self, policy: TacticPolicy, samples: int, seed: int = 0) -> None:
        self.policy, self.samples, self.seed = policy, samples, seed
        self._times: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def lost(self) -> str:
        """What did not come of the other policy, in words; empty if all did."""
        return lost_by(self.policy)

    def propose(self, state: TacticState, theorem: Theorem) -> Sequence[Proposal]:
        """The drawn tactics, most likely first."""
        proposals = [each for each in self.policy.propose(state, theorem) if each.log_probability > -inf]
        if not proposals:
            return []
        place = (theorem.statement, state.pretty)
        with self._lock:
            time = self._times[place]
            self._times[place] += 1
        random = Random(seed_of(self.seed, *place, time, 0))
        noisy = [each.log_probability - log(random.expovariate(1.0)) for each in proposals]
        drawn = sorted(range(len(proposals)), key=lambda place: -noisy[place])[: self.samples]
        return sorted((proposals[place] for place in drawn), key=lambda each: -each.log_probability)

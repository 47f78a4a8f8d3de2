"""A few tactics drawn from what a policy proposes, as a model's answers are: so that both can be asked for as many."""

import threading
from collections import Counter
from collections.abc import Sequence
from math import exp, inf
from random import Random

from lean_env.goal import TacticState
from lean_env.theorem import Theorem
from prover.policies.tactic_policy import seed_of
from search.policy import Proposal, TacticPolicy


class DrawnTacticPolicy:
    """A `search.TacticPolicy`: `samples` draws, with replacement, from the distribution of another. Thread safe.

    Equal draws are one proposal, which keeps its probability. The draws hang on `seed`, the theorem, the state, and how
    often the state was asked about before.
    """

    def __init__(self, policy: TacticPolicy, samples: int, seed: int = 0) -> None:
        self.policy, self.samples, self.seed = policy, samples, seed
        self._times: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

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
        odds = [exp(each.log_probability) for each in proposals]
        drawn = set(random.choices(range(len(proposals)), odds, k=self.samples))
        return sorted((proposals[place] for place in drawn), key=lambda each: -each.log_probability)

"""Random finite tables without a cycle, for tests of what holds for every algorithm, and a solver to compare with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from hypothesis import strategies as st

from tests.search.graph_session import GraphSession, TablePolicy

Table = dict[str, dict[str, list[str]]]


@dataclass(frozen=True)
class Game:
    """A table for a GraphSession, the priors for a TablePolicy (some of tactics that fail), and heartbeats needed."""

    table: Mapping[str, Mapping[str, tuple[str, ...]]]
    priors: Mapping[str, Mapping[str, float]]
    heartbeats: Mapping[str, int]

    def session(self) -> GraphSession:
        return GraphSession(["0"], self.table, heartbeats=self.heartbeats)

    def policy(self) -> TablePolicy:
        return TablePolicy(self.priors)

    def provable(self, goal: str = "0") -> bool:
        """By trying everything: some tactic leaves only goals that are provable."""

        @cache
        def solve(goal: str) -> bool:
            tactics = self.table[goal].items()
            return any(
                all(solve(left) for left in leaves)
                for tactic, leaves in tactics
                if tactic in self.priors[goal] and self.heartbeats.get(tactic, 0) <= 192_000
            )

        return solve(goal)


@st.composite
def games(draw: st.DrawFn, most_goals: int = 6) -> Game:
    """Goals are numbered, and a tactic leaves at most two goals of greater numbers."""
    count = draw(st.integers(1, most_goals))
    table: dict[str, dict[str, tuple[str, ...]]] = {}
    priors: dict[str, dict[str, float]] = {}
    heartbeats: dict[str, int] = {}
    for goal in range(count):
        later = [str(i) for i in range(goal + 1, count)]
        leaves = st.lists(st.sampled_from(later), max_size=2) if later else st.just([])
        tactics = draw(st.lists(leaves, max_size=3 if later else 1))
        table[str(goal)] = {f"t{goal}{i}": tuple(left) for i, left in enumerate(tactics)}
        names = [*table[str(goal)], *(f"no{goal}{i}" for i in range(draw(st.integers(0, 2))))]
        chosen = draw(st.permutations(names)) if names else []
        priors[str(goal)] = {name: draw(st.sampled_from([0.0625, 0.125, 0.25])) for name in chosen}
        for name in table[str(goal)]:
            if draw(st.integers(0, 4)) == 0:
                heartbeats[name] = draw(st.sampled_from([30_000, 150_000, 10**9]))
    return Game(table, priors, heartbeats)

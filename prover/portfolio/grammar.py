"""A small policy that writes whole proofs without a model: a stochastic grammar of tactic scripts over the portfolio.

The first tactic is one that the portfolio proposes for the state. What follows is written blindly, for the goal that
the tactics so far lead to as far as their text tells (imagined.py): steps, and in the end something that closes goals.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import log
from random import Random

from lean_env.goal import Goal
from prover.portfolio.features import Features, features
from prover.portfolio.imagined import imagined
from prover.portfolio.policy import suggestions
from prover.portfolio.rule import Suggestion
from search.policy import Completion, ProofPrompt

_CLOSES = re.compile(
    r"(omega|grind|simp|simp_all|rfl|decide|assumption|contradiction|exact|exact_mod_cast|exact\?|all_goals|first)(?!\w)"
)


@dataclass(frozen=True)
class GrammarPolicy:
    """A `search.ProofPolicy`: of the same prompt and seed it makes the same script.

    A script has n tactics with a probability in proportion to `go_on`^(n - 1), n at most `longest`. Weights are taken
    to the power 1 / `temperature`, which is above 0. The `tokens` of a completion are its tactics, some of which are
    small scripts; its log-probability is that of the draws that made it, the length among them.
    """

    temperature: float = 1.0
    go_on: float = 0.7
    longest: int = 6

    def complete(self, prompts: Sequence[ProofPrompt]) -> list[Completion]:
        """One script for each prompt, up to the first whose state has no goal."""
        found: list[Completion] = []
        for prompt in prompts:
            if not prompt.state.goals:
                break
            found.append(self._script(prompt))
        return found

    def _script(self, prompt: ProofPrompt) -> Completion:
        theorem, state = prompt.theorem, prompt.state
        random = Random(f"{prompt.seed}\n{theorem.statement}\n{state.pretty}")
        # Lengths are drawn as tactics are, from weights.
        lengths = [Suggestion(str(n), self.go_on ** (n - 1)) for n in range(1, self.longest + 1)]
        length, log_probability = drawn(random, lengths)
        goal = _read(state.goals[0], theorem.header, len(state.goals))
        tactics: list[str] = []
        for left in range(int(length) - 1, -1, -1):
            tactic, more = drawn(random, offered(goal, not tactics, left == 0), self.temperature)
            tactics.append(tactic)
            log_probability += more
            goal = imagined(goal, tactic)
        return Completion("\n".join(tactics), log_probability, tokens=len(tactics))


def drawn(random: Random, weighted: Sequence[Suggestion], temperature: float = 1.0) -> tuple[str, float]:
    """One of them, and the logarithm of its probability, which is in proportion to weight^(1 / temperature)."""
    totals = list(accumulate(s.weight ** (1.0 / temperature) for s in weighted))
    at = random.random() * totals[-1]
    place = min(bisect_right(totals, at), len(totals) - 1)
    weight = totals[place] - (totals[place - 1] if place else 0.0)
    return weighted[place].tactic, log(weight / totals[-1])


@lru_cache(maxsize=4096)
def offered(goal: Features, first: bool, last: bool) -> tuple[Suggestion, ...]:
    """What may be written for a goal, by the place in the script; each tactic once, never nothing.

    The portfolio's are shares of 1, and so are the grammar's own, of which a first tactic has none.
    """
    known = suggestions(goal)
    if not (first and last):
        # Closing the only goal would leave nothing for the tactics after it.
        closing = [s for s in known if _CLOSES.match(s.tactic)]
        steps = [s for s in known if not _CLOSES.match(s.tactic)]
        known = closing if last else steps if goal.goals == 1 else known
    own = [] if first and known else _endings(goal) if last else _steps(goal)
    shares: dict[str, float] = {}
    for several in (known, own):
        total = sum(s.weight for s in several)
        for s in several:
            shares[s.tactic] = shares.get(s.tactic, 0.0) + s.weight / total
    return tuple(Suggestion(tactic, share) for tactic, share in shares.items())


@lru_cache(maxsize=1024)
def _read(goal: Goal, header: str, goals: int) -> Features:
    return features(goal, header, goals)


def _steps(goal: Features) -> list[Suggestion]:
    """Steps that apply to many states, for one that nobody has seen."""
    found = [
        Suggestion("intros", 1.0),
        Suggestion("constructor", 0.5),
        Suggestion("simp_all", 1.0),
        Suggestion("subst_vars", 0.2),
        Suggestion("simp at *", 0.2),
        Suggestion("all_goals try simp_all", 1.0),
        Suggestion("all_goals try omega", 0.5 if goal.has_arithmetic else 0.1),
    ]
    for variable in goal.variables:
        if variable.type in ("Nat", "Bool") or variable.type.startswith(("List ", "Option ")):
            found.append(Suggestion(f"cases {variable.name}", 0.3))
    numbers = [v.name for v in goal.of_type("Nat") if v.type == "Nat"]
    for fact in goal.facts:
        if fact.shape.head == "∀":
            terms = [*numbers[:3], "0", "1", *(f"({n} + 1)" for n in numbers[:1])]
            found += [Suggestion(f"have := {fact.name} {term}", 0.3) for term in terms]
        if fact.shape.head in ("=", "∀"):
            found.append(Suggestion(f"rw [{fact.name}]", 0.3))
    if rules := _rules(goal):
        found.append(Suggestion(f"all_goals try simp only [{rules}]", 0.5))
    return found


def _endings(goal: Features) -> list[Suggestion]:
    """What closes many goals: of several, all."""
    number = 1.0 if goal.has_arithmetic else 0.2
    found = [
        Suggestion("omega", 2.0 * number),
        Suggestion("grind", 3.0),
        Suggestion("simp_all", 2.0),
        Suggestion("rfl", 0.3),
        Suggestion("assumption", 0.3),
        Suggestion("contradiction", 0.2),
        Suggestion("decide", 0.2),
        Suggestion("(simp_all; omega)", number),
        Suggestion("(simp_all; grind)", 0.5),
        Suggestion("first | omega | grind | simp_all", 1.0),
    ]
    if rules := _rules(goal):
        found += [Suggestion(f"simp [{rules}]", 0.7), Suggestion(f"grind [{rules}]", 0.3)]
        found += [Suggestion(f"(simp only [{rules}]; omega)", 0.5 * number)]
        found += [Suggestion(f"(simp [{rules}]; grind)", 0.3)]
    return found if goal.goals == 1 else [Suggestion(f"all_goals {s.tactic}", s.weight) for s in found]


def _rules(goal: Features) -> str:
    return ", ".join(fact.name for fact in goal.facts if fact.shape.head in ("∀", "="))

"""Pools of terms that are evaluated in the same worlds: which facts entail which, and which terms seem to be equal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from rl.synthetic.notation import write
from rl.synthetic.statement import is_entailed, is_sound, models, truth
from rl.synthetic.terms import Term
from rl.synthetic.worlds import World, meaning


@dataclass(frozen=True)
class Pool:
    """Facts that are true in some worlds and false in others, each with the worlds in which it is true (`truth`).

    `models` are those of the worlds that are no approximations.
    """

    facts: tuple[Term, ...]
    truths: tuple[int, ...]
    everywhere: int
    models: int

    def sequents(self, hypotheses: int, count: int, random: Random) -> Iterator[tuple[list[Term], Term]]:
        """`count` draws of so many hypotheses, each with a fact that follows from them, and not from fewer of them.

        Where several follow, the one that says most (is true in the fewest worlds) is the likeliest: a consequence
        that a person would not weaken.
        """
        for _ in range(count):
            if len(self.facts) <= hypotheses:
                return
            chosen = random.sample(range(len(self.facts)), hypotheses)
            # One order for all that are given the same: rules before single facts.
            chosen.sort(key=lambda i: (-self.facts[i].size, write(self.facts[i])))
            given = [self.truths[i] for i in chosen]
            if is_entailed(given, 0, self.models):
                continue
            fitting = [i for i, said in enumerate(self.truths) if is_sound(given, said, self.everywhere, self.models)]
            fitting = [i for i in fitting if i not in chosen]
            if fitting:
                fitting.sort(key=lambda i: (self.truths[i].bit_count(), self.facts[i].size, i))
                conclusion = fitting[min(random.randrange(len(fitting)) for _ in range(3))]
                yield [self.facts[i] for i in chosen], self.facts[conclusion]

    def equivalents(self, count: int, random: Random) -> Iterator[tuple[Term, Term]]:
        """`count` pairs of facts that are true in the same worlds, if there are any."""
        yield from _pairs(list(zip(self.facts, self.truths, strict=True)), count, random)


def pool_of(facts: Sequence[Term], worlds: Sequence[World], known: dict[Term, int]) -> Pool:
    """The pool of those facts that are neither true nor false everywhere, each once.

    `known` has the truth of facts in these worlds, as far as it was worked out, and is added to.
    """
    everywhere = (1 << len(worlds)) - 1
    distinct = list(dict.fromkeys(facts))
    for fact in distinct:
        if fact not in known:
            known[fact] = truth(fact, worlds)
    kept = {fact: known[fact] for fact in distinct if known[fact] not in (0, everywhere)}
    return Pool(tuple(kept), tuple(kept.values()), everywhere, models(worlds))


def seemingly_equal(
    terms: Sequence[Term], worlds: Sequence[World], count: int, random: Random
) -> Iterator[tuple[Term, Term]]:
    """`count` pairs of different terms that have the same values in all worlds (as QuickSpec finds its conjectures).

    The larger one comes first. Terms that have one value everywhere are left out.
    """
    meanings = {term: meaning(term) for term in terms}
    valued = [(term, tuple(value(world, {}) for world in worlds)) for term, value in meanings.items()]
    yield from _pairs([(term, values) for term, values in valued if len(set(values)) > 1], count, random)


def _pairs(valued: Sequence[tuple[Term, object]], count: int, random: Random) -> Iterator[tuple[Term, Term]]:
    classes: dict[object, list[Term]] = {}
    for term, values in valued:
        classes.setdefault(values, []).append(term)
    several = [members for members in classes.values() if len(members) > 1]
    for _ in range(count if several else 0):
        small, large = sorted(random.sample(random.choice(several), 2), key=lambda term: term.size)
        yield large, small

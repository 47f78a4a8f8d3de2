"""RMaxTS against independent sampling, in pairs: the same policy, theorems, seeds and number of samples.

Each arm runs once for each theorem and seed, with as many samples as the largest count asked for and one worker: what
it proved with fewer is read off the sample at which it was proved.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import comb

from lean_env.theorem import Theorem
from search.budget import Budget
from search.driver import Limits
from search.entry import Plan, SessionFactory, prove
from search.policy import Judge, ProofPolicy


@dataclass(frozen=True)
class Pair:
    """One theorem and seed: the number of the sample that proved it, for each arm; None if none did."""

    theorem: str
    seed: int
    tree: int | None
    alone: int | None


@dataclass(frozen=True)
class Compared:
    """The pairs at one number of samples: solved by each arm, by one alone, and the difference for each seed.

    `p` is of the sign test on the pairs that differ, two-sided: how often a fair coin would be as far from even.
    """

    samples: int
    pairs: int
    tree: int
    alone: int
    only_tree: int
    only_alone: int
    differences: tuple[int, ...]
    p: float


@dataclass(frozen=True)
class Comparison:
    """`left_out` are theorems that sampling finds at once; `lost` counts pairs with an attempt that was cut short."""

    pairs: tuple[Pair, ...]
    left_out: tuple[str, ...]
    lost: int


def compare(
    theorems: Sequence[Theorem],
    policy: ProofPolicy,
    session_factory: SessionFactory,
    judge: Judge,
    *,
    tree: Plan,
    alone: Plan,
    samples: int = 128,
    seeds: Sequence[int] = (0, 1, 2),
    at_once: int = 2,
    seconds: float | None = None,
    workers: int = 1,
    limits: Limits = Limits(),
    report: Callable[[Pair], None] = lambda pair: None,
) -> Comparison:
    """Runs both arms: `tree` is `RMaxTS` and `alone` is `Sample`, with options that give them the same Lean.

    `seconds` of wall clock are for one attempt; `workers` theorems are in work at a time. Raises what `prove` raises.

    A theorem is left out if `at_once` samples prove it, drawn with a seed of their own: were it the outcome of an arm
    that decides, that arm would lose what it was lucky with.
    """

    def attempt(theorem: Theorem, plan: Plan, count: int, seed: int) -> tuple[int | None, bool]:
        """The sample that proved it, and whether nothing but the samples set it a limit."""
        budget = Budget(samples=count, seconds=seconds)
        result = prove(theorem, policy, session_factory, plan, budget, judge=judge, seed=seed, limits=limits)
        ended = result.stopped in ("proved", "exhausted") or result.spent.samples == count
        return (result.spent.samples if result.proof is not None else None), ended

    def both(theorem: Theorem) -> list[Pair | None] | None:
        """A pair for each seed, or None where an attempt was cut short; None for a theorem that is left out."""
        if attempt(theorem, alone, at_once, max(seeds) + 1)[0] is not None:
            return None
        found: list[Pair | None] = []
        for seed in seeds:
            (by_tree, first), (by_sample, second) = (attempt(theorem, plan, samples, seed) for plan in (tree, alone))
            found.append(Pair(theorem.name, seed, by_tree, by_sample) if first and second else None)
            if found[-1] is not None:
                report(found[-1])
        return found

    with ThreadPoolExecutor(workers) as executor:
        results = list(executor.map(both, theorems))
    left_out = tuple(t.name for t, found in zip(theorems, results, strict=True) if found is None)
    every = [pair for found in results if found is not None for pair in found]
    pairs = tuple(pair for pair in every if pair is not None)
    return Comparison(pairs, left_out, len(every) - len(pairs))


def compared(pairs: Sequence[Pair], samples: int) -> Compared:
    """What would have been found with so many samples each."""
    found = [(pair.seed, _within(pair.tree, samples), _within(pair.alone, samples)) for pair in pairs]
    only_tree = sum(tree and not alone for _, tree, alone in found)
    only_alone = sum(alone and not tree for _, tree, alone in found)
    seeds = sorted({seed for seed, _, _ in found})
    return Compared(
        samples,
        len(found),
        sum(tree for _, tree, _ in found),
        sum(alone for _, _, alone in found),
        only_tree,
        only_alone,
        tuple(sum(tree - alone for other, tree, alone in found if other == seed) for seed in seeds),
        sign_test(only_tree, only_alone),
    )


def sign_test(more: int, fewer: int) -> float:
    """The probability that `more + fewer` throws of a fair coin are at least as far from even, on either side."""
    throws, least = more + fewer, min(more, fewer)
    return min(1.0, 2.0 * sum(comb(throws, k) for k in range(least + 1)) / 2.0**throws)


def _within(sample: int | None, samples: int) -> bool:
    return sample is not None and sample <= samples

"""The headline figures and comparisons in words, the same in the page and in Markdown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from prover.duration import duration
from prover.reports.facts import Compared, Reported, amount, percent, points
from prover.statistics import Comparison

RESOURCE_WORDS = {
    "seconds": "wall-clock seconds",
    "lean_seconds": "Lean seconds",
    "lean_calls": "Lean calls",
    "samples": "policy samples",
    "tokens": "tokens",
}
SMALL_P = 0.05


@dataclass(frozen=True)
class Figure:
    """A line of the table of figures: one text for each run. `hint` explains it."""

    name: str
    values: tuple[str, ...]
    hint: str = ""


def headline(reported: Reported) -> str:
    """What came of a run, in a sentence."""
    counts, share = reported.summary.counts, reported.summary.solved_share
    if not counts.attempts:
        return "No attempt has been made yet."
    said = f"{counts.proved:,} of {counts.judged:,} theorems proved: {percent(share)}."
    apart = []
    if counts.unscored:
        apart.append(f"{_count(counts.unscored, 'theorem')} unscored")
    if counts.invalid:
        how = "left out" if reported.summary.exclude_invalid else "counted as not proved"
        apart.append(f"{_count(counts.invalid, 'statement')} that {_do(counts.invalid)} not elaborate ({how})")
    missing = counts.theorems - counts.finished - counts.invalid
    if missing > 0:
        apart.append(f"{_count(missing, 'theorem')} with attempts still to be made")
    return said + (f" Apart: {'; '.join(apart)}." if apart else "")


def figures(runs: Sequence[Reported]) -> list[Figure]:
    """The table of figures, a column for each run."""
    lines: list[Figure] = []

    def add(name: str, value: Callable[[Reported], str], hint: str = "") -> None:
        lines.append(Figure(name, tuple(value(run) for run in runs), hint))

    add("theorems proved", lambda r: f"{r.summary.counts.proved:,} of {r.summary.counts.judged:,}")
    add("share proved", lambda r: percent(r.summary.solved_share), "with any of the attempts made")
    for k in _shown_k(runs):
        add(f"pass@{k}", partial(_pass, k), "unbiased estimator, bootstrap over theorems")
    add("attempts made", _attempts)
    add("attempts unscored", _unscored, "Lean or the model was lost on them: neither proved nor failed")
    if any(run.summary.counts.invalid for run in runs):
        add("statements that do not elaborate", _invalid)
    add("median time to a proof", lambda r: amount(r.summary.median_seconds, "s"), "wall clock, over proved theorems")
    add("time that 90 % of proofs need at most", lambda r: amount(r.summary.seconds_90, "s"))
    for resource, words in RESOURCE_WORDS.items():
        if any(run.summary.totals.get(resource) for run in runs):
            add(f"{words} for each proved theorem", partial(_cost, resource), "all that was spent / proved")
    add("wall clock of the run", _wall)
    if any(run.check for run in runs):
        add("proofs judged again", check_words)
    return lines


def check_words(reported: Reported) -> str:
    """What judging the proofs again came to."""
    check = reported.check
    if check is None:
        return "not done"
    if check.differences:
        return f"{_count(len(check.differences), 'difference')} in {_count(check.proofs, 'proof')}"
    if not check.proofs:
        return "there is no proof"
    return f"all {check.proofs} accepted again by Lean ({check.lean})"


def compared_words(each: Compared) -> list[str]:
    """The comparison in sentences."""
    found = each.comparison
    counted = len(found.both) + len(found.only_first) + len(found.only_second) + len(found.neither)
    if not counted:
        return [f"{each.first} and {each.second} have no theorem in common that both attempted."]
    return [
        f"Of {_count(counted, 'theorem')} that both attempted, {each.first} proves"
        f" {len(found.both) + len(found.only_first)} and {each.second} {len(found.both) + len(found.only_second)}.",
        _chance(found),
        f"Share proved, {each.first} less {each.second}: {points(found.solved_difference)};"
        f" pass@1: {points(found.pass_at_1_difference)}.",
        *_left_out(each),
    ]


def _chance(found: Comparison) -> str:
    differ = len(found.only_first) + len(found.only_second)
    if not differ:
        return "They prove the same theorems."
    verdict = "more than chance would explain" if found.p_value < SMALL_P else "no more than chance may explain"
    return (
        f"They differ on {_count(differ, 'theorem')}, {len(found.only_first)} to {len(found.only_second)}: {verdict}"
        f" (McNemar's exact test, p = {found.p_value:.2g})."
    )


def _left_out(each: Compared) -> list[str]:
    found = each.comparison
    apart = [
        (len(found.unscored), "without a scored attempt in one of them"),
        (len(found.invalid), "that do not elaborate"),
        (found.missing_in_second, f"in {each.first} alone"),
        (found.missing_in_first, f"in {each.second} alone"),
        (found.restated, "of one name and two statements"),
    ]
    said = [f"{count} {words}" for count, words in apart if count]
    return [f"Not compared: {', '.join(said)}."] if said else []


def _shown_k(runs: Sequence[Reported]) -> list[int]:
    """The first k, the last, and at most two between them."""
    ks = sorted({each.k for run in runs for each in run.summary.passes if each.estimate})
    return ks if len(ks) <= 4 else sorted({ks[0], ks[len(ks) // 3], ks[2 * len(ks) // 3], ks[-1]})


def _pass(k: int, reported: Reported) -> str:
    found = next((each for each in reported.summary.passes if each.k == k), None)
    if found is None or found.estimate is None:
        return "nothing to measure"
    few = f", of {found.theorems:,} theorems" if found.theorems != reported.summary.counts.judged else ""
    return percent(found.estimate) + few


def _attempts(reported: Reported) -> str:
    counts, asked = reported.summary.counts, reported.run.settings.get("attempts")
    if not isinstance(asked, int):
        return f"{counts.attempts:,}"
    return f"{counts.attempts:,} of {(counts.theorems - counts.invalid) * asked:,}"


def _unscored(reported: Reported) -> str:
    counts = reported.summary.counts
    return f"{counts.unscored_attempts:,} of {counts.attempts:,}" if counts.attempts else "none"


def _invalid(reported: Reported) -> str:
    how = "left out" if reported.summary.exclude_invalid else "counted as not proved"
    count = reported.summary.counts.invalid
    return f"{count} ({how})" if count else "none"


def _cost(resource: str, reported: Reported) -> str:
    return amount(reported.summary.cost_per_solved.get(resource))


def _wall(reported: Reported) -> str:
    busy = reported.summary.workers_busy
    workers = f", Lean workers busy {100 * busy:.0f} % of it" if busy is not None else ""
    return duration(reported.summary.session_seconds) + workers


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _do(count: int) -> str:
    return "does" if count == 1 else "do"

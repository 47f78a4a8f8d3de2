"""Makes a proof shorter and keeps what the judge takes: fewer steps, joined `intro`s, tails closed by one tactic.

Greedy and deterministic. Whatever comes back was accepted by the judge; at worst it is what went in.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lean_env.theorem import Theorem
from lean_env.verdict import Verdict
from search.budget import Budget, Spent
from search.policy import Judge
from search.result import proof_text
from search.segments import segments

CLOSING = ("rfl", "assumption", "omega", "simp", "decide", "simp_all", "grind")
CALL_SECONDS = 3.0

_INTRO = re.compile(r"intro((?: +[^\W\d][\w'✝]*| +_)+)")


@dataclass(frozen=True)
class Shortened:
    """The text after `:=`, the judge's verdict on it (None if there was no time to ask), and the calls it took."""

    text: str
    verdict: Verdict | None
    calls: int


@dataclass(frozen=True)
class _Block:
    """A tactic, or a bullet with the tactics below it, which then is no tactic of its own."""

    tactic: str
    below: tuple["_Block", ...] = ()


_Blocks = tuple[_Block, ...]


def shorten(
    theorem: Theorem,
    script: Sequence[str],
    judge: Judge,
    budget: Budget,
    closing: Sequence[str] = CLOSING,
    verdict: Verdict | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> Shortened:
    """The shortest proof that was found within the budget: fewer tactics, then fewer characters.

    `script` are the tactics of a proof, one after another, from column 0 (`lines(script(node))`, say), and `verdict` is
    what the judge said of it; if it was not asked, it is asked first, and what it does not take comes back as it was.
    Each candidate costs a Lean call: tails are tried first, the longest first; then dropping steps from the end; then
    joining `intro`s; and all again from what is left until nothing helps.
    """
    return _Shortening(theorem, judge, budget, closing, should_stop, clock).run("\n".join(script), verdict)


class _Shortening:
    """One proof on its way down."""

    def __init__(
        self,
        theorem: Theorem,
        judge: Judge,
        budget: Budget,
        closing: Sequence[str],
        should_stop: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self.theorem, self.judge, self.budget, self.closing = theorem, judge, budget, closing
        self.should_stop, self.clock = should_stop, clock
        self.began, self.calls = clock(), 0
        self.tried: set[str] = set()
        self.verdict: Verdict | None = None

    def run(self, text: str, verdict: Verdict | None) -> Shortened:
        best = _blocks(text)
        whole = proof_text([text])
        self.verdict = verdict = verdict or self._ask(whole)
        if verdict is None or not verdict.proved:
            return Shortened(whole, verdict, self.calls)
        self.tried.add(proof_text(_lines(best)))
        while (better := self._better(best)) is not None:
            best, whole = better, proof_text(_lines(better))
        return Shortened(whole, self.verdict, self.calls)

    def _better(self, blocks: _Blocks) -> _Blocks | None:
        """The first of the candidates that is smaller and that the judge takes."""
        for candidate in _candidates(blocks, self.closing):
            text = proof_text(_lines(candidate))
            if text in self.tried or _size(candidate) >= _size(blocks):
                continue
            self.tried.add(text)
            verdict = self._ask(text)
            if verdict is None:
                return None
            if verdict.proved:
                self.verdict = verdict
                return candidate
        return None

    def _ask(self, text: str) -> Verdict | None:
        """The judge's word; None if the budget does not allow to ask."""
        spent = Spent(lean_calls=self.calls, seconds=self.clock() - self.began)
        if self.should_stop() or not self.budget.allows_lean_call(spent):
            return None
        self.calls += 1
        return self.judge(self.theorem, text, min(CALL_SECONDS, self.budget.seconds_left(spent)))


def _candidates(blocks: _Blocks, closing: Sequence[str]) -> Iterator[_Blocks]:
    """Smaller proofs to try, in order."""
    for tail in _tails(blocks):
        for tactic in closing:
            yield tail(_Block(tactic))
    yield from _dropped(blocks)
    yield from _joined(blocks)


def _tails(blocks: _Blocks) -> Iterator[Callable[[_Block], _Blocks]]:
    """Every way to put one tactic in the place of a tail, here or under a bullet; what is cut off most comes first."""
    for at, block in enumerate(blocks):
        yield lambda end, at=at: (*blocks[:at], end)  # type: ignore[misc]
        for inner in _tails(block.below):
            yield lambda end, at=at, inner=inner: _replaced(blocks, at, inner(end))  # type: ignore[misc]


def _dropped(blocks: _Blocks) -> Iterator[_Blocks]:
    """Every way to leave out one tactic or bullet, the last first."""
    for at in range(len(blocks) - 1, -1, -1):
        if len(blocks) > 1:
            yield (*blocks[:at], *blocks[at + 1 :])
        for inner in _dropped(blocks[at].below):
            yield _replaced(blocks, at, inner)


def _joined(blocks: _Blocks) -> Iterator[_Blocks]:
    """Every way to make one `intro` of two that follow each other."""
    for at, block in enumerate(blocks):
        if at + 1 < len(blocks):
            first, second = _INTRO.fullmatch(block.tactic), _INTRO.fullmatch(blocks[at + 1].tactic)
            if first and second:
                yield (*blocks[:at], _Block(f"intro{first[1]}{second[1]}"), *blocks[at + 2 :])
        for inner in _joined(block.below):
            yield _replaced(blocks, at, inner)


def _replaced(blocks: _Blocks, at: int, below: _Blocks) -> _Blocks:
    return (*blocks[:at], _Block("", below), *blocks[at + 1 :])


def _size(blocks: _Blocks) -> tuple[int, int]:
    """Tactics, and characters."""
    return _count(blocks), sum(map(len, _lines(blocks)))


def _count(blocks: _Blocks) -> int:
    return sum(_count(block.below) if block.below else 1 for block in blocks)


def _blocks(text: str) -> _Blocks:
    """The tactics of a text that begins at column 0, with those below bullets apart."""
    found = []
    for tactic in segments(text):
        inner = _blocks(" " + tactic[1:]) if tactic.startswith(("· ", ". ")) else ()
        found.append(_Block("", inner) if inner else _Block(tactic))
    return tuple(found)


def _lines(blocks: _Blocks) -> list[str]:
    written: list[str] = []
    for block in blocks:
        if block.below:
            first, *rest = "\n".join(_lines(block.below)).split("\n")
            written += [f"· {first}", *(f"  {line}" if line.strip() else "" for line in rest)]
        else:
            written += block.tactic.split("\n")
    return written

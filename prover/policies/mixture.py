"""Several policies as one: the same tactic of two is one, and what fails of one is left to the others."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from math import exp, inf, isnan, log
from random import Random

from lean_env.goal import TacticState
from lean_env.theorem import Theorem
from prover.policies.answers import NoAnswersError
from prover.policies.losses import LOGGED, lost_by
from search.policy import Completion, ProofPolicy, ProofPrompt, Proposal, TacticPolicy

logger = logging.getLogger(__name__)


class Failures:
    """Which parts have failed: one that gives no answers is left out for the rest of a search. Thread safe."""

    def __init__(self) -> None:
        self._out: set[int] = set()
        self._count = 0
        self._last = ""
        self._lock = threading.Lock()

    def left(self, parts: int) -> list[int]:
        """The numbers of those that are not left out.

        Raises:
            NoAnswersError: none is left.
        """
        with self._lock:
            left = [number for number in range(parts) if number not in self._out]
        if not left:
            raise NoAnswersError("no part of the mixture gives answers any more")
        return left

    def note(self, part: int, error: Exception) -> None:
        """Books what a part raised, and logs the first few."""
        with self._lock:
            self._count += 1
            self._last = f"{type(error).__name__}: {error}"
            if isinstance(error, NoAnswersError):
                self._out.add(part)
            if self._count <= LOGGED:
                logger.warning("a part of the mixture failed: %s", self._last)

    def sentence(self) -> str:
        """How often parts failed, and how the last time; empty if none did."""
        with self._lock:
            times = "once" if self._count == 1 else f"{self._count} times"
            return f"a part of the mixture failed {times}, the last time so: {self._last}" if self._count else ""


def _lost(parts: Sequence[tuple[float, object]], failures: Failures) -> str:
    """What did not come of the parts, in words: answers, or a whole part."""
    failed = failures.sentence()  # which may say already what the part lost
    lost = [lost_by(part) for _, part in parts]
    return "; ".join(each for each in [*(each for each in lost if each not in failed), failed] if each)


class MixedTacticPolicy:
    """A `search.TacticPolicy`: the sum of its parts' distributions, each scaled to 1 and weighted.

    The weights are shared out among the parts that propose something for the state, so that the answer's probabilities
    sum to 1 (within rounding).
    """

    def __init__(self, parts: Sequence[tuple[float, TacticPolicy]]) -> None:
        self.parts, self.failures = parts, Failures()

    def lost(self) -> str:
        """What did not come, in words; empty if all did."""
        return _lost(self.parts, self.failures)

    def propose(self, state: TacticState, theorem: Theorem) -> list[Proposal]:
        """The tactics of all parts, most likely first.

        Raises:
            Exception: what the last part raised, if all of them do.
        """
        answers: list[tuple[float, Sequence[Proposal]]] = []
        failed: Exception | None = None
        for number in self.failures.left(len(self.parts)):
            weight, policy = self.parts[number]
            try:
                answers.append((weight, policy.propose(state, theorem)))
            except Exception as error:
                self.failures.note(number, error)
                failed = error
        if failed is not None and not answers:
            raise failed
        return mixed(answers)


def mixed(answers: Sequence[tuple[float, Sequence[Proposal]]]) -> list[Proposal]:
    """One distribution of weighted ones. A blank proposal keeps its cost and has no share."""
    shares: dict[str, float] = {}
    tokens: dict[str, int] = {}
    whole = sum(weight for weight, proposals in answers if any(p.text.strip() for p in proposals))
    for weight, proposals in answers:
        spoken = [p for p in proposals if p.text.strip()]
        for proposal, share in zip(spoken, _scaled([p.log_probability for p in spoken]), strict=True):
            text = proposal.text.rstrip()
            shares[text] = shares.get(text, 0.0) + weight / whole * share
        for proposal in proposals:
            text = proposal.text.rstrip()
            tokens[text] = tokens.get(text, 0) + proposal.tokens
    found = [Proposal(text, min(0.0, log(p)) if p > 0 else -inf, tokens[text]) for text, p in shares.items()]
    if tokens.get(""):
        found.append(Proposal("", -inf, tokens[""]))
    return sorted(found, key=lambda proposal: -proposal.log_probability)


def _scaled(logs: Sequence[float]) -> list[float]:
    """Probabilities in the given proportions that sum to 1; equal ones if none of them is above 0."""
    good = [-inf if isnan(each) else each for each in logs]
    greatest = max(good, default=-inf)
    if greatest == -inf:
        return [1 / len(good) for _ in good]
    odds = [exp(each - greatest) for each in good]
    return [each / sum(odds) for each in odds]


class MixedProofPolicy:
    """A `search.ProofPolicy`: each prompt goes to one part, drawn by the weights and the prompt's seed.

    A completion's log-probability is that of drawing the part and of its completion. Where a part fails, the one drawn
    from those that are left takes its place.
    """

    def __init__(self, parts: Sequence[tuple[float, ProofPolicy]]) -> None:
        self.parts, self.failures = parts, Failures()

    def lost(self) -> str:
        """What did not come, in words; empty if all did."""
        return _lost(self.parts, self.failures)

    def complete(self, prompts: Sequence[ProofPrompt]) -> list[Completion]:
        """One completion for each prompt, up to the first that no part knows one for.

        Raises:
            Exception: what the last part raised, if all of them do.
        """
        found: list[Completion] = []
        for prompt in prompts:
            completion = self._one(prompt)
            if completion is None:
                break
            found.append(completion)
        return found

    def _one(self, prompt: ProofPrompt) -> Completion | None:
        random = Random(f"{prompt.seed}\n{prompt.theorem.statement}")
        left = self.failures.left(len(self.parts))
        failed: Exception | None = None
        answered = False
        while left:
            weights = [self.parts[number][0] for number in left]
            (number,) = random.choices(left, weights)
            share = self.parts[number][0] / sum(weights)
            try:
                answer = self.parts[number][1].complete([prompt])
                answered = True
                if answer:
                    return replace(answer[0], log_probability=answer[0].log_probability + log(share))
            except Exception as error:
                self.failures.note(number, error)
                failed = error
            left.remove(number)
        if failed is not None and not answered:
            raise failed
        return None

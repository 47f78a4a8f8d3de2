"""Shortening: against a judge that knows what holds, step by step, and on real Lean."""

from math import inf

import pytest

from lean_env import Candidate, Theorem, Verdict
from search import Budget, proof_text
from search.shorten import shorten
from tests.search.graph_session import THEOREM

NO_LIMIT = Budget(seconds=None)


class Knows:
    """A judge that takes the proofs of a list."""

    def __init__(self, *good: str) -> None:
        self.good = {proof_text([text]) for text in good}
        self.asked: list[str] = []

    def __call__(self, theorem, proof, seconds):
        self.asked.append("\n".join(line[2:] for line in proof.split("\n")[1:]))
        taken = proof in self.good
        return Verdict(1 if taken else 0, "proved" if taken else "elaboration")


def test_tails_then_drops_then_intros_each_from_what_is_left():
    start = "intro a\nintro b\nskip\nrcases a with x | y\nexact x"
    judge = Knows(start, "intro a\nintro b\nskip\nomega", "intro a\nintro b\nomega", "intro a b\nomega")
    found = shorten(THEOREM, start.split("\n"), judge, NO_LIMIT, closing=("rfl", "omega"))
    assert found.text == "by\n  intro a b\n  omega"
    assert found.verdict == Verdict(1, "proved")
    assert judge.asked == [
        start,  # is it one at all?
        "rfl", "omega",
        "intro a\nrfl", "intro a\nomega",
        "intro a\nintro b\nrfl", "intro a\nintro b\nomega",  # taken: three steps in the place of five
        # Again: all tails that are shorter are known, so steps are dropped, the last first,
        "intro a\nintro b", "intro b\nomega",
        # and two `intro`s made one.
        "intro a b\nomega",
        # Nothing else is left: tails and drops of what remains.
        "intro a b\nrfl", "intro a b",
    ]  # fmt: skip
    assert found.calls == len(judge.asked)


def test_bullets_are_shortened_from_within_and_stay_bullets():
    start = "constructor\n· intro h\n  cases h with\n  | inl x =>\n    exact x\n\n  | inr y => exact y\nexact q"
    judge = Knows(start, "constructor\n· intro h\n  simp\nexact q")
    found = shorten(THEOREM, start.split("\n"), judge, NO_LIMIT, closing=("simp",))
    assert found.text == "by\n  constructor\n  · intro h\n    simp\n  exact q"
    assert "constructor\n· simp\nexact q" in judge.asked
    assert "constructor\n· intro h\nexact q" in judge.asked


def test_an_equal_number_of_tactics_with_fewer_characters_is_better_and_the_other_way_round_is_not():
    judge = Knows("exact foo bar", "rfl", "assumption")
    assert shorten(THEOREM, ["exact foo bar"], judge, NO_LIMIT, closing=("assumption", "rfl")).text == "by\n  rfl"
    judge = Knows("rfl", "assumption")
    assert shorten(THEOREM, ["rfl"], judge, NO_LIMIT, closing=("assumption",)).text == "by\n  rfl"
    assert judge.asked == ["rfl"]


@pytest.mark.parametrize("calls", range(8))
def test_the_budget_is_kept_and_what_comes_back_was_accepted(calls):
    start = "intro a\nskip\nskip\nrfl"
    judge = Knows(start, "intro a\nskip\nrfl", "intro a\nrfl", "rfl")
    found = shorten(THEOREM, start.split("\n"), judge, Budget(lean_calls=calls, seconds=None), closing=())
    assert found.calls == len(judge.asked) == min(calls, 7)
    assert found.text in judge.good
    assert (found.verdict is None) == (calls == 0)


def test_what_the_judge_does_not_take_comes_back_as_it_was():
    found = shorten(THEOREM, ["intro a", "bad"], Knows(), NO_LIMIT)
    assert (found.text, found.calls) == ("by\n  intro a\n  bad", 1)
    assert found.verdict == Verdict(0, "elaboration")
    judge = Knows("rfl")
    assert shorten(THEOREM, ["skip", "rfl"], judge, NO_LIMIT, (), Verdict(1, "proved")).text == "by\n  rfl"
    assert judge.asked == ["skip", "rfl"]  # nobody asked about what was judged before
    assert shorten(THEOREM, ["rfl"], Knows("rfl"), NO_LIMIT, should_stop=lambda: True).verdict is None


def test_each_call_is_given_no_more_than_is_left():
    now, given = 0.0, []

    def judge(theorem, proof, seconds):
        nonlocal now
        given.append(seconds)
        now += 2.0
        return Verdict(1 if len(given) == 1 else None, "proved" if len(given) == 1 else "timeout")

    shorten(THEOREM, ["skip", "done", "rfl"], judge, Budget(seconds=6.5), closing=(), clock=lambda: now)
    assert given == [3.0, 3.0, 2.5, 0.5]
    assert inf > now == 8.0


REAL = [
    ("(n : Nat) (h : n > 3) : n ≠ 0 ∧ n + 0 = n", "constructor\n· intro e\n  subst e\n  contradiction\nrfl", "omega"),
    (
        "(p q : Prop) : p → q → (q ∧ p) ∧ ∃ n : Nat, n * n = 49",
        "intro a\nintro b\nhave c := a\nconstructor\n· constructor\n  · exact b\n  exact a\nexact ⟨7, rfl⟩",
        "intro a b\nconstructor\n· grind\nexact ⟨7, rfl⟩",
    ),
]


@pytest.mark.parametrize(("statement", "proof", "wanted"), REAL)
def test_on_real_lean(verifier, statement, proof, wanted):
    theorem = Theorem("t", f"theorem t {statement}")

    def judge(theorem, text, seconds):
        return verifier.verify(theorem, Candidate(text), seconds)

    found = shorten(theorem, proof.split("\n"), judge, Budget(seconds=60.0))
    assert found.text == "by\n" + "\n".join(f"  {line}" for line in wanted.split("\n"))
    assert found.verdict is not None
    assert found.verdict.proved
    assert verifier.verify(theorem, Candidate(found.text)).proved

"""A theorem and its negation under one budget: whose turn it is, who is found, and what it cost."""

from contextlib import nullcontext

import pytest

from lean_env import Candidate, Theorem, WorkerLost
from lean_env.negation import negation
from search import BestFirst, Budget, EdgeTried, NodeAdded, Proposal
from search.disprove import prove_or_disprove
from tests.search.graph_session import GraphSession, accepting

YES, NO = Theorem("t", "theorem t : A"), Theorem("t_negation", "theorem t_negation : ¬ A")


class Both(GraphSession):
    """Two theorems, A and B, on one clock; `opened` are the sessions that were asked for."""

    def __init__(self, table):
        super().__init__(["A"], table)
        self.opened: list[str] = []

    def open(self, theorem):
        self.opened.append(theorem.name)
        return nullcontext(self if theorem is YES else Beside(self))


class Beside:
    """The same table, from B on."""

    def __init__(self, session):
        self.start, self.run_tactic = session._state(("B",), ()), session.run_tactic


def numbered(root, length):
    """A line of states root, root1, root2, ...; the last one is closed."""
    table = {f"{root}{i or ''}": {"go": [f"{root}{i + 1}"]} for i in range(length - 1)}
    return table | {f"{root}{length - 1 or ''}": {"go": []}}


class Go:
    def propose(self, state, theorem):
        return [Proposal("go", -0.1)]


class Broken:
    def propose(self, state, theorem):
        raise RuntimeError("no weights")


def attempt(session, budget=None, policy=None, **more):
    events = []
    result = prove_or_disprove(
        YES, NO, policy or Go(), session.open, BestFirst(depth=1000), budget or Budget(seconds=None),
        lambda event, side: events.append((side, event)), judge=accepting, clock=session.clock, **more,
    )  # fmt: skip
    return result, events


def test_turns_double_and_the_shorter_proof_wins():
    # A tactic takes a second. Turns of 1, 1, 2, 2, 4, 4, ... seconds: A is proved in 50, B in 5, which is in B's third.
    session = Both(numbered("A", 50) | numbered("B", 5))
    result, events = attempt(session)
    assert (result.side, result.stopped, result.proof) == ("negation", "proved", "by\n" + "\n".join(["  go"] * 5))
    turns = "".join("A" if call[0].startswith("A") else "B" for call in session.calls)
    assert turns == "A" + "B" + "AA" + "BB" + "AAAA" + "BB"
    # No state was visited twice, no node was told of twice, and the counts are those of both.
    assert len(set(session.calls)) == len(session.calls) == 12
    assert session.opened == ["t", "t_negation"]
    nodes = [(side, event.node) for side, event in events if isinstance(event, NodeAdded)]
    assert "".join(side[0] for side, _ in nodes) == "ssnnssnnssssn"
    assert [number for side, number in nodes if side == "statement"] == list(range(8))
    assert [number for side, number in nodes if side == "negation"] == list(range(5))
    assert (result.spent.lean_calls, result.spent.nodes, result.spent.seconds) == (13, 13, 12.0)  # 12, and the judge
    told = [event.spent.lean_calls for _, event in events if isinstance(event, EdgeTried)]
    assert told == list(range(1, 13))


def test_the_statement_is_found_as_without():
    result, _ = attempt(Both(numbered("A", 3) | numbered("B", 9)))
    assert (result.side, result.proof) == ("statement", "by\n  go\n  go\n  go")


def test_a_side_with_nothing_left_leaves_the_rest_to_the_other():
    session = Both({"A": {}} | numbered("B", 9))
    result, _ = attempt(session)
    assert (result.side, result.stopped) == ("negation", "proved")
    assert [call[0] for call in session.calls] == ["A", "B", *[f"B{i}" for i in range(1, 9)]]
    session = Both(numbered("A", 9) | {"B": {}})
    result, _ = attempt(session)
    assert (result.side, result.spent.seconds) == ("statement", 10.0)


def test_neither():
    result, _ = attempt(Both({"A": {"go": ["A1"]}, "A1": {}, "B": {}}))
    assert (result.proof, result.stopped, result.side) == (None, "exhausted", "statement")
    assert result.graph is not None
    assert result.graph.theorem is YES
    assert result.spent.lean_calls == 3


@pytest.mark.parametrize(
    ("budget", "calls", "shares"),
    [
        (Budget(seconds=0.0), 0, {0}),
        (Budget(lean_calls=0, seconds=None), 0, {0}),
        (Budget(lean_calls=7, seconds=None), 7, {3, 4}),
        (Budget(seconds=20.0), 20, {10}),  # half each, though the statement would have gone on
        (Budget(samples=6, seconds=None), 6, {3}),
    ],
)
def test_one_budget_for_both(budget, calls, shares):
    session = Both(numbered("A", 90) | numbered("B", 90))
    result, _ = attempt(session, budget)
    assert (result.proof, result.stopped) == (None, "budget")
    assert result.spent.lean_calls == len(session.calls) == calls
    first = sum(call[0].startswith("A") for call in session.calls)
    assert {first, calls - first} == shares


def test_a_stop_and_a_lost_lean_end_both():
    session = Both(numbered("A", 90) | numbered("B", 90))
    result, _ = attempt(session, should_stop=lambda: session.now >= 5)
    assert (result.stopped, result.spent.lean_calls) == ("interrupted", 5)

    class Lost(Both):
        def run_tactic(self, state, text, **limits):
            raise WorkerLost("gone")

    assert attempt(Lost({}))[0].stopped == "lost"
    result, _ = attempt(Both({}), policy=Broken())
    assert result.stopped == "policy"
    assert "the policy failed" in result.message


@pytest.mark.parametrize(
    ("statement", "side"),
    [
        ("theorem t (n : Nat) (h : n > 3) : n ≠ 5", "negation"),
        ("theorem t (n : Nat) (h : n > 3) : n ≠ 2", "statement"),
        ("theorem t (p q : Prop) (x : α) : p ∨ q → q ∨ p", "statement"),
    ],
)
def test_on_real_lean(pool, verifier, statement, side):
    class Few:
        def propose(self, state, theorem):
            tactics = ("omega", "intro h", "exact absurd (h 5 (by decide)) (by decide)", "exact h.symm")
            return [Proposal(tactic, -1.0) for tactic in tactics]

    def judge(theorem, proof, seconds):
        return verifier.verify(theorem, Candidate(proof), seconds)

    theorem = Theorem("t", statement)
    other = negation(pool, theorem)
    found = prove_or_disprove(theorem, other, Few(), pool.session, budget=Budget(seconds=60.0), judge=judge)
    assert (found.side, found.stopped) == (side, "proved")
    assert found.proof is not None
    proved = other if side == "negation" else theorem
    assert verifier.verify(proved, Candidate(found.proof)).proved

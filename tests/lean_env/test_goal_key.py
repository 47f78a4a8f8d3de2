"""Lean's fingerprint of a goal, the groups of goals that hang together, and states with only some of the goals."""

from collections.abc import Iterator

import pytest

from lean_env import Focus, LeanPool, ProofFinished, ProofSession, TacticState, Theorem, focused, independent

THEOREM = Theorem(
    "t",
    "theorem t (p q : Prop) (a b : Nat) (hp : p) (hq : q) (h : a ≤ b) : p ∧ q ∧ ∃ n, a + n = b ∧ n ≤ b",
)


@pytest.fixture(scope="module")
def session(pool: LeanPool) -> Iterator[ProofSession]:
    with ProofSession(pool, THEOREM) as session:
        yield session


def after(session: ProofSession, *tactics: str) -> TacticState:
    state = session.start
    for tactic in tactics:
        result = session.run_tactic(state, tactic)
        assert isinstance(result, TacticState), result
        state = result
    return state


def key(session: ProofSession, *tactics: str) -> str:
    (goal,) = after(session, *tactics).goals
    return goal.key


@pytest.mark.parametrize(
    "tactics",
    [
        ["have : True := trivial"],
        ["have again := h"],
        ["have other := h", "clear h"],
        ["show p ∧ q ∧ _"],
        ["have e : a = a := rfl", "clear e"],
        ["revert h", "intro k"],
    ],
)
def test_names_repetitions_and_what_says_nothing_do_not_count(session, tactics):
    assert key(session, *tactics) == key(session)


def test_the_order_of_facts_does_not_count(session):
    one, two = "have x : a + 0 = a := rfl", "have y : b + 0 = b := rfl"
    assert key(session, one, two) == key(session, two, one) != key(session, one)


def test_names_of_data_do_not_count(session):
    assert key(session, "obtain ⟨x, hx⟩ : ∃ x, x < b + 1 := ⟨b, by omega⟩") == key(
        session, "obtain ⟨y, hy⟩ : ∃ z, z < b + 1 := ⟨b, by omega⟩"
    )


@pytest.mark.parametrize(
    "tactic",
    [
        "have x : a + 0 = a := rfl",
        "have x : Nat := a",
        "clear hp",
        "let x : Nat := a",
        "show p ∧ q ∧ ∃ n : Nat, a + n = b ∧ n ≤ b + 0",
        "suffices x : q ∧ p ∧ ∃ n, a + n = b ∧ n ≤ b by exact ⟨x.2.1, x.1, x.2.2⟩",
    ],
)
def test_what_is_another_goal_has_another_key(session, tactic):
    assert key(session, tactic) != key(session)


def test_values_of_let_variables_count(session):
    assert key(session, "let x : Nat := a") != key(session, "let x : Nat := b")


def test_which_datum_is_meant_counts(session):
    assert key(session, "have x : a + 0 = a := rfl") != key(session, "have x : b + 0 = b := rfl")


def test_goals_that_share_a_metavariable_hang_together(session):
    state = after(session, "refine ⟨?_, ?_, ?_, ?_, ?_⟩")
    assert [goal.target for goal in state.goals[:3]] == ["p", "q", "Nat"]
    assert independent(state.goals) == [(0,), (1,), (2, 3, 4)]


def test_facts_that_say_nothing_do_not_renumber_metavariables(session):
    split = "refine ⟨?_, ?_, ?_, ?_, ?_⟩"

    def keys(*before: str) -> list[str]:
        return [goal.key for goal in after(session, *before, split).goals]

    assert keys() == keys("have : True := trivial") == keys("have again := h")


def test_a_goal_that_waits_for_another_hangs_together_with_it(pool):
    theorem = Theorem("t", "theorem t : ∃ f : Nat → Nat, f 0 = 0")
    with ProofSession(pool, theorem) as session:
        state = after(session, "refine ⟨?f, ?_⟩", "case' f => intro x")
        assert [goal.target for goal in state.goals][:1] == ["Nat"]
        assert len(state.goals) == 2
        assert independent(state.goals) == [(0, 1)]


def test_a_group_of_goals_is_finished_by_itself(session):
    state = after(session, "refine ⟨?_, ?_, ?_, ?_, ?_⟩")
    second = focused(state, (1,))
    assert [goal.target for goal in second.goals] == ["q"]
    done = session.run_tactic(second, "exact hq")
    assert isinstance(done, ProofFinished)
    assert done.path == ("refine ⟨?_, ?_, ?_, ?_, ?_⟩", Focus((1,)), "exact hq")
    rest = focused(state, (4, 2, 3))
    assert [goal.target for goal in rest.goals] == ["Nat", "a + ?refine_3 = b", "?refine_3 ≤ b"]
    assert isinstance(session.run_tactic(rest, "exact b - a\nomega\nomega"), ProofFinished)


def test_a_focused_state_is_rebuilt_on_another_worker(pool, session):
    second = focused(after(session, "refine ⟨?_, ?_, ?_, ?_, ?_⟩"), (1,))
    with ProofSession(pool, THEOREM) as other:
        assert isinstance(other.run_tactic(second, "exact hq"), ProofFinished)


@pytest.mark.parametrize("places", [(), (1,), (-1,), (0, 7)])
def test_places_without_a_goal_are_refused(session, places):
    with pytest.raises(ValueError, match="a state with 1 goals has none at"):
        focused(session.start, places)

"""The key of several goals says which of them share metavariables."""

from collections.abc import Sequence

from lean_env import Goal, LeanPool, ProofSession, TacticState, Theorem
from search.graph.proof_graph import state_key


def goals(*named: tuple[str, Sequence[str]]) -> list[Goal]:
    """Each as its fingerprint, and the metavariables that it is and mentions."""
    return [Goal("", key=key, metavariables=frozenset(names), open=tuple(names)) for key, names in named]


LESS = ("<5", "ga"), ("<5", "hb")  # ?g : ?a < 5 and ?h : ?b < 5


def test_one_goal_and_goals_that_share_nothing_are_their_fingerprints():
    assert state_key(goals(("<5", "ga"))) == "<5"
    assert state_key(goals(*LESS)) == "<5 <5"
    assert state_key([Goal("p", pretty="⊢ p"), Goal("q", pretty="⊢ q", key="q")]) == "⊢ p q"


def test_which_goals_share_counts():
    # g, a, h, b, q are 0 to 4.
    assert state_key(goals(*LESS, ("Q", "qa"))) == "<5[0,1] <5[2,3] Q[4,1]"
    assert state_key(goals(*LESS, ("Q", "qb"))) == "<5[0,1] <5[2,3] Q[4,3]"


def test_names_do_not_count():
    assert state_key(goals(*LESS, ("Q", "qa"))) == state_key(goals(("<5", "xy"), ("<5", "uv"), ("Q", "wy")))


def test_a_goal_that_others_mention_is_told_from_what_it_mentions():
    # ?a : Fin ?n with Q ?n, and with Q ?a.
    assert state_key(goals(("Fin", "an"), ("Q", "qn"))) != state_key(goals(("Fin", "an"), ("Q", "qa")))


def test_the_place_where_a_metavariable_is_mentioned_counts():
    assert state_key(goals(("<", "gab"), ("Q", "qa"))) != state_key(goals(("<", "gab"), ("Q", "qb")))


def test_real_goals_that_differ_in_what_they_share(pool: LeanPool):
    text = "theorem t (Q : Nat → Prop) : (∃ a b, a < 5 ∧ b < 5 ∧ Q a) ∨ (∃ a b, a < 5 ∧ b < 5 ∧ Q b)"
    found = []
    with ProofSession(pool, Theorem("t", text)) as session:
        for side in ("left", "right", "show _ ∨ _\nleft"):
            result = session.run_tactic(session.start, f"{side}\nrefine ⟨?u, ?v, ?_, ?_, ?_⟩")
            assert isinstance(result, TacticState)
            found.append(result.goals)
    left, right, again = found
    assert sorted(goal.key for goal in left) == sorted(goal.key for goal in right)
    assert state_key(left) == state_key(again) != state_key(right)

"""The portfolio on goals as plain data: what it reads in them, and what it would try."""

from math import exp, isclose

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lean_env import Goal, Hypothesis, TacticState, Theorem
from prover.portfolio import PortfolioPolicy, features, suggestions
from prover.portfolio.shape import conjuncts, disjuncts, shape, strip_brackets
from prover.portfolio.steps import intro_names

THEOREM = Theorem("t", "theorem t : True")


def goal(target, *hypotheses):
    """`goal("a = b", "a b : Nat")`."""
    parsed = [text.split(" : ", 1) for text in hypotheses]
    return Goal(target, tuple(Hypothesis(tuple(names.split()), kind) for names, kind in parsed))


def read(target, *hypotheses, **more):
    return features(goal(target, *hypotheses), **more)


def weights(target, *hypotheses, **more):
    return {s.tactic: s.weight for s in suggestions(read(target, *hypotheses, **more))}


@pytest.mark.parametrize(
    ("text", "head", "left", "right"),
    [
        ("a + b = c", "=", "a + b", "c"),
        ("p ∧ q → r ∨ s", "→", "p ∧ q", "r ∨ s"),
        ("p ∧ q ∧ r", "∧", "p", "q ∧ r"),
        ("p ↔ q → r", "↔", "p", "q → r"),
        ("¬a = b", "¬", "", "a = b"),
        ("¬p ∧ q", "∧", "¬p", "q"),
        ("p ∧ ∀ x, q x → r", "∧", "p", "∀ x, q x → r"),
        ("(p → q)", "→", "p", "q"),
        ("(a) + (b) ≤ f (x = y)", "≤", "(a) + (b)", "f (x = y)"),
        ("3 ∣ n ^ 2", "∣", "3", "n ^ 2"),
        ("False", "False", "", ""),
        ("Even n", "term", "", ""),
        ("", "term", "", ""),
    ],
)
def test_shapes(text, head, left, right):
    found = shape(text)
    assert (found.head, found.left, found.right) == (head, left, right)


def test_quantifiers():
    found = shape("∀ (a b : Nat) {c : List Nat} [inst : Inhabited Nat], a = b")
    assert [(b.name, b.type) for b in found.binders] == [
        ("a", "Nat"), ("b", "Nat"), ("c", "List Nat"), ("inst", "Inhabited Nat"),
    ]  # fmt: skip
    assert found.right == "a = b"
    assert [(b.name, b.type, b.predicate) for b in shape("∃ x, x = 2").binders] == [("x", "", False)]
    assert [(b.name, b.predicate) for b in shape("∀ x ∈ s, x = 2").binders] == [("x", True)]


def test_taking_apart():
    assert conjuncts("(p ∧ q) ∧ r = s ∧ (t ∨ u)") == ["p", "q", "r = s", "t ∨ u"]
    assert disjuncts("p ∨ (q ∨ r) ∨ s") == ["p", "(q ∨ r)", "s"]
    assert strip_brackets("((p ∧ q))") == "p ∧ q"
    assert strip_brackets("(a) = (b)") == "(a) = (b)"
    assert strip_brackets("(x : Nat)") == "(x : Nat)"


def test_data_and_facts():
    found = read(
        "P n", "α : Type", "x y : α", "P : Nat → Prop", "n : Nat", "h : P n", "f : Nat → Nat", "hf : ∀ x, f x = x",
        "xs : List α", "hx : x ∈ xs", "p : Prop", "hp : p", "inst✝ : Inhabited α", "hn : xs.Nodup", "q : α → α → Prop",
        "hq : q x y",
    )  # fmt: skip
    assert [v.name for v in found.variables] == ["α", "x", "y", "P", "n", "f", "xs", "p", "q"]
    assert [fact.name for fact in found.facts] == ["h", "hf", "hx", "hp", "hn", "hq"]
    assert found.hidden == 1


def test_a_type_over_several_lines_is_read_as_one():
    found = read("a\n  = b", "h : ∀ n,\n    n = n")
    assert (found.target, found.facts[0].text) == ("a = b", "∀ n, n = n")


def test_intervals_and_moduli():
    found = read("x % 3 = 0", "x y z : Nat", "k : Int", "h : 1 ≤ x ∧ x ≤ 9", "h2 : y < 31", "h3 : -2 < k", "h4 : 3 ≥ k",
                 "h5 : 7 ∣ z")  # fmt: skip
    assert [(i.variable.name, i.low, i.high) for i in found.intervals] == [("k", -1, 3), ("x", 1, 9), ("y", 0, 30)]
    assert found.moduli == (3, 7)


def test_closed_targets_are_computed_and_others_are_not():
    assert weights("2 ^ 10 % 7 = 2")["decide"] > 5
    assert "decide +kernel" in weights("2 ^ 10 % 7 = 2", "n : Nat")
    assert "decide +kernel" not in weights("2 ^ n % 7 = 2", "n : Nat")
    assert "decide +kernel" not in weights("xs.length = 2", "xs : List Nat")


@pytest.mark.parametrize(
    ("target", "hypotheses", "tactic"),
    [
        ("∀ (n : Nat), n = 0 → p", ["p : Prop"], "intro n h"),
        ("p ∧ q", ["p q : Prop"], "refine ⟨?_, ?_⟩"),
        ("p ↔ q", ["p q : Prop"], "constructor"),
        ("p ∨ q", ["p q : Prop"], "left"),
        ("q", ["p q : Prop", "h : p ∨ q ∨ p"], "rcases h with h | h | h"),
        ("q", ["p q : Prop", "h : p ∧ q"], "obtain ⟨h, h'⟩ := h"),
        ("q", ["q : Prop", "x : Nat", "h : ∃ x, x = 2"], "obtain ⟨x1, h⟩ := h"),
        ("f = g", ["f g : Nat → Nat"], "funext x"),
        ("n < 2 ^ n", ["n : Nat"], "induction n with | zero => ?_ | succ n ih => ?_"),
        ("(xs ++ ys).length = 2", ["x : Nat", "xs ys : List Nat"],
         "induction xs with | nil => ?_ | cons x1 xs ih => ?_"),
        ("o.isSome", ["o : Option Nat"], "cases o with | none => ?_ | some a => ?_"),
        ("f b = b", ["f : Bool → Bool", "b : Bool"], "cases b"),
        ("(if a = b then 1 else 2) = 1", ["a b : Nat"], "split"),
        ("a = 3", ["a b : Nat", "h : b = a"], "subst h"),
        ("∃ m, n < m", ["n : Nat"], "refine ⟨n + 1, ?_⟩"),
        ("∃ k, a + b = 3 * k + 2", ["a b : Nat"], "exact ⟨(a + b - 2) / 3, by omega⟩"),
        ("∃ m, m ≤ a ∧ m ≤ b", ["a b : Nat"], "rcases Nat.le_total a b with h | h"),
        ("2 ≤ x", ["n x : Nat", "h : 4 ≤ n", "hn : n = x"], "induction h with | refl => ?_ | @step n h ih => ?_"),
        ("a = 42", ["a b : Nat", "h : (a : Rat) / 2 = 21"], "have h1 : (a : Rat) = 42 := by grind\nexact_mod_cast h1"),
    ],
)  # fmt: skip
def test_what_the_goal_invites(target, hypotheses, tactic):
    assert tactic in weights(target, *hypotheses)


def test_case_scripts_say_all_cases():
    scripts = [t for t in weights("x * x ≠ 3", "x : Nat", "h : x < 3") if "rfl | rfl | rfl" in t]
    assert scripts
    assert all("x = 0 ∨ x = 1 ∨ x = 2 := by omega" in script for script in scripts)
    (script,) = [t for t in weights("3 ∣ n ^ 3 + 2 * n", "n : Nat") if "n % 3 = 0 ∨ n % 3 = 1 ∨ n % 3 = 2" in t]
    assert script.split("\n")[1].startswith("rcases hr with hr | hr | hr <;>")


def test_the_header_is_used():
    found = weights(
        "f n = g n", "n : Nat", header="def f (n : Nat) := n\ntheorem helper : 1 = 1 := rfl\ndef unused := 2"
    )
    assert "simp [f]" in found
    assert "unfold f" in found
    assert "grind [helper]" in found
    assert not any("unused" in tactic for tactic in found)


def test_new_names_are_new_and_readable():
    found = read("∀ (n m : Nat), n = m → ∀ x > 3, ¬x = n", "n : Nat", "h : n = 2")
    assert intro_names(found) == ["n1", "m", "h1", "x", "h2", "h3"]
    names = [word for tactic in weights("∃ x, x = n", "n : Nat", "h : ∃ y, y = n") for word in tactic.split()]
    assert not any("✝" in word for word in names)


def test_hypotheses_that_cannot_be_named_are_not_named():
    assert not any("✝" in tactic for tactic in weights("n✝ < 3", "n✝ : Nat", "a✝ : n✝ = 2", "h : n✝ < 9"))


HYPOTHESES = st.sampled_from(
    ["n m : Nat", "k : Int", "xs : List Nat", "h : n < 5 ∧ 3 ∣ n", "h1 : ∃ x, x = n", "h2 : p ∨ ¬p", "p : Prop",
     "o : Option Nat", "b : Bool", "f : Nat → Nat", "hf : ∀ n, f (n + 1) = 2 * f n", "q : Rat", "h3 : ¬n = m",
     "S : List Nat", "hS : S.Nodup", "hm : ∀ n, n ∈ S ↔ n ∣ 36", "h4 : 3 * n ^ 2 = 57", "i : Fin 3", "a✝ : n = 1"]
)  # fmt: skip
TARGETS = st.sampled_from(
    ["n = m", "∀ x, x = x", "p ∧ p", "False", "S.sum = 91", "2 ^ n % 7 = 1", "xs.length = n", "∃ x, n < x", "p",
     "f n = 2 ^ n", "¬p", "q + 1 = 1 + q", "Nat.gcd 6 4 = 2", "n ≠ m", "⊥ weird ∧", "", "(((", "∀",
     "match n with | 0 => p | _ => p"]
)  # fmt: skip


@settings(deadline=None)
@given(TARGETS, st.lists(HYPOTHESES, unique=True, max_size=8), st.integers(1, 4))
def test_priors_are_a_distribution_whatever_the_goal(target, hypotheses, goals):
    state = TacticState((goal(target, *hypotheses),) * goals)
    proposals = PortfolioPolicy().propose(state, THEOREM)
    assert isclose(sum(exp(p.log_probability) for p in proposals), 1.0) or not proposals
    assert len({p.text for p in proposals}) == len(proposals)
    probabilities = [p.log_probability for p in proposals]
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(p.text == p.text.strip() and "\t" not in p.text for p in proposals)
    assert proposals == PortfolioPolicy().propose(state, THEOREM)


def test_exact_question_mark_is_near_the_end():
    tactics = [s.tactic for s in suggestions(read("n + m = m + n", "n m : Nat"))]
    assert tactics.index("exact?") > len(tactics) * 0.8
    assert tactics.index("omega") < 3


def test_nothing_is_proposed_for_no_goals():
    assert PortfolioPolicy().propose(TacticState(()), THEOREM) == []

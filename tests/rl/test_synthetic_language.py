"""The language of synthetic statements: what is read, written and meant, the last against real Lean."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lean_env import Candidate, Theorem, Verifier
from rl.synthetic.generate import FAMILIES
from rl.synthetic.notation import read, write
from rl.synthetic.plain import is_plain
from rl.synthetic.polynomials import polynomial_of, term_of
from rl.synthetic.rewriting import laws, steps, walk
from rl.synthetic.statement import is_entailed, is_sound, models, statement, truth
from rl.synthetic.terms import Term
from rl.synthetic.worlds import World, evaluate, value_of, worlds_of


@pytest.mark.parametrize(
    "text",
    [
        "a + b * c = (a + b) * c",
        "a - b - c = a - (b - c)",
        "p → q → r ↔ (p → q) → r",
        "(p ∧ q) ∧ r ∨ ¬(p ∨ q)",
        "¬¬p",
        "(xs ++ ys).reverse.map f = ys.reverse.map (g ∘ f)",
        "(xs.map f).length + 1",
        "a :: xs ++ ys",
        "a ∈ xs ++ [b]",
        "∀ x, P x → (∃ y, R x y)",
        "∀ x y : α, x = y",
        "(fun x => S x ∧ T x) = (fun x => T x ∧ S x)",
        "-(a ^ 2) + -a",
        "xs.foldr f (ys.foldr f a)",
        "(g ∘ f) a = g (f a)",
        "(some a).map f = some (f a)",
        "(List.range (a + 1)).sum",
        "(xs.all p && ys.all p) = (ys ++ xs).all p",
    ],
)
def test_what_is_read_is_written_as_it_was(text):
    assert write(read(text, dict.fromkeys("xy", "α"))) == text


@pytest.mark.parametrize("text", ["a +", "(a", "a b )", "∀ x", "", "→ p"])
def test_what_is_no_term_is_refused(text):
    with pytest.raises(ValueError, match="`"):
        read(text)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FAMILIES)), st.integers(1, 5), st.integers(0, 10**6))
def test_every_statement_reads_back(family, level, seed):
    drawn = next(FAMILIES[family].draw(Random(seed), level))
    for fact in drawn.statement.facts:
        text = write(fact)
        bound = {part.bound: part.type for part in parts(fact) if part.bound}
        assert bare(read(text, bound)) == bare(fact), text


def parts(term):
    yield term
    for arg in term.args:
        yield from parts(arg)


def bare(term):
    """The term without what is not written: which subtraction it is, and the domain of an equation."""
    head = "-" if term.head == "∸" else term.head
    return Term(head, tuple(map(bare, term.args)), term.bound, term.type if term.bound else "")


VALUES = {"a": 7, "b": 3, "z": 0, "n": -7, "xs": (1, 2, 3), "ys": (5,)}
# What Lean has to say as well; `n` is an integer, all else natural numbers.
FACTS = """b ∸ a = 0
a ∸ b = 4
a / b = 2
a / z = 0
a % z = 7
a % b = 1
a.gcd 14 = 7
z.gcd b = 3
2 ^ b ^ 2 = 512
min a b + max a b = 10
b ∣ 6
¬(a ∣ 6)
a ∣ z
¬(z ∣ a)
z ∣ z
xs.take 2 = 1 :: [2]
xs.drop 2 = [3]
xs.drop 7 = []
xs.foldr (fun x y => x + 2 * y) 1 = 25
xs.foldl (fun x y => x + 2 * y) 1 = 13
(xs.filter (fun x => true)).sum = 6
xs.head? = some 1
xs.getLast? = some 3
(some a).getD b = 7
(List.range b).sum = 3
List.replicate 2 a = 7 :: [7]
xs ++ ys = 1 :: 2 :: 3 :: [5]
xs.reverse = 3 :: 2 :: [1]
2 ∈ xs
¬(7 ∈ xs)
(some a).or none = some a
(xs.map (fun x => x * x)).sum = 14
ys.isEmpty = false
(some a).isNone = false"""
INTEGERS = """n % 3 = 2
n - 3 = -10
3 ∣ n + 1
n ^ 2 = 49
min n 3 = n
n % 7 = 0"""


def test_operators_mean_what_lean_says(verifier: Verifier):
    world = World(VALUES)
    for line in [*FACTS.splitlines(), *INTEGERS.splitlines()]:
        assert evaluate(read(line), world) is True, line
    natural = " ∧ ".join(f"({write(read(line))})" for line in FACTS.splitlines())
    integer = " ∧ ".join(f"({write(read(line))})" for line in INTEGERS.splitlines())
    known = "(ha : a = 7) (hb : b = 3) (hz : z = 0) (hx : xs = [1, 2, 3]) (hy : ys = [5])"
    for text in (
        f"theorem t (a b z : Nat) (xs ys : List Nat) {known} : {natural}",
        f"theorem t (n : Int) (hn : n = -7) : {integer}",
    ):
        verdict = verifier.verify(Theorem("t", text), Candidate("by subst_vars; decide"))
        assert verdict.proved, verdict.messages


def test_quantifiers_and_functions_in_a_world():
    world = World({"f": {0: 1, 1: 0}.get, "g": {0: 1, 1: 1}.get}, {"α": (range(2), range(2))})
    types = dict.fromkeys("xy", "α")
    assert evaluate(read("∀ x, f (f x) = x", types), world)
    assert not evaluate(read("∀ x, g (g x) = x", types), world)
    assert evaluate(read("∃ x, ∀ y, g y = x", types), world)
    assert not evaluate(read("∀ x, ∃ y, g y = x", types), world)
    assert evaluate(Term("=", (read("f ∘ f"), read("id")), type="α"), world)
    assert not evaluate(Term("=", (read("f ∘ g"), read("g ∘ f")), type="α"), world)
    empty = World({}, {"α": ((), ())})
    assert evaluate(read("∀ x : α, x ≠ x"), empty)
    assert not evaluate(read("∃ x : α, x = x"), empty)


def test_a_function_hangs_on_what_was_drawn_and_its_argument_alone():
    one, two = (value_of("Nat → Nat", {}, Random(5)) for _ in range(2))
    assert [one(n) for n in range(9)] == [two(n) for n in reversed(range(9))][::-1]
    assert len({one(n) for n in range(9)}) > 1


def test_statements_that_differ_in_names_are_equal():
    types = {"u": "Nat", "v": "Nat", "l": "List β", "k": "β → γ"}
    one = statement(types, [read("u ≤ v")], read("v + u = u"))
    two = statement(types, [read("v ≤ u")], read("u + v = v"))
    assert one == two
    assert one.text == "(a b : Nat) (h : a ≤ b) : b + a = a"
    assert statement(types, [], read("u = v")).text == "(a b : Nat) : a = b"
    assert statement(types, [], read("l.map k = l.map k")).text == (
        "{α β : Type} (f : α → β) (xs : List α) : xs.map f = xs.map f"
    )
    bound = [read(text, dict.fromkeys("stxy", "α")) for text in ("∀ s, ∃ t, R s t", "∀ y, ∃ x, R y x")]
    texts = {statement({"R": "α → α → Prop"}, [], fact).text for fact in bound}
    assert texts == {"{α : Type} (R : α → α → Prop) : ∀ x, ∃ y, R x y"}


def test_what_follows_and_what_is_needed():
    worlds = worlds_of({"p": "Prop", "q": "Prop"}, Random(0), 1)
    p, q, both, either = (truth(read(text), worlds) for text in ("p", "q", "p ∧ q", "p ∨ q"))
    everywhere = models(worlds)
    assert everywhere == 0b1111
    assert (p, q, both, either) == (0b1100, 0b1010, 0b1000, 0b1110)
    assert is_entailed([both], p, everywhere)
    assert not is_entailed([either], p, everywhere)
    assert is_sound([p, q], both, everywhere, everywhere)
    assert not is_sound([p, q], p, everywhere, everywhere)  # q is idle
    assert not is_sound([p, everywhere & ~p], q, everywhere, everywhere)  # never both


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("(∀ x, P x ∧ Q x) ↔ (∀ x, P x) ∧ ∀ x, Q x", True),
        ("(∃ x, P x ∧ Q x) ↔ (∃ x, P x) ∧ ∃ x, Q x", False),
        ("(∃ x, P x → ∀ x, Q x) → (∀ x, P x) → ∀ x, Q x", True),
        ("(∀ x, P x) → ∃ x, P x", False),  # the empty type
    ],
)
def test_worlds_refute_what_is_false_of_predicates(text, holds):
    worlds = worlds_of({"P": "α → Prop", "Q": "α → Prop"}, Random(0), 100)
    assert (truth(read(text, {"x": "α"}), worlds) == (1 << 100) - 1) == holds


def test_finite_worlds_are_not_all():
    """On finite types what is injective is surjective; numbers know better. Empty types know better, too."""
    types, bound = {"f": "α → α"}, dict.fromkeys("xy", "α")
    injective, surjective = read("∀ x y, f x = f y → x = y", bound), read("∀ y, ∃ x, f x = y", bound)
    worlds = worlds_of(types, Random(0), 300)
    finite = [world for world in worlds if not world.is_approximate]
    assert models(worlds).bit_count() == len(finite) == 267  # numbers are every ninth
    assert max(len(world.carriers["α"][0]) for world in finite) == 4
    for some, holds in ((finite, True), (worlds, False)):
        everywhere = (1 << len(some)) - 1
        assert is_entailed([truth(injective, some)], truth(surjective, some), everywhere) == holds
    fixed = read("∃ x, f x = x", {"x": "α"})
    assert not evaluate(fixed, World({"f": int}, {"α": ((), ())}))
    assert any(not world.carriers["α"][0] for world in finite)
    assert all(world.carriers["α"][0] for world in worlds_of({"a": "α"}, Random(0), 100))


def test_a_false_statement_about_a_relation_is_refuted():
    bound = dict.fromkeys("xyz", "α")
    facts = [read("∀ x y, R x y → R y x", bound), read("R a b")]
    worlds = worlds_of({"R": "α → α → Prop", "a": "α", "b": "α"}, Random(1), 250)
    given = [truth(fact, worlds) for fact in facts]
    everywhere = (1 << len(worlds)) - 1
    assert not is_entailed(given, truth(read("∃ x, R x x", bound), worlds), everywhere)
    assert is_entailed(given, truth(read("R b a"), worlds), everywhere)


def test_walks_go_by_laws():
    known = laws("comm: a + b == b + a\nzero: a + 0 ==> a")
    assert {(law.name, write(term)) for law, term in steps(read("x + 0"), known)} == {("comm", "0 + x"), ("zero", "x")}
    assert walk(read("x"), known, 1, 9, Random(0)) is None
    found = walk(read("x + (y + 0)"), known, 2, 9, Random(0))
    assert found is not None
    assert set(found[1]) == {"comm", "zero"}


def test_polynomials_by_hand():
    cube = read("(a + b) ^ 3")
    assert write(term_of(polynomial_of(cube))) == "a ^ 3 + 3 * a ^ 2 * b + 3 * a * b ^ 2 + b ^ 3"
    assert write(term_of(polynomial_of(read("(x - y) * (y - x)")))) == "2 * x * y - x ^ 2 - y ^ 2"
    assert write(term_of(polynomial_of(read("x - x")))) == "0"
    assert write(term_of({(): -3})) == "-3"


@given(st.integers(0, 10**6), st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9))
def test_a_polynomial_has_the_values_of_its_term(seed, x, y, z):
    from rl.synthetic.families.identities import _TERMS

    term = _TERMS.draw("CubeZ", 4, Random(seed))
    world = World({"x": x, "y": y, "z": z})
    assert evaluate(term, world) == evaluate(term_of(polynomial_of(term)), world)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("p ∧ q", True), ("p ∧ p", False), ("p ∨ q ∨ ¬p", False), ("¬¬p", False), ("(p → q) → p", True), ("p ↔ p", False)],
)
def test_what_a_person_would_not_write(text, plain):
    assert is_plain(read(text)) == plain

"""First-order logic: quantifiers over predicates of one place and over a relation."""

from collections.abc import Iterator
from random import Random

from rl.synthetic.family import Drawn, Family
from rl.synthetic.grammar import grammar
from rl.synthetic.plain import is_plain
from rl.synthetic.pools import pool_of
from rl.synthetic.statement import statement
from rl.synthetic.terms import Term
from rl.synthetic.worlds import worlds_of

_FACTS = grammar(
    """
    One ::= P x | Q x
    Atom ::= P x | Q x | S x
    Basic ::= Atom | Atom | ¬Atom
    Joined ::= Basic ∧ Atom | Basic ∨ Atom
    Level1 ::= ∀ x, One | ∃ x, One | ∀ x, One → One | P a | Q a | P a → Q a | ∃ x, P x ∧ Q x | ¬(∃ x, One) | ∃ x, ¬One
    Level1 ::= ¬(∀ x, One) | ∀ x, One ∧ One | ∃ x, One ∨ One | ∀ x, One ∨ One | P a ∧ Q a | P a ∨ Q a | ¬P a
    Level2 ::= Level2A | Level2A | ¬(∀ x, Atom) | ¬(∃ x, Atom) | ∃ x, Basic ∧ Atom | P a | Q a | P a → Q a | S a
    Level2A ::= ∀ x, Atom → Basic | ∀ x, Basic | ∃ x, Basic | ∀ x, Basic ∧ Atom
    Level3 ::= ∀ x, Joined → Basic | ∀ x, Atom → Joined | ∃ x, Joined | ¬(∃ x, Joined) | ¬(∀ x, Atom → Basic) | Mixed
    Mixed ::= (∀ x, Atom) ∨ (∃ x, Basic) | (∃ x, Atom) → ∀ x, Basic | (∀ x, Atom) → ∃ x, Basic
    Mixed ::= (∃ x, Atom) ∧ ∃ x, Basic
    Level4 ::= Relation | Relation | Relation | Order | R a b | R b a | P a | ¬P b
    Relation ::= ∀ x y, Pair → Pair | ∀ x, ∃ y, Pair | ∃ x, ∀ y, Pair | ∀ x, P x → ∃ y, Pair | ∃ x y, Pair | ∃ x, R x x
    Relation ::= ∀ x y, R x y → P y | ∀ x, P x → R x x | ∃ x, P x ∧ R x x | ∀ x y, P x → R x y | ¬(∃ x, R x x)
    Relation ::= ∃ x, P x
    Pair ::= R x y | R x y | R y x
    Order ::= ∀ x, R x x | ∀ x, ¬R x x | ∀ x y, R x y → R y x | ∀ x y z, R x y → R y z → R x z | ∀ x y, R x y → P x
    Level5 ::= Order | Order | Order2 | Relation | Relation2 | Relation2 | R a b | ¬R b a | P a | Q b
    Order2 ::= ∀ x y z, R x y → R x z → R y z | ∀ x y, R x y → ¬R y x | ∀ x y, P x → Q y → R x y | ∀ x y, R x y ∨ R y x
    Relation2 ::= ∀ x, P x → ∃ y, Q y ∧ Pair | ∃ x, P x ∧ ∀ y, Q y → Pair | ∀ x y, R x y → P x → P y
    Relation2 ::= ∃ x, P x ∧ ∃ y, Pair
    """,
    {"x": "α", "y": "α", "z": "α"},
)
_MONADIC = {"P": "α → Prop", "Q": "α → Prop", "S": "α → Prop", "a": "α"}
_BINARY = {"R": "α → α → Prop", "P": "α → Prop", "Q": "α → Prop", "a": "α", "b": "α"}
_TRIED = "; it holds in all models that were tried"
_HYPOTHESES = {1: (0, 1, 1, 2), 2: (0, 1, 2, 2), 3: (0, 1, 2, 2), 4: (1, 2, 2, 2), 5: (2, 3, 3)}


def draw(random: Random, level: int) -> Iterator[Drawn]:
    """Statements of the level, for ever."""
    types = _BINARY if level > 3 else _MONADIC
    worlds, known = worlds_of(types, random, 500), dict[Term, int]()
    while True:
        facts = [_FACTS.draw(f"Level{level}", 4, random) for _ in range(100)]
        pool = pool_of([fact for fact in facts if is_plain(fact)], worlds, known)
        count = random.choice(_HYPOTHESES[level])
        if count:
            for hypotheses, conclusion in pool.sequents(count, 12, random):
                yield Drawn(statement(types, hypotheses, conclusion), f"a sequent{_TRIED}")
        else:
            for left, right in pool.equivalents(6, random):
                yield Drawn(statement(types, [], Term("↔", (left, right))), f"an equivalence{_TRIED}")


FIRST_ORDER = Family(
    "first_order",
    "first-order logic",
    (
        "two predicates and one element, at most two hypotheses of one quantifier",
        "three predicates and one element, negated quantifiers, at most two hypotheses",
        "three predicates, connectives below and between quantifiers, at most two hypotheses",
        "a relation and a predicate, two quantifiers in a row, at most two hypotheses",
        "a relation with properties of orders and equivalences, and two predicates, at most three hypotheses",
    ),
    draw,
)

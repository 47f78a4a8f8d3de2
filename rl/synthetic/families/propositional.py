"""Propositional logic: sequents and equivalences, decided by truth tables."""

from collections.abc import Iterator
from random import Random

from rl.synthetic.family import Drawn, Family
from rl.synthetic.grammar import grammar
from rl.synthetic.plain import is_plain
from rl.synthetic.pools import pool_of
from rl.synthetic.statement import statement
from rl.synthetic.terms import Term
from rl.synthetic.worlds import worlds_of

_FORMULAS = grammar("""
    Atom ::= p | q
    Atom3 ::= p | q | r
    Atom4 ::= p | q | r | s
    Literal ::= Atom | Atom | ¬Atom
    Literal3 ::= Atom3 | Atom3 | Atom3 | ¬Atom3
    Literal4 ::= Atom4 | Atom4 | Atom4 | ¬Atom4
    Two3 ::= Literal3 | Literal3 ∧ Literal3 | Literal3 ∨ Literal3 | Literal3 → Literal3
    Two4 ::= Literal4 | Literal4 ∧ Literal4 | Literal4 ∨ Literal4 | Literal4 → Literal4
    One ::= Atom | ¬Atom | Atom ∧ Atom | Atom ∨ Atom | Atom → Atom
    Level1 ::= One | One | Literal → Atom
    Level2 ::= Two3 | Two3 | Atom3 → Two3 | ¬(Atom3 ∧ Atom3) | ¬(Atom3 ∨ Atom3) | Atom3 ↔ Atom3
    Level3 ::= Two3 → Atom3 | Two3 ∧ Two3 | Two3 ∨ Two3 | Atom3 → Two3 | ¬Two3 | Atom3 ↔ Two3
    Level4 ::= Two4 | Two4 → Two4 | Two4 ∧ Two4 | Two4 ∨ Two4 | ¬Two4 | Atom4 ↔ Two4
    Level5 ::= Two4 → Two4 | Two4 ∨ Two4 | ¬Two4 | Two4 ↔ Two4 | (Two4 → Two4) → Atom4 | Literal4
""")
_ATOMS = dict.fromkeys("pqrs", "Prop")
# Hypotheses of a sequent; 0 is an equivalence.
_HYPOTHESES = {1: (0, 1, 1, 2), 2: (0, 1, 2, 2), 3: (0, 1, 2, 3), 4: (0, 2, 3, 3), 5: (0, 2, 3, 4)}


def draw(random: Random, level: int) -> Iterator[Drawn]:
    """Statements of the level, for ever."""
    names = {1: "pq", 2: "pqr", 3: "pqr"}.get(level, "pqrs")
    worlds = worlds_of(dict.fromkeys(names, "Prop"), random, 16)
    known: dict[Term, int] = {}
    while True:
        facts = [_FORMULAS.draw(f"Level{level}", 4, random) for _ in range(150)]
        pool = pool_of([fact for fact in facts if is_plain(fact)], worlds, known)
        count = random.choice(_HYPOTHESES[level])
        if count:
            for hypotheses, conclusion in pool.sequents(count, 12, random):
                yield Drawn(statement(_ATOMS, hypotheses, conclusion), "a sequent, true by truth table")
        else:
            for left, right in pool.equivalents(4, random):
                equivalent = Term("↔", (left, right))
                yield Drawn(statement(_ATOMS, [], equivalent), "an equivalence, true by truth table")


PROPOSITIONAL = Family(
    "propositional",
    "propositional logic",
    (
        "two propositions, at most two hypotheses of one connective",
        "three propositions, at most two hypotheses",
        "three propositions, at most three hypotheses, connectives two deep",
        "four propositions, at most three hypotheses, connectives two deep",
        "four propositions, at most four hypotheses, connectives three deep",
    ),
    draw,
)

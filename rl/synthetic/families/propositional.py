"""Propositional logic: sequents and equivalences, decided by truth tables."""

from collections.abc import Iterator
from functools import reduce
from itertools import product
from operator import and_
from random import Random

from rl.synthetic.family import Drawn, Family
from rl.synthetic.grammar import grammar
from rl.synthetic.plain import is_plain
from rl.synthetic.pools import pool_of
from rl.synthetic.statement import statement
from rl.synthetic.terms import Term, places
from rl.synthetic.worlds import all_worlds

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
    worlds = all_worlds(dict.fromkeys(names, "Prop")) or []
    known: dict[Term, int] = {}
    while True:
        facts = [_FORMULAS.draw(f"Level{level}", 4, random) for _ in range(150)]
        pool = pool_of([fact for fact in facts if is_plain(fact)], worlds, known)
        count = random.choice(_HYPOTHESES[level])
        if count:
            for hypotheses, conclusion in pool.sequents(count, 12, random):
                yield _drawn(hypotheses, conclusion, "a sequent")
        else:
            for left, right in pool.equivalents(4, random):
                yield _drawn([], Term("↔", (left, right)), "an equivalence")


def _drawn(hypotheses: list[Term], conclusion: Term, kind: str) -> Drawn:
    whole = conclusion
    for hypothesis in reversed(hypotheses):
        whole = Term("→", (hypothesis, whole))
    logic = "it needs classical logic" if refuted(whole) else "no small Kripke model refutes it"
    return Drawn(statement(_ATOMS, hypotheses, conclusion), f"{kind}, true by truth table; {logic}", True)


# What each world of a frame sees: itself and what comes later.
_FRAMES = (((0, 1), (1,)), ((0, 1, 2), (1, 2), (2,)), ((0, 1, 2), (1,), (2,)))


def refuted(formula: Term) -> bool:
    """Whether a Kripke model of two or three worlds refutes it: then it has no proof without classical logic."""
    atoms = sorted({part.head for _, part in places(formula) if not part.args})
    for frame in _FRAMES:
        here = range(len(frame))
        closed = [
            worlds
            for worlds in product((False, True), repeat=len(frame))
            if all(worlds[later] for world in here if worlds[world] for later in frame[world])
        ]
        models = list(product(closed, repeat=len(atoms)))
        said = {
            atom: [sum(1 << number for number, model in enumerate(models) if model[place][world]) for world in here]
            for place, atom in enumerate(atoms)
        }
        everywhere = (1 << len(models)) - 1
        if _forced(formula, said, frame, everywhere)[0] != everywhere:
            return True
    return False


def _forced(
    formula: Term, atoms: dict[str, list[int]], frame: tuple[tuple[int, ...], ...], everywhere: int
) -> list[int]:
    """For each world of the frame the models, as bits, in which the formula is forced there (Kripke 1965)."""
    parts = [_forced(arg, atoms, frame, everywhere) for arg in formula.args]

    def implies(left: list[int], right: list[int]) -> list[int]:
        plain = [everywhere & ~a | b for a, b in zip(left, right, strict=True)]
        return [reduce(and_, (plain[later] for later in seen), everywhere) for seen in frame]

    match formula.head:
        case "∧":
            return [a & b for a, b in zip(*parts, strict=True)]
        case "∨":
            return [a | b for a, b in zip(*parts, strict=True)]
        case "→":
            return implies(parts[0], parts[1])
        case "↔":
            return [a & b for a, b in zip(implies(*parts), implies(*reversed(parts)), strict=True)]
        case "¬":
            return implies(parts[0], [0] * len(frame))
        case atom:
            return atoms[atom]


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

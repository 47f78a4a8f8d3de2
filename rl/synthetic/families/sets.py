"""Sets as predicates: inclusions, equalities, images and preimages, written out with `∀` and `∃`."""

from collections.abc import Iterator
from random import Random

from rl.synthetic.family import Drawn, Family
from rl.synthetic.grammar import grammar
from rl.synthetic.plain import is_plain
from rl.synthetic.pools import pool_of
from rl.synthetic.statement import statement
from rl.synthetic.terms import Term
from rl.synthetic.worlds import all_worlds, worlds_of

# A set is `fun x => ...`; `S ⊆ T` is `∀ x, S x → T x`, and that two are disjoint `∀ x, ¬(S x ∧ T x)`.
_SETS = grammar(
    """
    Name2 ::= S x | T x
    Name3 ::= S x | T x | U x
    Small ::= Name3 | Name3 | Name3 ∧ Name3 | Name3 ∨ Name3 | Name3 ∧ ¬Name3
    Large ::= Small | Small ∧ Small | Small ∨ Small | Small ∧ ¬Small | ¬Small
    Level1 ::= ∀ x, Name2 → Name2 | ∀ x, Name2 ∧ Name2 → Name2 | ∀ x, ¬(S x ∧ T x) | S a | T a | S a ∧ T a | S a ∨ T a
    Level1 ::= ∃ x, S x | ∃ x, T x | ∃ x, S x ∧ T x | ∀ x, S x | ∀ x, ¬S x | ∀ x, S x ∨ T x | ∀ x, S x ↔ T x | ¬S a
    Level1 ::= ¬T a
    Level1 ::= ∀ x, S x → ¬T x | ∀ x, S x ∧ T x | ∃ x, S x ∧ ¬T x | S a → T a
    Level2 ::= ∀ x, Name3 → Small | ∀ x, Small → Name3 | ∀ x, ¬(Name3 ∧ Name3) | Name3a | ∀ x, Name3 ↔ Small
    Name3a ::= S a | T a | U a | ¬S a | ¬T a
    Level3 ::= ∀ x, Small → Small | ∀ x, Small → Small | ∀ x, ¬(Name3 ∧ Small) | ∀ x, Name3 ↔ Small | ∃ x, Small
    Level4 ::= ∀ x, Small → Large | ∀ x, Large → Small | ∀ x, Small ↔ Small | ∃ x, Large | ∀ x, ¬(Small ∧ Small)
    Image ::= ∀ x, S x → V (f x) | ∀ x, V (f x) → S x | ∀ y, V y → Hit | ∃ x, S x ∧ V (f x) | ∀ x, S x → W (f x)
    Image2 ::= ∀ x, T x → S x | ∀ x, S x → T x | ∀ y, W y → V y | ∀ x, T x → V (f x) | ∀ y, V y → W y
    Image3 ::= ∀ y, Hit → V y | ∀ y, Hit → W y | ∃ y, V y ∧ Hit | ∀ y, ¬(V y ∧ W y) | ∀ x, ¬(S x ∧ T x)
    Image4 ::= ∀ y, Hit ∧ V y → W y | ∀ x, S x ∧ V (f x) → T x | ∃ x, S x | ∃ y, V y ∧ W y | ∃ x, T x | ∃ y, V y
    Hit ::= ∃ x, S x ∧ f x = y | ∃ x, T x ∧ f x = y | ∃ x, f x = y
    Level5 ::= Image | Image | Image2 | Image3 | Image4
    """,
    {"x": "α", "y": "β"},
)
_TYPES = {"S": "α → Prop", "T": "α → Prop", "U": "α → Prop", "a": "α"}
_MAPPED = {"S": "α → Prop", "T": "α → Prop", "V": "β → Prop", "W": "β → Prop", "f": "α → β"}
_NAMES = {"? → Prop": "S T U V"}
_HYPOTHESES = {1: (1, 2, 2), 2: (0, 1, 2, 2), 3: (0, 1, 2, 2), 4: (0, 1, 2, 3), 5: (1, 2, 2, 3)}


def draw(random: Random, level: int) -> Iterator[Drawn]:
    """Statements of the level, for ever."""
    types = _MAPPED if level == 5 else _TYPES
    decided = "it holds in all models that were tried" if level == 5 else "true, as all sets of kinds of elements show"
    # Two sets are equal if they have the same members in the worlds of one element.
    singles = [world for world in all_worlds(_TYPES) or () if len(world.carriers["α"][0]) == 1]
    worlds = worlds_of(types, random, 500 if level == 5 else 150)
    known, of_singles = dict[Term, int](), dict[Term, int]()
    while True:
        count = random.choice(_HYPOTHESES[level])
        if count:
            facts = [_SETS.draw(f"Level{level}", 3, random) for _ in range(100)]
            pool = pool_of([fact for fact in facts if is_plain(fact)], worlds, known)
            for hypotheses, conclusion in pool.sequents(count, 12, random):
                yield Drawn(statement(types, hypotheses, conclusion, _NAMES), f"inclusions; {decided}", level < 5)
        else:
            bodies = [_SETS.draw("Small" if level < 4 else "Large", 3, random) for _ in range(60)]
            pointwise = {Term("∀", (body,), "x", "α"): body for body in bodies if is_plain(body)}
            for left, right in pool_of(list(pointwise), singles, of_singles).equivalents(6, random):
                equal = _equality(pointwise[left], pointwise[right], random)
                yield Drawn(statement(types, [], equal, _NAMES), f"an equality; {decided}", True)


def _equality(left: Term, right: Term, random: Random) -> Term:
    """Of two sets, as functions or element by element."""
    if random.random() < 0.5:
        return Term("∀", (Term("↔", (left, right)),), "x", "α")
    return Term("=", (Term("fun", (left,), "x", "α"), Term("fun", (right,), "x", "α")), type="α")


SETS = Family(
    "sets",
    "sets as predicates",
    (
        "two sets, inclusions between them and one element",
        "three sets, one operation, at most two hypotheses; equalities",
        "three sets, an operation on either side, at most two hypotheses; equalities",
        "three sets, operations two deep, at most three hypotheses; equalities",
        "images and preimages under a function, at most three hypotheses",
    ),
    draw,
)

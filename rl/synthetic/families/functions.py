"""Functions: equations between compositions, and what injective, surjective and inverse functions have to do."""

from collections.abc import Iterator
from random import Random

from rl.synthetic.family import Drawn, Family
from rl.synthetic.grammar import Grammar, grammar
from rl.synthetic.pools import pool_of
from rl.synthetic.rewriting import laws, walk
from rl.synthetic.statement import statement
from rl.synthetic.terms import Term
from rl.synthetic.worlds import World, worlds_of

_COMPOSITIONS = grammar("""
    Same ::= f | g | id | Same ∘ Same | Same ∘ Same
    Chain ::= k ∘ Middle | (k ∘ Turn) ∘ g | (k ∘ l) ∘ First | Middle
    Middle ::= l ∘ First | (l ∘ id) ∘ g | Turn ∘ (g ∘ id)
    Turn ::= l | l ∘ id | id ∘ l
    First ::= g | id ∘ g | g ∘ id
""")
_LAWS = laws("""
    associativity: (u ∘ v) ∘ w == u ∘ (v ∘ w)
    id on the left: id ∘ u ==> u
    id on the right: u ∘ id ==> u
""")
# Facts about f : α → β and g : β → γ; about f and g : α → α; and about f : α → β and predicates on both.
_PAIR = grammar(
    """
    Easy ::= ∀ x y, f x = f y → x = y | ∀ v, ∃ x, f x = v | ∀ x y, g (f x) = g (f y) → x = y | ∀ z, ∃ x, g (f x) = z
    Other ::= ∀ v w, g v = g w → v = w | ∀ z, ∃ v, g v = z | ∀ x y, f x = f y | ∀ v w, g v = g w | ∀ x y, x = y
    More ::= ∀ x y, g (f x) = g (f y) | ∀ x y, k (g (f x)) = k (g (f y)) → x = y | ∀ z w, k z = k w → z = w
    Point ::= f a = f b | a = b | g (f a) = g (f b) | ∃ x, f x = v1 | ∃ x, g (f x) = g v1 | k (g v1) = k (g v2)
    Points ::= g v1 = g v2 | v1 = v2 | f a = v1 | g (f a) = g v1 | f a = v1 ∧ f b = v2 | a ≠ b | f a ≠ f b
    Level2 ::= Easy | Other | Easy
    Level3 ::= Easy | Other | Point | Points
    Level5 ::= Easy | Other | More | Points | Point | More
    """,
    {"x": "α", "y": "α", "v": "β", "w": "β", "z": "γ"},
)
_PAIR_TYPES = {"f": "α → β", "g": "β → γ", "k": "γ → δ", "a": "α", "b": "α", "v1": "β", "v2": "β"}
_ENDO = grammar(
    """
    Law ::= ∀ x, f (f x) = x | ∀ x, f (f x) = f x | ∀ x, f (g x) = g (f x) | ∀ x, g (f x) = x | ∀ x, f (g x) = x
    More ::= ∀ x, f (f x) = g x | ∀ x, g (g x) = x | ∀ x, f (g (f x)) = f x | ∀ x, f x = g x | ∀ x, f x = x
    Maps ::= ∀ x y, f x = f y → x = y | ∀ y, ∃ x, f x = y | ∀ x y, g x = g y → x = y | ∀ y, ∃ x, g x = y
    Points ::= f a = a | f a = b | f (f a) = a | g a = f b | f (f b) = f a | a = b | g (f a) = b | ∃ x, f x = x
    Points ::= g b = a
    Long ::= ∀ x, f (f (f x)) = x | ∀ x, f (f (f x)) = f x | ∀ x, f (g (f (g x))) = x | ∀ x, g (f (g x)) = g x
    Level4 ::= Law | Law | More | Maps | Maps | Points | Points
    Level5 ::= Law | More | Maps | Long | Points
    """,
    {"x": "α", "y": "α"},
)
_ENDO_TYPES = {"f": "α → α", "g": "α → α", "a": "α", "b": "α"}
_CHAIN_TYPES = {"g": "α → β", "l": "β → γ", "k": "γ → δ"}
_IMAGES = grammar(
    """
    Level5 ::= ∀ x, P x → V (f x) | ∀ x, V (f x) → P x | ∀ v, V v → Hit | ∃ x, P x ∧ V (f x) | ∀ x, P x → W (f x)
    Level5 ::= ∀ x, Q x → P x | ∀ x, P x → Q x | ∀ v, W v → V v | ∀ x, Q x → V (f x) | ∀ v, V v → W v | ∀ v, Hit → V v
    Level5 ::= ∀ v, Hit → W v | ∃ v, V v ∧ Hit | ∀ v, ¬(V v ∧ W v) | ∀ x, ¬(P x ∧ Q x) | ∀ v, Hit ∧ V v → W v
    Level5 ::= ∀ x, P x ∧ V (f x) → Q x | ∃ x, P x | ∃ v, V v ∧ W v | ∃ x, Q x | ∃ v, V v
    Hit ::= ∃ x, P x ∧ f x = v | ∃ x, Q x ∧ f x = v | ∃ x, f x = v
    """,
    {"x": "α", "v": "β"},
)
_IMAGE_TYPES = {"P": "α → Prop", "Q": "α → Prop", "V": "β → Prop", "W": "β → Prop", "f": "α → β"}


def draw(random: Random, level: int) -> Iterator[Drawn]:
    """Statements of the level, for ever."""
    pair, endo, image = (
        (types, worlds_of(types, random, 400), dict[Term, int]()) for types in (_PAIR_TYPES, _ENDO_TYPES, _IMAGE_TYPES)
    )
    while True:
        if level == 1 or (level == 2 and random.random() < 0.3):
            yield from _equations(random, level)
        elif level in (2, 3) or (level == 5 and random.random() < 0.5):
            yield from _sequents(_PAIR, *pair, random, level)
        elif level == 5 and random.random() < 0.5:
            yield from _sequents(_IMAGES, *image, random, level)
        else:
            yield from _sequents(_ENDO, *endo, random, level)


def _equations(random: Random, level: int) -> Iterator[Drawn]:
    symbol, types = random.choice([("Same", _ENDO_TYPES), ("Chain", _CHAIN_TYPES)])
    start = _COMPOSITIONS.draw(symbol, level + 1, random)
    found = walk(start, _LAWS, random.choice((1, 2, 3)), 11, random)
    if found is not None and start.size >= 5:
        end, used = found
        note = f"by rewriting with {', '.join(dict.fromkeys(used))}"
        yield Drawn(statement(types, [], Term("=", (start, end), type="α")), note)


def _sequents(
    rules: Grammar, types: dict[str, str], worlds: list[World], known: dict[Term, int], random: Random, level: int
) -> Iterator[Drawn]:
    facts = [rules.draw(f"Level{level}", 3, random) for _ in range(60)]
    count = random.choice({2: (1, 2), 3: (1, 2, 2), 4: (1, 2, 2), 5: (2, 3)}[level])
    for hypotheses, conclusion in pool_of(facts, worlds, known).sequents(count, 10, random):
        note = "properties of functions; it holds in all models that were tried"
        yield Drawn(statement(types, hypotheses, conclusion), note)


FUNCTIONS = Family(
    "functions",
    "functions: composition, injective and surjective ones",
    (
        "an equation between compositions",
        "longer compositions; injective and surjective functions, at most two hypotheses",
        "the same with single elements, at most two hypotheses",
        "two functions of a type into itself: inverse, idempotent, commuting, at most two hypotheses",
        "both, with three functions and longer equations, and images of predicates, two or three hypotheses",
    ),
    draw,
)

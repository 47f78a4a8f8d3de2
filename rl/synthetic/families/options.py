"""Options: equations that laws of `map`, `bind`, `or`, `filter` and `getD` give, and ones that no test refutes."""

from collections.abc import Iterator
from random import Random

from rl.synthetic.family import Drawn, Family
from rl.synthetic.grammar import grammar
from rl.synthetic.plain import is_plain
from rl.synthetic.pools import pool_of, seemingly_equal
from rl.synthetic.rewriting import laws, walk
from rl.synthetic.statement import statement
from rl.synthetic.terms import Term
from rl.synthetic.worlds import World, worlds_of

_TERMS = grammar("""
    Os ::= o | u | o | some a | Os.or Os | Os.filter p | Os.bind h
    Ps ::= Os.map f | Os.map f | Ps.or Ps | Os.bind k | Ps.filter q
    Qs ::= Ps.map g
    Left ::= none.or o | o.or none | (some a).or o | o.map id | o.or o | (o.or u).or v | (some a).filter p
    Left ::= o.or (some a)
    Right ::= (some a).map f | (some a).bind k | (o.or u).map f | (o.map f).or w | (o.map f).bind l | o.bind k
    Start1 ::= Left | Left.or v | Left.map f | Left.bind k | Right | Right.or w | Right.map g | (some a).getD b
    Start2 ::= Os.map f | Os.or Os | Os.bind k | Os.filter p
    Start3 ::= Ps | Ps.map g | Ps.or Ps | Ps.filter q
    Start4 ::= Qs | Qs.or Qs | Ps.filter q | (Ps.or Ps).map g
    Start5 ::= Qs.or Qs | (Ps.or Ps).map g | (Ps.or Ps).filter q
    Truth2 ::= Os.isSome | Os.isNone
    Truth3 ::= Ps.isSome | Ps.isNone
    Value ::= Os.getD a | Os.getD b | (Os.or Os).getD a | Os.getD (Os.getD a) | a
    Value2 ::= Ps.getD (f a) | f (Os.getD a) | Ps.getD (f b) | (Os.map f).getD (f a)
    Fact ::= o = none | o = some a | u = none | o = u | o.or u = none | o.map f = none | o.map f = some c | u = some b
    Fact2 ::= o.isSome = true | o.isNone = true | u.isSome = true | o.filter p = none | o.filter p = some a | p a = true
    Fact3 ::= o.or u = o | o.or u = u | o.bind k = none | u.isNone = true | (o.or u).isSome = true | o.getD a = b
    Fact3 ::= o ≠ none
    Fact4 ::= f a = c | o.map f = u.map f | (o.filter p).isSome = true | u ≠ none | o = some b | (o.map f).isSome = true
    Facts ::= Fact | Fact2 | Fact3 | Fact4
""")
_LAWS = laws("""
    map_some: (some x).map f == some (f x)
    map_none: none.map f ==> none
    map_id: o.map id ==> o
    map_map: (o.map f).map g == o.map (g ∘ f)
    map_or: (o.or u).map f == (o.map f).or (u.map f)
    or_assoc: (o.or u).or v == o.or (u.or v)
    or_self: o.or o ==> o
    none_or: none.or o ==> o
    or_none: o.or none ==> o
    some_or: (some x).or o ==> some x
    bind_some: (some x).bind k ==> k x
    bind_none: none.bind k ==> none
    bind_map: (o.map f).bind k == o.bind (k ∘ f)
    filter_map: (o.map f).filter q == (o.filter (q ∘ f)).map f
    filter_none: none.filter p ==> none
    filter_filter: (o.filter p).filter p ==> o.filter p
    getD_some: (some x).getD y ==> x
    toList_some: (some x).toList ==> [x]
""")
TYPES = {
    "o": "Option α", "u": "Option α", "v": "Option α", "w": "Option β", "f": "α → β", "g": "β → γ", "a": "α",
    "b": "α", "c": "β", "p": "α → Bool", "q": "β → Bool", "h": "α → Option α", "k": "α → Option β", "l": "β → Option β",
}  # fmt: skip
_STEPS = {1: (1, 2), 2: (1, 2), 3: (2, 3), 4: (3, 4), 5: (4, 5)}


def draw(random: Random, level: int) -> Iterator[Drawn]:
    """Statements of the level, for ever."""
    worlds, known = worlds_of(TYPES, random, 400), dict[Term, int]()
    while True:
        chance = random.random()
        if level > 1 and chance < 0.35:
            yield from _sequents(worlds, known, random, level)
        elif level > 1 and chance < 0.6:
            yield from _conjectures(worlds, random, level)
        else:
            start = _TERMS.draw(f"Start{level}", min(level, 3), random)
            found = walk(start, _LAWS, random.choice(_STEPS[level]), 9 + 2 * level, random)
            if found is not None:
                end, used = found
                note = f"by rewriting with {', '.join(dict.fromkeys(used))}"
                yield Drawn(statement(TYPES, [], Term("=", (start, end))), note)


def _conjectures(worlds: list[World], random: Random, level: int) -> Iterator[Drawn]:
    symbol = random.choice(("Truth2", "Value") if level == 2 else ("Truth3", "Value2"))
    terms = [_TERMS.draw(symbol, min(level, 4), random) for _ in range(80)]
    terms = [term for term in terms if term.size < 6 + 2 * level and is_plain(term)]
    for left, right in seemingly_equal(terms, worlds[:100], 5, random):
        note = "two terms with the same values wherever they were tried"
        yield Drawn(statement(TYPES, [], Term("=", (left, right))), note)


def _sequents(worlds: list[World], known: dict[Term, int], random: Random, level: int) -> Iterator[Drawn]:
    facts = [_TERMS.draw("Fact" if level == 2 else "Facts", 2, random) for _ in range(60)]
    pool = pool_of(facts, worlds, known)
    for hypotheses, conclusion in pool.sequents(1 if level == 2 else 2, 10, random):
        yield Drawn(statement(TYPES, hypotheses, conclusion), "a sequent; it holds in all models that were tried")


OPTIONS = Family(
    "options",
    "options: map, bind, or, filter, getD",
    (
        "one or two laws, terms two deep",
        "one or two laws; one hypothesis; conjectures two deep",
        "two or three laws, two types; two hypotheses; conjectures three deep",
        "three or four laws, three types; two hypotheses; conjectures four deep",
        "four or five laws, three types; two hypotheses; conjectures four deep and longer",
    ),
    draw,
)

"""Lists: equations that laws of `map`, `++`, `reverse`, `filter` and others give, and ones that no test refutes."""

from collections.abc import Iterator
from random import Random

from rl.synthetic.family import Drawn, Family
from rl.synthetic.grammar import grammar
from rl.synthetic.pools import seemingly_equal
from rl.synthetic.rewriting import laws, walk
from rl.synthetic.statement import statement
from rl.synthetic.terms import Term
from rl.synthetic.worlds import World, worlds_of

# f : α → β, g : β → γ; p on α, q on β; xs, ys, zs of α, us of β; and ns, ms of numbers.
_TERMS = grammar(
    """
    Name ::= xs | ys
    Xs ::= xs | ys | xs | Xs ++ Xs | Xs.reverse | Xs.filter p | a :: Xs | Xs ++ [a]
    Ys ::= us | Xs.map f | Xs.map f | Ys ++ Ys | Ys.reverse | Ys.filter q
    Zs ::= Ys.map g
    Some ::= xs | xs ++ ys | xs.reverse | a :: xs | xs.map id
    Level1 ::= Some ++ ys | Some.reverse | Some.map f | (xs ++ Name).map f | xs ++ (ys ++ Name) | xs.reverse.map f
    Level1 ::= (Some ++ Some).map f | (Some ++ Name).reverse | (xs ++ Name).filter p | xs.reverse.filter p
    Level1 ::= (xs ++ ys).all p
    Level1 ::= (a :: xs) ++ Name | (a :: Some).reverse | (xs.map f).map g | (xs.map f).all q | (xs ++ Name).foldr k c
    Level2 ::= Xs.map f | Xs.reverse | Xs.filter p | Xs ++ Xs
    Level3 ::= Ys.reverse | Ys.filter q | Xs.map f | Ys.map g | Zs ++ Zs | Xs.filter p
    Level4 ::= Ys.reverse | Zs.reverse | Ys.filter q | Zs ++ Zs | Xs.reverse
    Length1 ::= Some.length | (Some ++ Some).length | (xs ++ Name).length + Name.length | (xs ++ ys).length
    Length1 ::= (xs.map f).length | (a :: xs).length
    Length2 ::= Xs.length | (Xs.map f).length | Xs.length + Xs.length
    Length3 ::= Ys.length | Zs.length | Ys.length + Ys.length
    Length4 ::= Ys.length | Zs.length + Zs.length
    Member1 ::= a ∈ Some ++ ys | a ∈ xs.reverse | a ∈ b :: xs | a ∈ [b] ++ xs | a ∈ xs ++ (ys ++ Name)
    Member2 ::= a ∈ Xs ++ Name | a ∈ b :: Xs | a ∈ Xs.reverse
    Member3 ::= a ∈ Xs.filter p | a ∈ Xs ++ Xs | a ∈ b :: (Xs ++ Xs)
    Member4 ::= a ∈ Xs.filter p | a ∈ Xs ++ (b :: Xs)
    Folded3 ::= (Xs ++ Xs).foldr k c | (a :: Xs).foldr k c | Xs.reverse.foldr k c | (Xs ++ [a]).foldl l c
    Folded4 ::= (Ys ++ Ys).all q | (Ys ++ Ys).any q | Xs.reverse.foldl l c | (Ys ++ Ys).foldr m c
    Ns ::= ns | ms | Ns ++ Ns | Ns.reverse | Ns.map (fun x => x + 1) | Ns.map (fun x => 2 * x) | Ns.map (fun x => x * x)
    Cut ::= Ns.take n | Ns.drop n | Ns.take n ++ Ns.drop n | (Ns.take n).drop n | Ns.take (n + n) | List.replicate n d
    Numbers ::= Ns | Cut | Cut ++ Ns | (Ns.take n).reverse | Cut.reverse | Ns.drop (n + n)
    Count ::= Ns.sum | Ns.length | 2 * Ns.sum | Ns.sum + Ns.length | Cut.length | n + Ns.length | Ns.length + Ns.length
    Counts ::= Cut.sum | Count + Count | n * d | min n Ns.length | Ns.length ∸ n | Ns.sum + Count
    """,
    {"x": "Nat"},
)
# A law is used either way only where both sides say the same of types.
_LAWS = laws("""
    append_assoc: (xs ++ ys) ++ zs == xs ++ (ys ++ zs)
    append_nil: xs ++ [] ==> xs
    map_append: (xs ++ ys).map f == xs.map f ++ ys.map f
    map_id: xs.map id ==> xs
    map_map: (xs.map f).map g == xs.map (g ∘ f)
    map_cons: (x :: xs).map f == f x :: xs.map f
    map_reverse: xs.reverse.map f == (xs.map f).reverse
    reverse_append: (xs ++ ys).reverse == ys.reverse ++ xs.reverse
    reverse_reverse: xs.reverse.reverse ==> xs
    reverse_cons: (x :: xs).reverse == xs.reverse ++ [x]
    cons_append: (x :: xs) ++ ys == x :: (xs ++ ys)
    map_singleton: [x].map f == [f x]
    filter_append: (xs ++ ys).filter p == xs.filter p ++ ys.filter p
    filter_reverse: xs.reverse.filter p == (xs.filter p).reverse
    filter_filter: (xs.filter p).filter p ==> xs.filter p
    filter_map: (xs.map f).filter q == (xs.filter (q ∘ f)).map f
    length_append: (xs ++ ys).length ==> xs.length + ys.length
    length_map: (xs.map f).length ==> xs.length
    length_reverse: xs.reverse.length ==> xs.length
    length_cons: (x :: xs).length ==> xs.length + 1
    length_singleton: [x].length ==> 1
    add_comm: m + n == n + m
    mem_append: x ∈ xs ++ ys == x ∈ xs ∨ x ∈ ys
    mem_cons: x ∈ y :: xs == x = y ∨ x ∈ xs
    mem_singleton: x ∈ [y] == x = y
    mem_reverse: x ∈ xs.reverse ==> x ∈ xs
    mem_filter: x ∈ xs.filter p ==> x ∈ xs ∧ p x = true
    or_comm: r ∨ s == s ∨ r
    or_assoc: (r ∨ s) ∨ t == r ∨ (s ∨ t)
    and_or_left: r ∧ (s ∨ t) == (r ∧ s) ∨ (r ∧ t)
    foldr_append: (xs ++ ys).foldr f b == xs.foldr f (ys.foldr f b)
    foldr_cons: (x :: xs).foldr f b == f x (xs.foldr f b)
    foldl_append: (xs ++ ys).foldl f b == ys.foldl f (xs.foldl f b)
    all_append: (xs ++ ys).all p == xs.all p && ys.all p
    all_map: (xs.map f).all p == xs.all (p ∘ f)
    all_reverse: xs.reverse.all p ==> xs.all p
    any_append: (xs ++ ys).any p == xs.any p || ys.any p
    any_map: (xs.map f).any p == xs.any (p ∘ f)
    any_reverse: xs.reverse.any p ==> xs.any p
    and_comm: r && s == s && r
    or_comm on Bool: r || s == s || r
""")
TYPES = {
    "xs": "List α", "ys": "List α", "us": "List β", "f": "α → β", "g": "β → γ", "p": "α → Bool", "q": "β → Bool",
    "a": "α", "b": "α", "c": "γ", "k": "α → γ → γ", "l": "γ → α → γ", "m": "β → γ → γ",
}  # fmt: skip
_NUMBERS = {"ns": "List Nat", "ms": "List Nat", "n": "Nat", "d": "Nat"}
_SORTS = {1: ("Level", "Length", "Member"), 2: ("Level", "Length", "Member")}
_STEPS = {1: (1,), 2: (2,), 3: (2, 3), 4: (3, 4), 5: (4, 5)}


def draw(random: Random, level: int) -> Iterator[Drawn]:
    """Statements of the level, for ever."""
    worlds = worlds_of(_NUMBERS, random, 60)
    while True:
        if level == 5 and random.random() < 0.6:
            yield from _conjectures(worlds, random)
            continue
        kind = random.choice(_SORTS.get(level, ("Level", "Level", "Length", "Member", "Folded")))
        start = _TERMS.draw(f"{kind}{min(level, 4)}", min(level, 3), random)
        found = walk(start, _LAWS, random.choice(_STEPS[level]), 10 + 2 * level, random)
        if found is None:
            continue
        end, used = found
        equal = Term("↔" if kind == "Member" else "=", (start, end))
        yield Drawn(statement(TYPES, [], equal), f"by rewriting with {', '.join(dict.fromkeys(used))}")


def _conjectures(worlds: list[World], random: Random) -> Iterator[Drawn]:
    """Equations of lists of numbers, and of their lengths and sums."""
    symbols = random.choice([("Numbers",), ("Count", "Counts")])
    terms = [_TERMS.draw(random.choice(symbols), 4, random) for _ in range(120)]
    for left, right in seemingly_equal([term for term in terms if term.size < 14], worlds, 6, random):
        note = "two terms with the same values wherever they were tried"
        yield Drawn(statement(_NUMBERS, [], Term("=", (left, right))), note)


LISTS = Family(
    "lists",
    "lists: map, append, reverse, filter, length, membership, folds",
    (
        "one law: lists, lengths or membership",
        "two laws, terms two deep",
        "two or three laws, terms three deep, two types, folds",
        "three or four laws, terms three deep, three types, folds",
        "four or five laws; conjectures about lists of numbers, their sums, parts and lengths",
    ),
    draw,
)

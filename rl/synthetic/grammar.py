"""Small grammars: terms that are drawn by rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from rl.synthetic.notation import read
from rl.synthetic.terms import Term, free_heads, places, replaced


@dataclass(frozen=True)
class Grammar:
    """By name of a symbol, what may stand in its place: terms, in which symbols stand for themselves."""

    rules: Mapping[str, tuple[Term, ...]]

    def draw(self, symbol: str, depth: int, random: Random) -> Term:
        """A term for the symbol, in which rules are nested at most `depth` deep.

        At the last level only rules without symbols are taken; there has to be one for each symbol, or one whose
        symbols have such.
        """
        rules = self.rules[symbol]
        if depth <= 0:
            rules = tuple(rule for rule in rules if not self._symbols(rule)) or rules
        term = random.choice(rules)
        # From the right: what was put in must not be looked through again.
        for path, part in reversed([(path, part) for path, part in places(term) if part.head in self.rules]):
            term = replaced(term, path, self.draw(part.head, depth - 1, random))
        return term

    def _symbols(self, rule: Term) -> bool:
        return any(head in self.rules for head in free_heads(rule))


def grammar(text: str, types: Mapping[str, str] | None = None) -> Grammar:
    """The grammar of lines `SYMBOL ::= TERM | TERM ...`; a symbol may have several.

    A term that is there twice is drawn twice as often.
    """
    rules: dict[str, tuple[Term, ...]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        symbol, _, right = line.partition(" ::= ")
        rules[symbol] = (*rules.get(symbol, ()), *(read(rule, types) for rule in right.split(" | ")))
    return Grammar(rules)

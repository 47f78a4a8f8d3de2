"""Draws synthetic theorems by seed, family, level and number: sound as far as Python can tell, and none twice."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from lean_env.theorem import DEFAULT_HEADER
from prover.benchmarks.row import Row
from prover.corpus.entry import split_of
from prover.decontamination.notation import normal_form
from rl.synthetic.families.divisibility import DIVISIBILITY
from rl.synthetic.families.first_order import FIRST_ORDER
from rl.synthetic.families.functions import FUNCTIONS
from rl.synthetic.families.identities import IDENTITIES
from rl.synthetic.families.inequalities import INEQUALITIES
from rl.synthetic.families.lists import LISTS
from rl.synthetic.families.options import OPTIONS
from rl.synthetic.families.propositional import PROPOSITIONAL
from rl.synthetic.families.sums import SUMS
from rl.synthetic.family import Drawn, Family
from rl.synthetic.statement import is_entailed, is_sound, models, truth
from rl.synthetic.terms import places
from rl.synthetic.worlds import worlds_of

FAMILIES = {
    family.name: family
    for family in (
        IDENTITIES, INEQUALITIES, DIVISIBILITY, SUMS, LISTS, OPTIONS, PROPOSITIONAL, FIRST_ORDER, FUNCTIONS
    )
}  # fmt: skip
LONGEST = 150  # characters of a statement: what is longer nobody would set
# So many draws in a row without anything new, and a level has no more to give.
PATIENCE = 1500
WORLDS = 400


@dataclass(frozen=True)
class Made:
    """A theorem that was made: `text` is what follows its name. No test has refuted it.

    `number` is its place, from 0, among those of its family, level and seed. `proof` is the text after `:=` of a proof
    that the judge accepted, if one was found.
    """

    text: str
    family: str
    level: int
    number: int
    note: str
    proof: str | None = None

    @cached_property
    def form(self) -> str:
        """The normal form by which overlaps are found: theorems that share it share their split too."""
        return normal_form(f"theorem t {self.text}")

    @property
    def name(self) -> str:
        return f"{self.family}_{hashlib.sha256(self.form.encode()).hexdigest()[:10]}"

    @property
    def row(self) -> Row:
        statement = f"theorem {self.name} {self.text}"
        lineage = f"synthetic, level {self.level}"
        return Row(self.name, statement, DEFAULT_HEADER, split_of(self.form), self.family, lineage, note=self.note)

    @property
    def line(self) -> str:
        """The line that is written for it."""
        row = self.row
        data = {
            "name": row.name,
            "statement": row.statement,
            "header": row.header,
            "topic": row.topic,
            "split": row.split,
            "level": self.level,
            "lineage": row.lineage,
            "note": row.note,
            "provable": "proved" if self.proof is not None else "unknown",
        }
        return json.dumps(data | ({"proof": self.proof} if self.proof is not None else {}), ensure_ascii=False) + "\n"


def theorems_of(family: Family, level: int, seed: int) -> Iterator[Made]:
    """The theorems of a family, level and seed, one after the other, always the same; no normal form is there twice.

    Ends when the level seems to have no more.
    """
    random, seen, idle = Random(f"{seed} {family.name} {level}"), set[str](), 0
    for drawn in family.draw(random, level):
        made = Made(drawn.statement.text, family.name, level, len(seen), drawn.note)
        idle += 1
        if made.form not in seen and is_exercise(drawn, Random(f"{seed} {made.text}")):
            seen.add(made.form)
            idle = 0
            yield made
        if idle >= PATIENCE:
            return


def is_exercise(drawn: Drawn, random: Random) -> bool:
    """Whether a statement is worth setting: short, not trivial, refuted by no test, and without idle hypotheses."""
    statement = drawn.statement
    conclusion, hypotheses = statement.conclusion, statement.hypotheses
    if len(statement.text) > LONGEST or not statement.variables or len({*statement.facts}) < len(statement.facts):
        return False
    equal = ((part.head, *part.args) for fact in statement.facts for _, part in places(fact))
    if any(head in ("=", "≤", "↔") and left == right for head, left, right in (e for e in equal if len(e) == 3)):
        return False
    variables = dict(statement.variables)
    worlds = worlds_of(variables, random, WORLDS if hypotheses else WORLDS // 4)
    everywhere = (1 << len(worlds)) - 1
    given, said = [truth(fact, worlds) for fact in hypotheses], truth(conclusion, worlds)
    if hypotheses and not drawn.tight:
        return is_sound(given, said, everywhere, models(worlds))
    return is_entailed(given, said, everywhere)


def synthesise(count: int, seed: int, families: Sequence[str], levels: Sequence[int]) -> Iterator[Made]:
    """`count` theorems of these families and levels in turn, or as many as there are; no normal form twice.

    The families are gone through level by level, so the first theorems of a longer list are those of a shorter one.
    """
    cells = [theorems_of(FAMILIES[name], level, seed) for level in levels for name in families]
    seen: set[str] = set()
    while cells and len(seen) < count:
        for cell in list(cells):
            # What another level had already is passed over.
            made = next((made for made in cell if made.form not in seen), None)
            if made is None:
                cells.remove(cell)
            elif len(seen) < count:
                seen.add(made.form)
                yield made

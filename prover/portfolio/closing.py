"""Tactics that end a goal or do nothing useful: tried first wherever they could apply, the cheap before the dear."""

from prover.portfolio.features import Features
from prover.portfolio.rule import Suggestion
from prover.portfolio.shape import shape


def closers(goal: Features) -> list[Suggestion]:
    """Weights are relative, and about what one would bet on each."""
    if goal.shape.head == "False" and not goal.facts:
        return []
    found = [
        Suggestion("rfl", 1.0 if goal.shape.head in ("=", "↔") else 0.1),
        Suggestion("assumption", 1.0 if goal.facts else 0.05),
        Suggestion("simp", 3.0),
        Suggestion("simp_all", 4.0 if goal.facts else 0.3),
        Suggestion("grind", 6.0),
        Suggestion("exact?", 0.02),
    ]
    if goal.shape.head == "False" or any(fact.shape.head in ("¬", "≠", "False") for fact in goal.facts):
        found.append(Suggestion("contradiction", 0.8))
    if goal.has_arithmetic:
        found += [Suggestion("omega", 9.0), *([Suggestion("simp_all; omega", 1.5)] if goal.facts else [])]
        found.append(Suggestion("simp; omega", 1.0))
    found += [*_computed(goal), *_named(goal), *_by_equations(goal), *_lists(goal), *_casts(goal)]
    if goal.goals > 1:
        found += [Suggestion("all_goals omega", 0.6)] if goal.has_arithmetic else []
        found.append(Suggestion("all_goals simp_all", 0.6))
    return found


def _computed(goal: Features) -> list[Suggestion]:
    """A statement about numerals alone is computed. The kernel is asked last: no heartbeat stops it."""
    if not goal.is_closed:
        return [Suggestion("decide", 0.3)] if goal.shape.head in ("∀", "∃", "¬") else []
    return [Suggestion("decide", 9.0), Suggestion("decide +kernel", 4.0), Suggestion("simp +decide", 0.5)]


def _named(goal: Features) -> list[Suggestion]:
    """What the theorem's own header defines and proves."""
    used = [name for name in goal.definitions if name in goal.words]
    found = []
    if used:
        names = ", ".join(used)
        found += [Suggestion(f"simp [{names}]", 3.0), Suggestion(f"simp_all [{names}]", 2.0)]
        found += [Suggestion(f"grind [{names}]", 3.0), Suggestion(f"simp [{names}]; omega", 1.0)]
    if goal.lemmas:
        names = ", ".join(goal.lemmas[-8:])
        found += [Suggestion(f"simp [{names}]", 0.8), Suggestion(f"grind [{names}]", 1.5)]
        found += [Suggestion(f"apply {name}", 0.3) for name in goal.lemmas[-8:]]
    return found


def _by_equations(goal: Features) -> list[Suggestion]:
    """Facts that say what a function is: rewrite with them, then compute or calculate."""
    rules = [fact.name for fact in goal.facts if _is_rule(fact.shape.head, fact.shape.right)]
    if not rules:
        return []
    names = ", ".join(rules)
    found = [Suggestion(f"simp only [{names}]; decide", 1.5), Suggestion(f"simp [{names}]", 1.5)]
    found += [Suggestion(f"simp only [{names}]; decide +kernel", 1.2), Suggestion(f"simp [{names}]; grind", 0.7)]
    if goal.has_arithmetic:
        found.append(Suggestion(f"simp only [{names}] at *; omega", 1.0))
    return found + _put_in(goal)


def _put_in(goal: Features) -> list[Suggestion]:
    """`∀ x, f x = e` put into another fact about f."""
    found = []
    for rule in goal.facts:
        if _is_rule(rule.shape.head, rule.shape.right):
            function = shape(rule.shape.right).left.split(" ", 1)[0]
            about = [fact for fact in goal.facts_about(function) if fact.name != rule.name]
            found += [Suggestion(f"simp only [{rule.name}] at {fact.name}", 1.5) for fact in about[:4]]
    return found


def _is_rule(head: str, body: str) -> bool:
    return head == "∀" and shape(body).head in ("=", "↔")


def _lists(goal: Features) -> list[Suggestion]:
    if not goal.words & {"List", "Array", "length", "reverse", "sum", "map", "filter", "range", "foldl", "foldr"}:
        return []
    found = [Suggestion("simp_all; grind", 0.8)]
    if "range" in goal.words or "range'" in goal.words:
        unfold = "List.range_succ, List.range'_concat"
        names = ", ".join(fact.name for fact in goal.facts)
        found += [Suggestion(f"simp [{unfold}]; grind", 1.0), Suggestion(f"simp [{unfold}] at *; omega", 0.8)]
        found += [Suggestion(f"simp [{unfold}, {names}]; grind", 2.0)] if names else []
    return found


def _casts(goal: Features) -> list[Suggestion]:
    """`x = 42` over Nat or Int from equations over the rationals: shown there, and brought back."""
    if goal.shape.head != "=" or not goal.has_rationals or not goal.shape.left.isidentifier():
        return []
    left, right = goal.shape.left, goal.shape.right
    h = goal.fresh("h")
    return [Suggestion(f"have {h} : ({left} : Rat) = {right} := by grind\nexact_mod_cast {h}", 2.0)]

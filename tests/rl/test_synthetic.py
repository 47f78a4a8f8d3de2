"""Synthetic theorems: the same for the same seed, none twice, none refuted, and real Lean reads and proves them."""

import json
from collections import Counter
from contextlib import nullcontext
from itertools import islice, product
from random import Random

import pytest
from typer.testing import CliRunner

import rl.cli
from lean_env import Candidate, LeanPool, Verifier
from prover.benchmarks.catalogue import load
from prover.decontamination.notation import normal_form
from prover.runs.store import read_run
from prover.sources import UserInputError
from rl.data.overlap import overlap
from rl.search_run import Attempts
from rl.synthetic.check import check
from rl.synthetic.family import LEVELS, Drawn, Family
from rl.synthetic.generate import FAMILIES, LONGEST, Made, is_exercise, synthesise, theorems_of
from rl.synthetic.notation import read
from rl.synthetic.statement import is_entailed, models, statement, truth
from rl.synthetic.worlds import World, worlds_of
from tests.rl.ends import ENDS

NAMES = tuple(FAMILIES)


def command(*arguments):
    return CliRunner().invoke(rl.cli.app, ["synthesize", *map(str, arguments)])


@pytest.fixture(scope="module")
def made():
    return list(synthesise(405, 7, NAMES, LEVELS))


def test_all_families_and_levels_have_a_share_and_no_normal_form_is_there_twice(made):
    forms = {normal_form(one.row.statement) for one in made}
    assert len(forms) == len({one.name for one in made}) == 405
    assert set(Counter((one.family, one.level) for one in made).values()) == {9}
    assert max(len(one.text) for one in made) <= LONGEST
    shares = Counter(one.row.split for one in made)
    assert shares["train"] > 280
    assert shares["valid"]
    assert shares["test"]


def test_the_same_seed_makes_the_same_and_a_longer_list_begins_with_a_shorter_one(made):
    assert list(synthesise(90, 7, NAMES, LEVELS)) == made[:90]
    others = [one.text for one in synthesise(90, 8, NAMES, LEVELS)]
    assert len(set(others) - {one.text for one in made}) > 45


def test_a_theorem_hangs_on_its_seed_family_level_and_number_alone(made):
    of_lists = [one for one in made if (one.family, one.level) == ("lists", 3)]
    alone = list(islice(theorems_of(FAMILIES["lists"], 3, 7), 9))
    assert alone == of_lists
    assert [one.number for one in alone] == list(range(9))


def test_no_split_has_what_another_one_says_whatever_the_seed(made):
    """By the guard against overlaps, for which brackets, parentheses and names do not count."""
    others = list(synthesise(405, 8, NAMES, LEVELS))
    by_split = {split: [one.row for one in (*made, *others) if one.row.split == split] for split in ("train", "test")}
    assert len({one.name for one in made} & {one.name for one in others}) > 20
    assert not overlap(by_split["train"], by_split["test"])


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("(p q : Prop) (h : p) : (p) ∨ q", "(q r : Prop) (h : q) : q ∨ r"),
        ("{α : Type} (P : α → Prop) : ∀ x y : α, P x", "{α : Type} (Q : α → Prop) : ∀ (y x : α), Q (y)"),
    ],
)
def test_the_split_hangs_on_the_normal_form_alone(text, again):
    rows = [Made(each, family, 1, 0, "").row for family in NAMES for each in (text, again)]
    assert len({row.split for row in rows}) == 1
    assert len({row.name for row in rows}) == len(NAMES)


def test_of_statements_with_one_normal_form_the_first_is_taken(monkeypatch):
    def draw(random, level):
        for names in ({}, {"Nat": "n m"}):
            yield Drawn(statement(dict.fromkeys("ab", "Nat"), [], read("a + b = b + a"), names), "")

    for name in ("one", "two"):
        monkeypatch.setitem(FAMILIES, name, Family(name, "", ("",) * 5, draw))
    assert [(made.text, made.number) for made in theorems_of(FAMILIES["one"], 1, 0)] == [
        ("(a b : Nat) : a + b = b + a", 0)
    ]
    assert [made.family for made in synthesise(9, 0, ("one", "two"), (1, 2))] == ["one"]


@pytest.mark.parametrize("family", NAMES)
def test_what_is_drawn_is_hardly_ever_refuted(family):
    """In other worlds than it was tried in: of sequents of first order one in a hundred, and nothing else, even before
    a test has thrown one out."""
    drawn = [each for level in LEVELS for each in islice(FAMILIES[family].draw(Random(level), level), 60)]
    is_tried = family in ("first_order", "functions")
    refuted = []
    for said in (each.statement for each in drawn if not is_tried or is_exercise(each, Random(0))):
        worlds = worlds_of(dict(said.variables), Random(said.text), 60)
        given = [truth(fact, worlds) for fact in said.hypotheses]
        if not is_entailed(given, truth(said.conclusion, worlds), models(worlds)):
            refuted.append(said.text)
    assert len(refuted) <= (3 if is_tried else 0), refuted


def test_hypotheses_that_are_given_as_tight_are_true_together():
    """Linear equations in integers, solved by looking."""
    for drawn in islice((d for d in FAMILIES["identities"].draw(Random(3), 4) if d.tight), 20):
        said = drawn.statement
        names = [name for name, _ in said.variables]
        pairs = product(range(-8, 13), repeat=2)
        worlds = [World(dict(zip(names, pair, strict=True))) for pair in pairs]
        given = [truth(fact, worlds) for fact in said.hypotheses]
        assert not is_entailed(given, 0, models(worlds)), said.text


def exercise(types, hypotheses, conclusion):
    bound = {"x": "α", "y": "α", "z": "γ"}
    said = statement(types, [read(text, bound) for text in hypotheses], read(conclusion, bound))
    return is_exercise(Drawn(said, ""), Random(0))


def test_what_is_no_exercise():
    numbers, props = dict.fromkeys("abc", "Nat"), dict.fromkeys("pqr", "Prop")
    assert exercise(numbers, [], "a + b = b + a")
    assert not exercise(numbers, [], "a + b = b + a + 1")
    assert not exercise(numbers, [], "a * b ≤ a * a + b")  # only at 2 and 5, say
    assert not exercise(numbers, [], "a + b = a + b")
    assert exercise(numbers, ["a ≤ b"], "a + c ≤ b + c")
    assert not exercise(numbers, ["a ≤ b", "b ≤ c"], "a ≤ b + c")  # one of them is idle
    assert not exercise(numbers, ["a < b", "b < a"], "a = c")  # never both
    assert not exercise(props, ["p"], "p")
    assert not exercise({}, [], "2 + 2 = 4")
    assert not exercise({"f": "α → α"}, ["∀ x y, f x = f y → x = y"], "∀ y, ∃ x, f x = y")
    types = {"f": "α → β", "g": "γ → α"}  # false if γ has no elements and α has one
    assert not exercise(types, ["∀ x y, f x = f y → x = y", "∀ x y, f x = f y"], "∀ y, ∃ z, g z = y")
    assert exercise({"f": "α → α"}, ["∀ x, f (f x) = x"], "∀ y, ∃ x, f x = y")


def test_a_level_that_has_no_more_ends():
    assert 30 < len(list(synthesise(10**6, 0, ("sums",), (1,)))) < 3000


def test_every_family_and_level_elaborates(pool: LeanPool, made):
    for one in made[:100]:
        assert pool.check_statement(one.row.theorem), one.text


def test_the_command_writes_the_same_bytes_and_the_benchmarks_read_them(tmp_path, made):
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    for path in (first, second):
        result = command("--out", path, "--count", 120, "--seed", 7)
        assert result.exit_code == 0, result.stderr
        assert result.stdout == f"120 theorems in {path}\n"
    assert first.read_bytes() == second.read_bytes()
    rows = [json.loads(line) for line in first.read_text().splitlines()]
    assert [row["name"] for row in rows] == [one.name for one in made[:120]]
    assert rows[0] == {
        "name": made[0].name,
        "statement": f"theorem {made[0].name} {made[0].text}",
        "header": "import Init",
        "topic": made[0].family,
        "split": made[0].row.split,
        "level": 1,
        "lineage": "synthetic, level 1",
        "note": made[0].note,
        "provable": "unknown",
    }
    read_back = load(str(first)).rows
    assert [(row.name, row.statement, row.header, row.split, row.topic, row.note) for row in read_back] == [
        (one.row.name, one.row.statement, one.row.header, one.row.split, one.row.topic, one.row.note)
        for one in made[:120]
    ]


def test_families_and_levels_are_chosen(tmp_path):
    out = tmp_path / "a.jsonl"
    assert command("--out", out, "--count", 12, "--families", "sums, options", "--levels", "4,2").exit_code == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert Counter((row["topic"], row["level"]) for row in rows) == {
        ("sums", 2): 3, ("sums", 4): 3, ("options", 2): 3, ("options", 4): 3,
    }  # fmt: skip
    listed = command("--list").stdout
    assert all(f"{name}: " in listed for name in NAMES)
    assert listed.count("\n") == 6 * len(NAMES)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--families", "sums,groups"], "--families: `groups` is none of identities,"),
        (["--families", ","], "--families: `,` is none of"),
        (["--levels", "0"], "--levels: `0` is none of 1 to 5."),
        (["--check", "nan"], "--check: nan is no number of seconds."),
        (["--check", "0"], "--check: 0.0 is no number of seconds."),
        (["--workers", "2"], "--workers is for --check; without it no Lean is asked."),
        (["--out", "/nowhere/a.jsonl"], "/nowhere/a.jsonl cannot be written: there is no such folder."),
    ],
)
def test_bad_input_is_one_sentence(arguments, sentence):
    result = command(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"prover-rl: {sentence}")
    assert "Traceback" not in result.output


@pytest.mark.parametrize(("error", "code", "said"), ENDS)
def test_an_end_before_the_end_says_how_it_goes_on(tmp_path, monkeypatch, error, code, said):
    def ended(*_, **__):
        raise error

    monkeypatch.setattr("rl.commands.synthesize.open_pool", lambda *_: nullcontext())
    monkeypatch.setattr("rl.synthetic.check.search_run", ended)
    out = tmp_path / "a.jsonl"
    done = command("--out", out, "--count", 2, "--families", "sums", "--check", 5, "--workers", 1)
    assert (done.exit_code, done.stderr) == (code, "prover-rl: " + said.replace("OUT", f"{out}.check"))
    assert not out.exists()


def test_proofs_are_found_judged_kept_and_gone_on_with(pool: LeanPool, verifier: Verifier, tmp_path):
    # Twenty calls, not seconds: what comes out does not hang on the machine.
    attempts = Attempts(seconds=60, calls=20)
    some = list(synthesise(6, 0, ("propositional", "lists"), (1,)))
    found = check(some, tmp_path / "c", attempts, pool)
    assert [one.name for one in found] == [one.name for one in some]
    proved = [one for one in found if one.proof is not None]
    assert len(proved) >= 4
    for one in proved:
        assert verifier.verify(one.row.theorem, Candidate(one.proof or "")).proved
        row = json.loads(one.line)
        assert (row["provable"], row["proof"]) == ("proved", one.proof)
    # Nothing is attempted again, and other theorems are not mixed in.
    finished = [attempt.finished for attempt in read_run(tmp_path / "c").attempts]
    assert check(some, tmp_path / "c", attempts, pool) == found
    assert [attempt.finished for attempt in read_run(tmp_path / "c").attempts] == finished
    with pytest.raises(UserInputError, match="other settings"):
        check(some[:5], tmp_path / "c", attempts, pool)

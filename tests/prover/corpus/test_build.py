"""The corpus of a few modules of real Lean: what its rows say, what is left out, and what a kill costs."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from lean_env import Candidate, LeanPool, StatementError, Theorem, Verifier
from lean_env.library import modules, restate, theorems
from prover.corpus import build as build_module
from prover.corpus.build import build, made_with
from prover.corpus.collect import Collected
from prover.corpus.entry import Entry
from prover.corpus.journal import Journal
from prover.sources import UserInputError, read_source

QUIET = Console(file=sys.stderr)
COMMAND = "import typer; from prover.commands.data.core import core; typer.run(core)"
STRICT = "set_option autoImplicit false in\nset_option relaxedAutoImplicit false in\n"


def library_type(pool: LeanPool, name: str) -> str:
    """What the installed theorem says, as Lean prints it with the whole library imported."""
    answer = pool.request(60, method="inspect", header="import Init", name=name)["ok"]
    assert answer["kind"] == "theorem"
    return str(answer["type"])


def header_of(pool: LeanPool, module: str) -> str:
    return next(m.header for m in modules(pool) if m.name == module)


@pytest.mark.parametrize("module", ["Init.Data.Prod", "Init.Data.Nat.Mod", "Init.ByCases"])
def test_every_row_says_what_the_library_says_and_can_be_worked_on(pool: LeanPool, tmp_path: Path, module: str) -> None:
    built = build(pool, tmp_path / "c.jsonl", module, QUIET)
    rows = [json.loads(line) for line in (tmp_path / "c.jsonl").read_text().splitlines()]
    assert built.theorems == len(rows) > 0
    for row in rows:
        theorem = Theorem(row["name"], row["statement"], row["header"])
        assert row["module"] == module
        assert pool.check_statement(theorem) == library_type(pool, row["name"])
        assert pool.check_statement(Theorem(row["name"], STRICT + row["statement"], row["header"]))
        with pool.session(theorem) as session:
            assert len(session.start.goals) == 1
            # A theorem is not there to prove itself, nor is anything after it.
            assert "nknown" in str(session.run_tactic(session.start, f"exact @{row['name']}"))
    problems = read_source(str(tmp_path / "c.jsonl")).problems
    assert [problem.name for problem in problems] == [row["name"] for row in rows]


def test_what_a_module_defines_itself_is_left_out(pool: LeanPool, tmp_path: Path) -> None:
    # `Init.Data.Prod` defines `Prod.swap`, which seven of its thirteen theorems mention; two more are instances.
    built = build(pool, tmp_path / "c.jsonl", "Init.Data.Prod", QUIET)
    assert (built.modules, dict(built.splits), built.left_out["own"], built.left_out["instance"]) == (
        1,
        {"valid": 6},
        7,
        2,
    )
    text = (tmp_path / "c.jsonl").read_text()
    assert "swap" not in text
    assert '"topic": "Prod", "split": "valid"' in text
    assert not (tmp_path / "c.jsonl.part").exists()


def test_a_row_is_proved_as_any_theorem(pool: LeanPool, verifier: Verifier, tmp_path: Path) -> None:
    build(pool, tmp_path / "c.jsonl", "Init.Data.Option.Instances", QUIET)
    rows = {row["name"]: row for row in map(json.loads, (tmp_path / "c.jsonl").read_text().splitlines())}
    row = rows["Option.some_inj"]
    theorem = Theorem(row["name"], row["statement"], row["header"])
    assert verifier.verify(theorem, Candidate("⟨Option.some.inj, congrArg some⟩")).reward == 1
    assert verifier.verify(theorem, Candidate("Option.some_inj")).reward == 0


@pytest.mark.parametrize(
    ("name", "module", "statement"),
    [
        # Bound variables that nobody can write, `α✝` here, get names.
        (
            "Option.map_apply",
            "Init.Data.Option.Lemmas",
            "theorem Option.map_apply.{u_1} {α α_1 : Type u_1} {f : α → α_1} {x : Option α} : f <$> x = Option.map f x",
        ),
        # Nothing but an ascription says of which type it is.
        (
            "Option.default_eq_none",
            "Init.Data.Option.Lemmas",
            "theorem Option.default_eq_none.{u_1} {α : Type u_1} : (default : Option α) = (none : Option α)",
        ),
        # Where `↑a` is no notation yet.
        (
            "Fin.val_congr",
            "Init.Data.Fin.Basic",
            "theorem Fin.val_congr {n : Nat} {a b : Fin n} (h : a = b) : Fin.val a = Fin.val b",
        ),
    ],
)
def test_a_statement_is_as_readable_as_its_environment_allows(
    pool: LeanPool, name: str, module: str, statement: str
) -> None:
    (said,) = restate(pool, [name], header_of(pool, module))
    assert said.statement == statement


def test_what_cannot_be_said_comes_with_a_reason(pool: LeanPool) -> None:
    (early, none) = restate(pool, ["List.length_append", "Nat.no_such"], "prelude\nimport Init.Core")
    assert (early.statement, early.missing) == (None, "List.instAppend")
    assert (none.statement, none.trouble) == (None, "no such constant")
    (late,) = restate(pool, ["Nat.add_comm"], "import Init")
    assert late.statement is None
    assert "already" in late.trouble
    with pytest.raises(StatementError):
        restate(pool, ["Nat.add_comm"], "prelude\nimport Init.Nowhere")


def test_theorems_that_differ_in_names_alone_have_one_key(pool: LeanPool) -> None:
    names = [
        "cond_true",  # .{u_1} {α : Sort u_1} (a b : α) : (bif true then a else b) = a
        "Bool.cond_true",  # .{u} {α : Sort u} {a b : α} : (bif true then a else b) = a
        "cond_false",  # .{u_1} {α : Sort u_1} (a b : α) : (bif false then a else b) = b
        "not_false_eq_true",  # : (¬False) = True
        "Lean.Grind.not_false",  # : (¬False) = True
    ]
    keys = [answer.key for answer in restate(pool, names, header_of(pool, "Init.SimpLemmas"))]
    assert "" not in keys
    assert keys[0] == keys[1]
    assert keys[3] == keys[4]
    assert len(set(keys)) == 3


def test_names_say_which_theorems_nobody_stated(pool: LeanPool) -> None:
    made = {t.name: t.made_by for t in theorems(pool, "Init.Data.Prod")}
    assert made["Prod.map_id"] == ""
    assert made["Prod.forall"] == ""
    made = {t.name: t.made_by for t in theorems(pool, "Init.Core")}
    assert made["Nat.succ.injEq"] == "generated"
    assert made["Iff.mpr"] == "field"
    assert made["Std.instCommutativeIff"] == "instance"
    assert made["Bool.of_not_eq_false"] == ""


def test_an_interrupted_corpus_goes_on_from_what_is_durable(pool: LeanPool, tmp_path: Path) -> None:
    before = Collected("Init.Data.Prod", (Entry("Prod.earlier", "theorem Prod.earlier : True", "1"),))
    with Journal(tmp_path / "c.jsonl.part", made_with(pool)) as journal:
        journal.add(before)
    built = build(pool, tmp_path / "c.jsonl", "Init.Data.Prod", QUIET)
    assert built.theorems == 1
    assert "Prod.earlier" in (tmp_path / "c.jsonl").read_text()


def test_a_theorem_on_which_lean_was_lost_is_not_left_out_in_silence(
    pool: LeanPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy machine, which loses a worker again and again, is stood in for by an answer that says so."""
    with monkeypatch.context() as patched:
        patched.setattr(
            build_module, "collect", lambda pool, module, known, done: Collected(module.name, (), {"lost": 1})
        )
        with pytest.raises(UserInputError, match=r"Lean was lost on theorems of Init\.Data\.Prod; the rest is kept"):
            build(pool, tmp_path / "c.jsonl", "Init.Data.Prod", QUIET)
    assert not (tmp_path / "c.jsonl").exists()
    assert build(pool, tmp_path / "c.jsonl", "Init.Data.Prod", QUIET).theorems == 6


def test_a_module_that_is_not_there_is_said_so(pool: LeanPool, tmp_path: Path) -> None:
    # `Init.Data.Pro` is only how the name of a module begins.
    with pytest.raises(UserInputError, match=r"No module of core Lean is called Init\.Data\.Pro "):
        build(pool, tmp_path / "c.jsonl", "Init.Data.Pro", QUIET)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_command_goes_on_and_writes_the_same_bytes(pool: LeanPool, tmp_path: Path) -> None:
    out, part = tmp_path / "killed.jsonl", tmp_path / "killed.jsonl.part"
    command = [sys.executable, "-c", COMMAND, "--out", str(out), "--workers", "1", "--modules", "Init.Data.Option"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 200
        while not (part.exists() and part.read_bytes().count(b"\n") >= 2) and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not out.exists()
    assert 2 <= part.read_bytes().count(b"\n") < len([m for m in modules(pool) if "Init.Data.Option." in m.name])
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    assert not part.exists()
    build(pool, tmp_path / "undisturbed.jsonl", "Init.Data.Option", QUIET)
    assert out.read_bytes() == (tmp_path / "undisturbed.jsonl").read_bytes()

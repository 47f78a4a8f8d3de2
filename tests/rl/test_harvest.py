"""Pairs out of runs: those of accepted proofs and no others, each of which Lean runs again; kept, counted, refused."""

import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from math import log
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from lean_env import (
    Candidate,
    LeanPool,
    ProofFinished,
    ProofSession,
    TacticError,
    TacticState,
    Theorem,
    Verifier,
    WorkerLost,
)
from lean_env.goal import Goal, focused, independent
from prover.algorithms import SEARCHES, Search
from prover.benchmarks.json_rows import from_json_lines
from prover.benchmarks.row import Benchmark, Row
from prover.portfolio import PortfolioPolicy
from prover.runs.attempt import Attempt
from prover.runs.perform import Performance
from prover.runs.progress import Board
from prover.runs.run import Run
from prover.runs.settings import Settings, as_json
from prover.runs.store import open_store, read_run, read_tree
from prover.sources import UserInputError
from rl.cli import app
from rl.data.harvest import harvest, pairs_of_proof, tactics_of
from rl.data.pairs import Pair, ProofPair, TacticPair
from rl.data.parquet import read_pairs
from rl.data.replayed import replayed, without_steps
from rl.data.tried import tried
from search import Completion, Proposal, Spent
from search.graph.proof_graph import ProofGraph, state_key
from search.graph.stored import from_json, to_json
from search.result import proof_text

ROWS = (
    Row("swap", "theorem swap (p q : Prop) : p ∧ q → q ∧ p", split="train", topic="logic"),
    Row("thrice", "theorem thrice (p q : Prop) : p → q → p ∧ q ∧ p", split="train"),
    Row("either", "theorem either (p q r : Prop) (hq : q) (hr : r) : (p ∨ q) ∧ (r ∨ q)", split="train"),
    Row("wrong", "theorem wrong (p q : Prop) : p → q", split="train"),
    Row("misspelt", "theorem misspelt (n : Nat) : Nat.sucd n = n", split="train"),
    Row("kept_out", "theorem kept_out (p : Prop) (h : p) : p ∧ p", split="test"),
)
TACTICS = ("intro h", "refine ⟨?_, ?_⟩", "exact h.1", "exact h.2", "assumption", "left", "right")


CHOSEN = {"bool_cases", "rev_map", "option_cases"}  # of multi_step.jsonl


class SevenTactics:
    """The same few tactics for every state, none of which does two things at once."""

    def propose(self, state: TacticState, theorem: Theorem) -> Sequence[Proposal]:
        return [Proposal(tactic, log((7 - place) / 28)) for place, tactic in enumerate(TACTICS)]


class TwoProofs:
    """Whole proofs: one that fails, then one of two tactics, the second over two lines."""

    def complete(self, prompts):
        text = "intro h\nconstructor" if prompts[0].seed % 2 else "intro h\nexact ⟨h.2,\n  h.1⟩"
        return [Completion(text, -2.0)]


class OneTactic:
    """A whole proof that is one tactic."""

    def complete(self, prompts):
        return [Completion("exact fun h => ⟨h.2, h.1⟩", -2.0)]


def settings(rows: Sequence[Row], search: str, attempts: int = 1, policy: str = "by hand", calls: int = 80):
    benchmark = Benchmark("made", tuple(rows))
    return Settings(
        "made", benchmark.hash, policy, search, repr(SEARCHES[search]), attempts, None, calls, 300.0, 1, 0,
        "wasm 4.28.0 38f3c0c4", "0",
    )  # fmt: skip


def performed(
    folder: Path, rows: Sequence[Row], pool: LeanPool, policy: Callable, search: str = "best-first", trees: bool = True
) -> Path:
    """A run with real Lean, as `prover bench` makes it."""
    chosen = settings(rows, search)
    with open_store(folder, as_json(chosen), list(enumerate(rows)), {}) as store:
        board = Board(rows, 1, {}, pool.health, lambda text: None)
        make = Search(SEARCHES[search], lambda seed: policy())
        performance = Performance(store, pool, chosen, make, board, threading.Event(), trees)
        performance.look()
        performance.attempts()
    return folder


def made(folder: Path, rows: Sequence[Row], proofs: Sequence[tuple[int, str | None]]) -> Path:
    """A run without trees: (row, the text that was accepted or None), an attempt each."""
    count = [0] * len(rows)
    attempts = []
    for row, proof in proofs:
        reward, stopped = (0, "budget") if proof is None else (1, "proved")
        attempts.append(Attempt(row, count[row], 0, reward, stopped, Spent(), proof))
        count[row] += 1
    chosen = settings(rows, "best-first", max(count))
    with open_store(folder, as_json(chosen), list(enumerate(rows)), {}) as store:
        for attempt in attempts:
            store.add(attempt)
    return folder


def steps_of(pairs: Sequence[Pair], theorem: str) -> list[TacticPair]:
    return [pair for pair in pairs if isinstance(pair, TacticPair) and pair.theorem == theorem]


def proofs_of(pairs: Sequence[Pair], theorem: str) -> list[str]:
    return [pair.proof for pair in pairs if isinstance(pair, ProofPair) and pair.theorem == theorem]


def parts(state: TacticState) -> list[TacticState]:
    """The states that have to be proved, one by one, where that can be done."""
    return [focused(state, group) for group in independent(state.goals)]


def check_chain(pool: LeanPool, row: Row, steps: Sequence[TacticPair]) -> None:
    """Every step's state is the first, or one that a step above it leaves; every state that is left has a step.

    Of states that are equal up to names only one has: the search took them for one.
    """
    assert steps
    asked = {step.state for step in steps}
    left: set[str] = set()
    session = ProofSession(pool, row.theorem)
    try:
        there = {session.start.pretty: session.start}
        for step in steps:
            result = session.run_tactic(there[step.state], step.tactic)
            assert isinstance(result, TacticState | ProofFinished), (step, result)
            if isinstance(result, TacticState):
                states = [result] if result.pretty in asked else parts(result)
                there |= {state.pretty: state for state in states}
                left |= {state_key(state.goals) for state in states}
        assert left <= {state_key(there[state].goals) for state in asked}
    finally:
        session.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, pool: LeanPool) -> Path:
    return performed(tmp_path_factory.mktemp("harvest") / "run", ROWS, pool, SevenTactics)


@pytest.fixture(scope="module")
def pairs(run: Path) -> tuple[Pair, ...]:
    return harvest([run], ["train"]).pairs


def test_what_a_run_gives(run: Path) -> None:
    """Two of six theorems are not proved, one does not elaborate, one is of the split test."""
    found = harvest([run], ["train"])
    assert {pair.theorem for pair in found.pairs} == {"swap", "thrice", "either"}
    (taken,) = found.taken
    assert (taken.theorems, taken.proved, taken.left_out, taken.proofs, taken.without_steps) == (6, 4, 1, 3, 0)
    assert taken.steps == len(found.pairs) - 3
    assert found.complaints == ()


def test_a_proof_with_goals_apart_by_hand(pairs: tuple[Pair, ...]) -> None:
    context = "p q : Prop\nh : p ∧ q\n⊢ "
    steps = steps_of(pairs, "swap")
    assert [(step.state, step.tactic) for step in steps] == [
        ("p q : Prop\n⊢ p ∧ q → q ∧ p", "intro h"),
        (f"{context}q ∧ p", "refine ⟨?_, ?_⟩"),
        (f"case refine_1\n{context}q" if "case" in steps[2].state else f"{context}q", "exact h.2"),
        (f"case refine_2\n{context}p" if "case" in steps[3].state else f"{context}p", "exact h.1"),
    ]
    assert [step.log_probability for step in steps] == [log((7 - place) / 28) for place in (0, 1, 3, 2)]
    assert proofs_of(pairs, "swap") == ["intro h\nrefine ⟨?_, ?_⟩\n· exact h.2\nexact h.1"]
    assert [step.step for step in steps] == [0, 1, 2, 3]


def test_what_a_pair_says_of_where_it_comes_from(run: Path, pairs: tuple[Pair, ...]) -> None:
    row = ROWS[0]
    itself = next(pair for pair in pairs if isinstance(pair, ProofPair) and pair.theorem == "swap")
    assert {step.proof_key for step in steps_of(pairs, "swap")} == {itself.key}
    both: list[Pair] = [itself, *steps_of(pairs, "swap")]
    for pair in both:
        assert (pair.statement, pair.header, pair.split, pair.topic) == (row.statement, "", "train", "logic")
        assert (pair.reward, pair.source, pair.policy) == (1, str(run), "by hand")
        assert pair.row.hash == row.hash


def test_every_step_leads_on_and_every_chain_finishes(pairs: tuple[Pair, ...], pool: LeanPool) -> None:
    for row in ROWS[:3]:
        check_chain(pool, row, steps_of(pairs, row.name))


def test_every_proof_is_accepted_again(pairs: tuple[Pair, ...], verifier: Verifier) -> None:
    proofs = [pair for pair in pairs if isinstance(pair, ProofPair)]
    assert len(proofs) == 3
    for pair in proofs:
        assert not pair.proof.startswith((" ", "by"))
        assert verifier.verify(pair.row.theorem, Candidate(proof_text([pair.proof]))).proved


def test_proofs_of_the_portfolio_lead_on_too(pool: LeanPool, verifier: Verifier, tmp_path: Path) -> None:
    """Induction and case distinctions, whose cases are proved apart."""
    text = (Path(__file__).parents[1] / "data" / "multi_step.jsonl").read_text()
    rows = [row for row in from_json_lines(text, "multi_step")[0] if row.name in CHOSEN]
    found = harvest([performed(tmp_path / "run", rows, pool, PortfolioPolicy)])
    assert {pair.theorem for pair in found.pairs} == CHOSEN
    for row in rows:
        steps = steps_of(found.pairs, row.name)
        check_chain(pool, row, steps)
        assert all(step.log_probability is not None and step.log_probability < 0 for step in steps)
        (proof,) = proofs_of(found.pairs, row.name)
        assert verifier.verify(row.theorem, Candidate(proof_text([proof]))).proved


def test_of_whole_proofs_the_graph_says_what_it_can(pool: LeanPool, tmp_path: Path) -> None:
    """A proof that ran in one piece has no steps, unless it is one; a search along its tactics has them all."""
    row = ROWS[:1]
    whole = "intro h\nexact ⟨h.2,\n  h.1⟩"
    in_one = harvest([performed(tmp_path / "one", row, pool, TwoProofs, "sample")])
    assert [pair.kind for pair in in_one.pairs] == ["proof"]
    assert proofs_of(in_one.pairs, "swap") == [whole]
    assert (in_one.taken[0].proofs, in_one.taken[0].steps, in_one.taken[0].without_steps) == (1, 0, 1)
    along = harvest([performed(tmp_path / "along", row, pool, TwoProofs, "rmaxts")])
    steps = steps_of(along.pairs, "swap")
    assert proofs_of(along.pairs, "swap") == [whole]
    assert [step.tactic for step in steps] == ["intro h", "exact ⟨h.2,\n  h.1⟩"]
    assert [step.log_probability for step in steps] == [None, None]
    check_chain(pool, row[0], steps)
    single = harvest([performed(tmp_path / "single", row, pool, OneTactic, "sample")])
    (step,) = steps_of(single.pairs, "swap")
    assert (step.tactic, step.log_probability) == ("exact fun h => ⟨h.2, h.1⟩", None)


def test_from_a_search_that_is_not_stored(run: Path) -> None:
    """What expert iteration has in memory: a row, the accepted text, and the graph."""
    stored: Run = read_run(run)
    attempt = next(each for each in stored.attempts if each.theorem == 0)
    graph = from_json(read_tree(run, 0, 0) or "")
    itself, *steps = pairs_of_proof(ROWS[0], attempt.proof or "", graph)
    assert isinstance(itself, ProofPair)
    assert [step.tactic for step in steps if isinstance(step, TacticPair)] == [
        "intro h", "refine ⟨?_, ?_⟩", "exact h.2", "exact h.1",
    ]  # fmt: skip
    # Made shorter since: it is not the graph's, and its steps are not known.
    assert pairs_of_proof(ROWS[0], "by\n  simp_all", graph) == [replace(itself, proof="simp_all")]
    assert pairs_of_proof(ROWS[0], "fun h => ⟨h.2, h.1⟩", graph) == []


@pytest.mark.parametrize(
    ("proof", "tactics"),
    [
        ("by\n  intro h\n  cases h with\n  | inl a =>\n    exact a", "intro h\ncases h with\n| inl a =>\n  exact a"),
        ("by\n  rfl", "rfl"),
        ("by simp", "simp"),
        ("by simp\n   omega", "simp\nomega"),
        ("by\n  have h : a := by\n\n    simp\n  exact h\n", "have h : a := by\n\n  simp\nexact h"),
        ("by", None),
        ("by\n", None),
        ("bytes", None),
        ("fun h => by simp", None),
    ],
)
def test_the_tactics_of_a_proof(proof: str, tactics: str | None) -> None:
    assert tactics_of(proof) == tactics


def test_the_shortest_different_proofs_are_kept_of_all_runs(tmp_path: Path) -> None:
    """Fewer lines, then fewer characters; the same proof found again is one; what was not accepted is none."""
    first = made(tmp_path / "a", ROWS[:2], [(0, "by\n  simp\n  omega"), (0, "by\n  simp_all"), (0, None)])
    rows = (ROWS[1], ROWS[0])
    second = made(tmp_path / "b", rows, [(1, "by\n  simp\n  omega"), (1, "by\n  grind"), (0, "by\n  tauto")])

    def kept(keep: int | None) -> list[list[str]]:
        found = harvest([first, second, first], keep=keep)
        return [proofs_of(found.pairs, name) for name in ("swap", "thrice")]

    assert kept(None) == [["grind", "simp_all", "simp\nomega"], ["tauto"]]
    assert kept(2) == [["grind", "simp_all"], ["tauto"]]
    assert kept(1) == [["grind"], ["tauto"]]
    taken = harvest([first, second]).taken
    assert [(each.proved, each.proofs, each.without_steps) for each in taken] == [(1, 2, 2), (2, 2, 2)]


def test_what_is_held_out_is_refused_by_name(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserInputError) as caught:
        harvest([run])
    assert str(caught.value) == (
        "1 theorem that was proved is held out, of the split test: kept_out. Name the splits to learn from with "
        "--split; what is of others is left out."
    )
    rows = [Row(f"t{i}", f"theorem t{i} : {i} = {i}", split="valid") for i in range(12)]
    many = made(tmp_path / "many", rows, [(i, "by\n  rfl") for i in range(12)])
    with pytest.raises(
        UserInputError, match=r"^12 theorems that were proved are held out, .* t0, .*, t9 and 2 more\. "
    ):
        harvest([many])
    assert len(harvest([many], ["valid"]).pairs) == 12
    with pytest.raises(UserInputError, match="No theorem of these runs is of the split `trian`; they are of valid"):
        harvest([many], ["trian"])
    both = harvest([run], ["train", "test"])
    assert (both.taken[0].proofs, both.taken[0].left_out) == (4, 0)


def test_a_run_of_expert_iteration_is_its_searches(tmp_path: Path) -> None:
    """Those for proofs and for negations, of each round; what it evaluates on is held out."""
    rounds = tmp_path / "rounds"
    made(rounds / "00" / "search", ROWS[:2], [(0, "by\n  simp"), (1, None)])
    made(rounds / "00" / "negations", [Row("not_wrong", "theorem not_wrong : ¬False")], [(0, "by\n  simp")])
    made(rounds / "00" / "valid", ROWS[5:], [(0, "by\n  simp")])
    made(rounds / "01" / "search", ROWS[:2], [(0, "by\n  tauto"), (1, "by\n  tauto")])
    (rounds / "02").mkdir()
    found = harvest([tmp_path, rounds / "01" / "search"])
    assert [str(each.folder.relative_to(rounds)) for each in found.taken] == ["00/search", "01/search", "00/negations"]
    assert [(pair.theorem, pair.proof) for pair in found.pairs if isinstance(pair, ProofPair)] == [
        ("swap", "simp"), ("swap", "tauto"), ("thrice", "tauto"), ("not_wrong", "simp"),
    ]  # fmt: skip


def test_a_damaged_tree_costs_the_steps_alone(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    chosen = settings(ROWS[:1], "best-first")
    attempt = Attempt(0, 0, 0, 1, "proved", Spent(), "by\n  simp_all", tree='{"version": 7}')
    with open_store(folder, as_json(chosen), list(enumerate(ROWS[:1])), {}) as store:
        store.add(attempt)
    found = harvest([folder])
    assert proofs_of(found.pairs, "swap") == ["simp_all"]
    assert found.taken[0].without_steps == 1
    (said,) = found.complaints
    assert said == f"{folder}, swap, attempt 0: This is a proof graph of version 7; version 1 can be read."


def test_the_command(run: Path, pairs: tuple[Pair, ...], tmp_path: Path) -> None:
    out = tmp_path / "pairs.parquet"
    arguments = ["harvest", str(run), "--out", str(out), "--split", "train"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert f"{len(pairs)} pairs of 3 theorems, {len(pairs)} of them new in" in " ".join(done.output.split())
    assert tuple(read_pairs(out)) == pairs
    again = CliRunner().invoke(app, [*arguments, "--split", "test", "--keep", "4"])
    count = len(list(read_pairs(out)))
    assert f"{count} pairs of 4 theorems, {count - len(pairs)} of them new in" in " ".join(again.output.split())
    assert count > len(pairs)


def test_the_table_fits_and_tells_the_runs_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("a long name of a folder " * 4).strip()
    runs = [made(long / name, ROWS[:1], [(0, "by\n  simp")]) for name in ("first run", "another")]
    monkeypatch.setenv("COLUMNS", "80")
    done = CliRunner().invoke(app, ["harvest", *map(str, runs), "--out", str(tmp_path / "pairs.parquet")])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[1].split() == ["run", "tried", "proved", "out", "proofs", "steps", "less"]
    for line, name, counts in zip(lines[2:4], ("/first run", "/another"), ("1 1 0 1 0 1", "1 1 0 0 0 0"), strict=True):
        path, _, rest = line.rpartition(name)
        assert path.startswith("…")
        assert (" ".join(rest.split()), len(line)) == (counts, 80)


def test_what_the_command_refuses(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs.parquet"

    def refused(*arguments: object) -> str:
        done = CliRunner().invoke(app, ["harvest", *map(str, arguments)])
        assert done.exit_code == 2
        assert "Traceback" not in done.output
        return " ".join(done.output.split())

    assert "held out, of the split test: kept_out" in refused(run, "--out", out)
    assert "holds no run" in refused(tmp_path, "--out", out)
    assert "no such folder" in refused(run, "--out", tmp_path / "nowhere" / "pairs.parquet")
    empty = made(tmp_path / "empty", ROWS[:1], [(0, None)])
    assert "These runs have no accepted proof that could be taken; nothing was written." in refused(empty, "--out", out)
    assert not out.exists()
    out.write_text("mine")
    assert "is no file of pairs, or damaged" in refused(run, "--out", out, "--split", "train")
    assert out.read_text() == "mine"


def test_tactics_that_ran_are_taken_wherever_they_led(tmp_path, pool):
    """Of each state as many as were asked for, those that closed a goal first; none of theorems that are held out."""
    folder = performed(tmp_path / "run", ROWS, pool, SevenTactics)
    found = list(tried([folder], 2, ["train"]))
    assert {pair.reward for pair in found} == {None}
    assert {pair.theorem for pair in found} == {"swap", "thrice", "either", "wrong"}  # `wrong` was not proved
    by_state: dict[tuple[str, str], list[str]] = {}
    for pair in found:
        by_state.setdefault((pair.statement, pair.state), []).append(pair.tactic)
    assert max(map(len, by_state.values())) == 2
    for row in ROWS[:2]:
        with pool.session(row.theorem) as session:
            for tactic in by_state[row.statement, session.start.pretty]:
                assert isinstance(session.run_tactic(session.start, tactic), TacticState | ProofFinished)
    assert list(tried([folder], 2, ["train"])) == found
    assert {pair.theorem for pair in tried([folder], 1, ["test"])} == {"kept_out"}
    assert {pair.theorem for pair in tried([folder], 2)} == {"swap", "thrice", "either", "wrong"}
    out = tmp_path / "tried.parquet"
    done = CliRunner().invoke(app, ["harvest", str(folder), "--tried", "2", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert {pair.key for pair in read_pairs(out)} == {pair.key for pair in found}
    refused = CliRunner().invoke(app, ["harvest", str(folder), "--tried", "2", "--keep", "1", "--out", str(out)])
    assert refused.exit_code == 2
    assert "--keep is about proofs" in refused.output


@pytest.mark.parametrize(
    ("search", "taken"),
    [
        ("sample", ["exact fun h =>\n  ⟨h.2, h.1⟩"]),
        ("best-first", ["exact fun h =>\n  ⟨h.2, h.1⟩", "intro h\nsimp_all"]),
    ],
)
def test_a_whole_proof_in_one_piece_is_no_tactic_that_ran(tmp_path, search, taken):
    """Unless it is one tactic. Where the policy wrote tactics, one that does two things is one."""
    row = ROWS[0]
    graph = ProofGraph(row.theorem, TacticState((Goal("p ∧ q → q ∧ p", pretty="⊢ p ∧ q → q ∧ p"),)))
    for tactic in ("intro h\nsimp_all", "exact fun h =>\n  ⟨h.2, h.1⟩"):
        edge = graph.add_edge(graph.root, Proposal(tactic, -1.0))
        assert edge is not None
        graph.succeed(edge, ProofFinished((tactic,)))
    with open_store(tmp_path / "run", as_json(settings([row], search)), [(0, row)], {}) as store:
        store.add(Attempt(0, 0, 0, 0, "budget", Spent(), tree=to_json(graph)))
    assert sorted(pair.tactic for pair in tried([tmp_path / "run"], 9)) == taken


class LosingPool:
    """Lean proves `swap`, says no to `either`, goes away before `thrice` begins, and in the middle of `wrong`."""

    size = 1

    def session(self, theorem: Theorem):
        if theorem.name == "thrice":
            raise WorkerLost("killed")
        results = {"swap": ProofFinished(()), "either": TacticError("no"), "wrong": TacticError("killed", "lost")}
        start = TacticState((Goal("p", pretty="⊢ p"),))
        return nullcontext(SimpleNamespace(start=start, run_tactic=lambda *_: results[theorem.name]))


def test_a_lost_lean_is_told_from_a_proof_that_cannot_be_run_again(tmp_path, monkeypatch):
    folder = made(tmp_path / "run", ROWS, [(place, "by\n  simp\n  omega") for place in (1, 2, 3)] + [(0, "by\n  simp")])
    stepless = without_steps(harvest([folder]).pairs)
    steps = {proof.theorem: steps for proof, steps in zip(stepless, replayed(stepless, LosingPool()), strict=True)}  # type: ignore[arg-type]
    assert [step.tactic for step in steps.pop("swap") or ()] == ["simp"]
    assert steps == {"thrice": None, "either": [], "wrong": None}
    monkeypatch.setattr("rl.commands.harvest.open_pool", lambda *_: nullcontext(LosingPool()))
    done = CliRunner().invoke(app, ["harvest", str(folder), "--replay", "--out", str(tmp_path / "pairs.parquet")])
    assert done.exit_code == 0, done.output
    assert "1 of 4 proofs without steps were run again; Lean was lost on 2 others, which" in done.output


def test_steps_that_are_not_known_are_found_by_running_the_proof_again(tmp_path, pool):
    texts = [
        (0, "by\n  intro h\n  exact ⟨h.2, h.1⟩"),
        (2, "by\n  refine ⟨?_, ?_⟩\n  right\n  assumption\n  exact .inl hr"),
        (2, "by\n  refine ⟨?_, ?_⟩\n  · exact .inr hq\n  · exact .inl hr"),
        (1, "by\n  intro hp hq"),
        (0, "by\n  intro h\n  cases h with | intro hp hq => ?_\n  exact ⟨hq, hp⟩"),
    ]
    found = harvest([made(tmp_path / "run", ROWS, texts)], ["train"])
    stepless = without_steps(found.pairs)
    assert len(stepless) == 5
    again = zip(stepless, replayed(stepless, pool), strict=True)
    steps = {proof.proof: steps for proof, steps in again if steps is not None}
    swap, either, bullets, unfinished, cases = (steps[tactics_of(text) or ""] for _, text in texts)
    check_chain(pool, ROWS[0], swap)
    check_chain(pool, ROWS[2], either)
    check_chain(pool, ROWS[0], cases)
    assert [step.tactic for step in either] == ["refine ⟨?_, ?_⟩", "right", "assumption", "exact .inl hr"]
    assert either[1].state.count("⊢") == 1  # the goal that the tactic is about, and not the other
    assert {step.proof_key for step in swap} == {next(p.key for p in stepless if p.proof == tactics_of(texts[0][1]))}
    assert (bullets, unfinished) == ([], [])
    assert without_steps([*found.pairs, *swap, *cases]) == [proof for proof in stepless if proof.theorem != "swap"]

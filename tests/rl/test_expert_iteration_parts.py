"""Expert iteration without Lean: settings, what earlier rounds came to, and theorems that overlap."""

import json
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

import rl.cli
from lean_env import WorkerLost
from prover.benchmarks.row import Benchmark, Row
from prover.runs.attempt import Attempt
from prover.runs.run import Run
from prover.runs.store import open_store
from prover.sources import UserInputError
from prover.statistics.intervals import share
from rl.data.pairs import ProofPair
from rl.data.parquet import read_pairs, write_pairs
from rl.evaluation import Evaluation
from rl.expert_iteration.config import ExpertIterationConfig, Searching, names_model, with_model
from rl.expert_iteration.history import History, history
from rl.expert_iteration.loop import Outcome
from rl.expert_iteration.negations import negations
from rl.expert_iteration.planning import open_iteration, planned
from rl.expert_iteration.rounds import Rounds, _harvested, _trained
from rl.expert_iteration.theorems import Theorems, theorems_of
from rl.models import PeftOptions
from rl.rollouts.lost import JudgeLost
from rl.runs.checkpoint import write_checkpoint
from rl.sft.config import NewModel, Training
from search import Spent
from tests.rl.ends import ENDS

TEN = Path(__file__).parents[1] / "data" / "ten.jsonl"


def config(**given):
    return ExpertIterationConfig(**{"theorems": ("a.jsonl",), "out": Path("out"), **given})


@pytest.mark.parametrize(
    ("policy", "read"),
    [
        ("model", "hf:a/b"),
        ("model+portfolio", "hf:a/b+portfolio"),
        ("0.3*portfolio + 0.7*model", "0.3*portfolio + 0.7*hf:a/b"),
        ("portfolio", "portfolio"),
        ("hf:some/model", "hf:some/model"),
        ("hf:model+portfolio", "hf:model+portfolio"),
    ],
)
def test_the_model_in_a_policy(policy, read):
    assert with_model(policy, "a/b") == read
    assert names_model(policy) == (policy != read)


def test_settings_that_make_no_sense():
    bad: list[tuple[dict[str, Any], str]] = [
        ({"theorems": ()}, "--theorems"),
        ({"split": "valid"}, "nothing is to be learned"),
        ({"rounds": 0}, "--rounds has to be at least 1"),
        ({"theorems_per_round": 0}, "--theorems-per-round has to be"),
        ({"proved_share": 1.5}, "--proved-share"),
        ({"policy": "portfolio"}, "--policy has to name the model"),
        ({"first_policy": "model"}, "yet to be made"),
        ({"peft": PeftOptions(lora_rank=4)}, "--lora-rank leaves the weights as they are"),
        ({"base": "folder", "model": NewModel(layers=3)}, "--layers is of a model that is made, and folder is there"),
    ]
    for given, said in bad:
        with pytest.raises(UserInputError, match=said):
            config(**given)
    with pytest.raises(UserInputError, match="--search is"):
        Searching(search="depth-first")
    with pytest.raises(UserInputError, match="--samples has to be at least 1"):
        Searching(samples=0)
    assert config(first_policy="model", base="folder").first_policy == "model"


def run(names, rewards, problems=None, labels=None):
    rows = tuple(Row(name, f"theorem {name} : True", label=(labels or {}).get(name, "")) for name in names)
    made = tuple(Attempt(place, 0, 0, reward, "proved", Spent()) for place, reward in rewards)
    return Run(Path(), {}, {}, rows, problems or {}, made)


def test_what_earlier_rounds_came_to():
    first = run(["a", "b", "c", "d"], [(0, 1), (1, 0), (1, 0), (3, None)], problems={2: "Unknown constant"})
    second = run(["b", "d"], [(0, 1), (1, 0)])
    negated = run(["d_negation", "e_negation"], [(0, 1), (1, 0)], labels={"d_negation": "d", "e_negation": "e"})
    found = history([first, second], [negated])
    assert found == History({"a": 1, "b": 2, "d": 2}, frozenset("ab"), frozenset("d"), {"c": "Unknown constant"})
    assert found.dropped == {"c", "d"}
    assert history([], []) == History()


def rows_of(path, *statements, split=""):
    lines = [
        json.dumps({"name": text.split()[1], "formal_statement": text + " := by sorry", "split": split}) + "\n"
        for text in statements
    ]
    with path.open("a") as file:
        file.writelines(lines)
    return str(path)


def test_splits_of_one_source(tmp_path):
    source = rows_of(tmp_path / "core.jsonl", "theorem a (n : Nat) : n = n", "theorem b : 1 = 1", split="train")
    rows_of(tmp_path / "core.jsonl", *(f"theorem v{n} : {n} < {n + 1}" for n in range(30)), split="valid")
    given = config(theorems=(source,), out=tmp_path / "out", valid_sample=7)
    found = theorems_of(given)
    assert [row.name for row in found.training] == ["a", "b"]
    assert {row.split for row in found.valid.rows} == {"valid"}
    assert len(found.valid.rows) == 7
    assert theorems_of(replace(given, training=given.training)).valid.hash == found.valid.hash
    assert theorems_of(replace(given, seed=1)).valid.hash != found.valid.hash


def test_what_overlaps_is_refused_with_the_list(tmp_path):
    train = rows_of(tmp_path / "train.jsonl", "theorem a (n : Nat) : n + 1 = 1 + n", "theorem b : 1 = 1")
    valid = rows_of(tmp_path / "valid.jsonl", "theorem other (m : Nat) :  m + 1 = 1 + m")
    given = config(theorems=(train,), valid=valid, out=tmp_path / "out")
    with pytest.raises(UserInputError, match=r"theorem is in valid\.jsonl or minif2f-core too: a \(as other\)"):
        theorems_of(given)
    (listed,) = map(json.loads, (tmp_path / "out" / "overlap.jsonl").read_text().splitlines())
    assert (listed["theorem"], listed["held_out"]) == ("a", "other")
    left = theorems_of(replace(given, against=(), drop_overlap=True))
    assert [[row.name for row in rows] for rows in (left.training, left.held_out)] == [["b"], ["other"]]


def test_a_source_without_splits_is_not_its_own_valid_part(tmp_path):
    given = config(theorems=(str(TEN),), out=tmp_path / "out")
    with pytest.raises(UserInputError, match="it has no splits, or other theorems with --valid"):
        theorems_of(given)


def test_what_could_only_fail_hours_later_is_refused_before_a_folder_is_begun(tmp_path):
    bfs = {"base": "a/BFS-Prover", "first_policy": "model"}
    bad: list[tuple[dict[str, Any], str]] = [
        ({"base": str(tmp_path / "none" / "model")}, "There is no folder /"),
        ({"base": "some/model"}, "prompt family"),
        ({"prompt": "kimina"}, "its own format, not by that of kimina"),
        ({"base": "a/Kimina-Prover"}, "not on those of kimina"),
        ({"policy": "nonsense+model"}, "--policy is"),
        ({"policy": "model+hf:./nowhere"}, r"There is no folder \./nowhere"),
        ({"searching": Searching("sample", samples=2)}, "--samples is for searches over tactics"),
        ({"searching": Searching(temperature=-1.0)}, "--temperature is a number from 0"),
        ({"searching": Searching("correct"), "policy": "model"}, "--search correct wants one model that corrects"),
        ({"searching": Searching("sample"), **bfs}, "bfs-prover` for tactics, and this search wants whole proofs"),
        ({"training": Training(statement_loss=0.5), **bfs}, "asked by those of bfs-prover"),
        ({"model": NewModel(vocabulary=100)}, "a vocabulary of 100 tokens has no room"),
    ]
    for given, said in bad:
        with pytest.raises(UserInputError, match=said), open_iteration(config(out=tmp_path / "out", **given)):
            pass
        assert not (tmp_path / "out").exists()


def test_a_round_s_model_is_asked_as_the_base_is(tmp_path):
    (tmp_path / "rounds" / "00" / "sft" / "model").mkdir(parents=True)
    for base, first, later in [("new", (), ("own-tactic", "")), ("a/BFS-Prover", ("bfs-prover",), ("bfs-prover", ""))]:
        given = config(base=base, first_policy="model" if first else "portfolio")
        rounds = Rounds(given, tmp_path, None, None, threading.Event(), print)  # type: ignore[arg-type]
        assert rounds.policy(0).families == (first or ("",))
        assert rounds.policy(1).families == later
        assert rounds.policy(1).parts[0].name == str(tmp_path / "rounds" / "00" / "sft" / "model")
    whole = config(searching=Searching("sample"))
    assert planned(whole, "0.5*model+0.5*portfolio", "folder").families == ("own-proof", "")


def begun(folder, **given):
    """A run with a curve, so that its settings are its own."""
    source = rows_of(folder / "train.jsonl", "theorem a : 1 = 1", split="train")
    rows_of(folder / "train.jsonl", "theorem b : 2 = 2", split="valid")
    made = config(theorems=(source,), out=folder / "run", against=(), **given)
    opens(made)
    return made


def opens(given):
    with open_iteration(given) as (run, _):
        run.log(10, {"valid/proved": 1})


def test_a_training_s_settings_may_change_until_it_has_learned_something(tmp_path):
    made = begun(tmp_path)
    slower = replace(made, training=Training(learning_rate=1e-4))
    opens(slower)
    with pytest.raises(UserInputError, match="the seed was 0 and is 1"):
        opens(replace(slower, seed=1))
    checkpoints = made.out / "rounds" / "00" / "sft" / "checkpoints"
    write_checkpoint(checkpoints, 0, Path.mkdir, {}, {})
    opens(made)
    write_checkpoint(checkpoints, 5, Path.mkdir, {}, {})
    with pytest.raises(UserInputError, match=r"learning rate was 0\.0005 and is 0\.0001"):
        opens(slower)
    opens(made)
    # The next round's is another one.
    with open_iteration(made) as (run, _):
        run.save(1, Path.mkdir, {}, {})
    opens(slower)


def test_what_is_held_out_may_not_change_once_something_was_learned(tmp_path):
    made = begun(tmp_path)
    bench = rows_of(tmp_path / "bench.jsonl", "theorem q : 3 = 3")
    with pytest.raises(
        UserInputError,
        match=r"the against was \[\] and is \['.*bench\.jsonl'\]; the drop overlap was False and is True",
    ):
        opens(replace(made, against=(bench,), drop_overlap=True))


def searched(folder, *statements):
    """A run that has proved them all."""
    rows = [Row(text.split()[1], text) for text in statements]
    settings = {"version": 1, "policy": "portfolio", "search": "best-first"}
    with open_store(folder, settings, list(enumerate(rows)), {}) as store:
        for number in range(len(rows)):
            store.add(Attempt(number, 0, 0, 1, "proved", Spent(), "by\n  simp"))


def test_nothing_that_is_held_out_is_learned_not_even_as_a_negation(tmp_path):
    searched(tmp_path / "rounds" / "00" / "search", "theorem a : 1 = 1", "theorem b : 2 = 2")
    searched(
        tmp_path / "rounds" / "00" / "negations",
        "theorem w_negation : ¬ (∀ (n : Nat), n < 5)", "theorem v_negation : ¬ (∀ (n : Nat), n < 6)",
    )  # fmt: skip
    (tmp_path / "rounds" / "01").mkdir()
    told: list[str] = []

    def harvested(number, *statements):
        held_out = tuple(Row("q", text) for text in statements)
        theorems = Theorems((), Benchmark("b", ()), held_out)
        return _harvested(Rounds(config(), tmp_path, theorems, None, threading.Event(), told.append), number)  # type: ignore[arg-type]

    assert harvested(1, "theorem q : ¬ (∀ (m : Nat), m < 5)", "theorem q : 2 = 2") == (2, 2)
    pairs = read_pairs(tmp_path / "rounds" / "01" / "pairs.parquet")
    assert [pair.theorem for pair in pairs] == ["a", "v_negation"]
    assert told == ["round 1: held out, and not learned: b, w_negation", "round 1: 2 proofs of 2 theorems, 0 steps"]
    every = ("theorem q : 1 = 1", "theorem q : 2 = 2", *(f"theorem q : ¬ (∀ (m : Nat), m < {n})" for n in (5, 6)))
    with pytest.raises(UserInputError, match=r"Nothing was proved in .* that may be learned"):
        harvested(0, *every)


def test_a_training_that_has_learned_nothing_is_begun_again_with_other_settings(tmp_path):
    sizes = NewModel(vocabulary=340, hidden=32, layers=1, heads=2, key_value_heads=1, intermediate=64, context=128)
    training = Training(learning_rate=1e-3, batch_tokens=200, every=1, steps=1, held_out=0.3)
    given = config(out=tmp_path, model=sizes, training=training, device="cpu")
    pairs = [ProofPair(f"t{n}", f"theorem t{n} : {n} < {n + 1}", "", "decide") for n in range(8)]
    (tmp_path / "rounds" / "00").mkdir(parents=True)
    write_pairs(tmp_path / "rounds" / "00" / "pairs.parquet", pairs)
    stop = threading.Event()

    def trained(given, say=lambda text: None):
        theorems = Theorems((), Benchmark("b", ()), ())
        return _trained(Rounds(given, tmp_path, theorems, None, stop, say), 0)  # type: ignore[arg-type]

    with pytest.raises(KeyboardInterrupt):
        trained(given, lambda text: stop.set() if "step 0 of" in text else None)
    stop.clear()
    other = replace(given, training=replace(training, learning_rate=2e-3))
    assert trained(other).steps == 1
    config_of = json.loads((tmp_path / "rounds" / "00" / "sft" / "config.json").read_text())
    assert config_of["settings"]["learning_rate"] == 2e-3
    assert len(config_of["sessions"]) == 1


def test_how_long_a_round_takes_at_most():
    pool = SimpleNamespace(size=4)
    searching = Searching(attempts=2, budget_seconds=60.0)
    rounds = Rounds(config(searching=searching), Path(), None, pool, threading.Event(), print)  # type: ignore[arg-type]
    # 101 times 2 attempts on 4 workers, 60 s each: 51 turns.
    assert rounds.size(101) == "101 theorems, at most 51 min 00 s"


def evaluation(proved, theorems, unscored=0):
    found = share(proved, theorems)
    assert found is not None
    return Evaluation(proved, theorems, unscored, found, 0.0, 0.0)


def test_the_last_sentence_names_both_policies_and_how_the_best_was_chosen():
    best, first = evaluation(40, 200, 3), evaluation(38, 200)
    told = Outcome(3, 2, best, first, 10, 0, Path("runs/x/model")).sentence(config(first_policy="portfolio"))
    assert told == (
        f"round 2 with model+portfolio proves {best.sentence()} of the valid ones (chosen on this split), the first "
        f"policy, portfolio, {first.sentence()}; its model is in runs/x/model"
    )
    low, high = 100 * best.share.low, 100 * best.share.high
    assert best.sentence() == f"40 of 200 (20.0 %, {low:.1f} to {high:.1f}), 3 unscored"


@pytest.mark.parametrize(("error", "code", "said"), ENDS)
def test_an_end_before_the_end_says_how_it_goes_on(tmp_path, monkeypatch, error, code, said):
    def ended(*_, **__):
        raise error

    monkeypatch.setattr("rl.expert_iteration.planning.theorems_of", ended)
    out = tmp_path / "run"
    done = CliRunner().invoke(rl.cli.app, ["expert-iteration", "--theorems", "a.jsonl", "--out", str(out)])
    assert (done.exit_code, done.stderr) == (code, "prover-rl: " + said.replace("OUT", str(out)))


def test_negations_that_all_lost_lean_are_not_taken_for_none():
    class Gone:
        size = 2

        def request(self, *_: Any, **__: Any) -> Any:
            raise WorkerLost("the pool is closed")

    pool: Any = Gone()
    with pytest.raises(JudgeLost, match="the pool is closed"):
        negations([Row("a", "theorem a : True")], pool)
    assert negations([], pool) == ()

"""Supervised fine-tuning of a tiny model: it learns, it stops, it is killed and goes on, and says what it cannot do."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from math import inf
from pathlib import Path
from random import Random

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from typer.testing import CliRunner

import rl.cli
from prover.prompts.own import END, tactic_prompt
from prover.sources import UserInputError
from rl.data.pairs import Pair, ProofPair, TacticPair
from rl.data.parquet import write_pairs
from rl.models import PeftOptions
from rl.sft.config import NewModel, SftConfig, Training
from rl.sft.held_out import held_out, theorem_key
from rl.sft.train import fine_tune

SIZES = NewModel(vocabulary=340, hidden=32, layers=2, heads=2, key_value_heads=1, intermediate=64, context=128)
TRAINING = Training(learning_rate=1e-2, batch_tokens=400, every=5, steps=20, held_out=0.2)


def pairs(count=24, answers=None):
    made: list[Pair] = []
    for number in range(count):
        goal = f"n + {number} = {number} + n"
        tactic = f"exact Nat.add_comm n {number if answers is None else answers[number]}"
        statement = f"theorem t{number} (n : Nat) : {goal}"
        made.append(TacticPair(f"t{number}", statement, "", f"n : Nat\n⊢ {goal}", tactic))
        made.append(ProofPair(f"t{number}", statement, "", tactic))
    return made


def config(folder: Path, out="run", training=TRAINING, made=None, **more):
    data = folder / "pairs.parquet"
    if made is not None or not data.exists():
        write_pairs(data, pairs() if made is None else made)
    model = NewModel() if "base" in more else SIZES
    return SftConfig((data,), folder / out, training=training, model=model, against=(), device="cpu", **more)


def metrics(folder: Path):
    """The rows of metrics.jsonl without what the clock says."""
    clock = ("time", "seconds", "tokens_per_second")
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key not in clock} for row in rows]


def losses(folder: Path):
    return {row["step"]: row["held_out_loss"] for row in metrics(folder) if "held_out_loss" in row}


def weights(folder: Path):
    return (folder / "model.safetensors").read_bytes()


def held_out_loss(folder: Path, made, share, seed=0):
    """By the plainest way: the mean of - ln p over the tokens of the answers, a row at a time."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    out = held_out({theorem_key(pair.statement) for pair in made}, share, seed)
    total, tokens = 0.0, 0
    for pair in made:
        if theorem_key(pair.statement) in out and isinstance(pair, TacticPair):
            prompt = tokenizer(tactic_prompt(pair.state))["input_ids"]
            answer = tokenizer(pair.tactic + END)["input_ids"]
            with torch.no_grad():
                every = model(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
            at = torch.arange(len(prompt) - 1, len(prompt) + len(answer) - 1)
            total -= every[at, torch.tensor(answer)].sum().item()
            tokens += len(answer)
    return total / tokens


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sft")
    return folder, fine_tune(config(folder))


def test_it_learns(undisturbed):
    folder, done = undisturbed
    found = losses(folder / "run")
    assert list(found) == [0, 5, 10, 15, 20]
    # A model that knows nothing: ln 340 = 5.83 at most.
    assert 4 < found[0] < 6.5
    assert min(found.values()) < found[0] / 2
    assert (done.loss, done.best_step) == min((loss, step) for step, loss in found.items())
    assert (done.steps, done.planned) == (20, 20)
    rows = [row for row in metrics(folder / "run") if "loss" in row]
    assert [row["step"] for row in rows] == list(range(1, 21))
    # Warm-up of one step, then half a cosine over 19: the two in its middle are as far above its half as below.
    assert [rows[place]["learning_rate"] for place in (0, 1)] == pytest.approx([1e-2, 1e-2])
    assert rows[10]["learning_rate"] + rows[11]["learning_rate"] == pytest.approx(1e-2)


def test_the_held_out_loss_is_that_of_the_weights_that_are_kept(tmp_path):
    done = fine_tune(config(tmp_path, learn="tactics"))
    assert done.loss is not None
    assert held_out_loss(done.model, pairs(), 0.2) == pytest.approx(done.loss, rel=1e-4)


def test_it_ends_when_it_becomes_no_better(tmp_path):
    # Answers that nothing says: what is learned of some theorems is wrong of others.
    made = [pair for pair in pairs(16, [Random(n).randrange(10**6) for n in range(16)]) if pair.kind == "tactic"]
    training = Training(
        learning_rate=2e-2, schedule="constant", batch_tokens=400, every=4, epochs=100, held_out=0.3, patience=2
    )
    done = fine_tune(config(tmp_path, training=training, made=made))
    found = losses(tmp_path / "run")
    assert done.steps < done.planned
    assert done.steps == done.best_step + 2 * 4 == max(found)
    assert done.loss == found[done.best_step] == min(found.values())
    assert held_out_loss(done.model, made, 0.3) == pytest.approx(done.loss, rel=1e-4)
    # Called once more it is left as it is.
    assert fine_tune(config(tmp_path, training=training)) == done


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("where", [0, 5, 15])
def test_gone_on_with_it_ends_with_the_same_numbers_and_weights(undisturbed, tmp_path, where):
    folder, done = undisturbed

    def say(text):
        if text.startswith(f"step {where} of"):  # logged, and not saved yet
            raise Interrupted

    (tmp_path / "pairs.parquet").write_bytes((folder / "pairs.parquet").read_bytes())
    with pytest.raises(Interrupted):
        fine_tune(config(tmp_path), say=say)
    torch.manual_seed(where)  # whatever the generators did meanwhile
    again = fine_tune(config(tmp_path))
    assert metrics(tmp_path / "run") == metrics(folder / "run")
    assert weights(again.model) == weights(done.model)
    assert (again.loss, again.best_step) == (done.loss, done.best_step)


def test_killed_it_goes_on_with_the_same_bits(undisturbed, tmp_path):
    folder, done = undisturbed
    (tmp_path / "pairs.parquet").write_bytes((folder / "pairs.parquet").read_bytes())
    arguments = {
        "data": tmp_path / "pairs.parquet", "out": tmp_path / "run", "against": "", "device": "cpu",
        "learning-rate": 1e-2, "batch-tokens": 400, "every": 5, "steps": 20, "held-out": 0.2,
        "vocabulary": 340, "hidden": 32, "layers": 2, "heads": 2, "key-value-heads": 1, "intermediate": 64,
        "context": 128,
    }  # fmt: skip
    command = [sys.executable, "-m", "rl.cli", "sft", *(f"--{name}={value}" for name, value in arguments.items())]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    )
    deadline = time.monotonic() + 200
    while not (tmp_path / "run" / "checkpoints" / "5").is_dir():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    again = fine_tune(config(tmp_path))
    assert metrics(tmp_path / "run") == metrics(folder / "run")
    assert weights(again.model) == weights(done.model)


def test_other_data_is_refused_and_the_same_elsewhere_is_not(undisturbed, tmp_path):
    folder, done = undisturbed

    def say(text):
        if text.startswith("step 10 of"):
            raise Interrupted

    with pytest.raises(Interrupted):
        fine_tune(config(tmp_path, made=pairs()), say=say)
    config(tmp_path, made=pairs(23))
    with pytest.raises(UserInputError, match="was begun on other data"):
        fine_tune(config(tmp_path))
    moved = replace(config(tmp_path), data=(folder / "pairs.parquet",))
    assert weights(fine_tune(moved).model) == weights(done.model)


def test_it_goes_on_from_a_model_that_is_there(undisturbed, tmp_path):
    _, done = undisturbed
    training = Training(learning_rate=1e-3, batch_tokens=400, every=5, steps=5, held_out=0.2)
    again = fine_tune(config(tmp_path, training=training, base=str(done.model)))
    # The same theorems are held out, so the loss begins where it ended.
    assert losses(tmp_path / "run")[0] == pytest.approx(done.loss, rel=1e-5)
    assert again.loss is not None
    assert again.loss <= done.loss * (1 + 1e-5)


def test_a_new_model_that_nothing_was_learned_with_is_made_anew_with_other_settings(tmp_path):
    given = config(tmp_path, training=replace(TRAINING, steps=1))
    with pytest.raises(UserInputError, match="longer than the model's context"):
        fine_tune(replace(given, model=replace(SIZES, context=8)))
    assert json.loads((tmp_path / "run" / "base" / "config.json").read_text())["max_position_embeddings"] == 8
    made = fine_tune(given).model
    assert json.loads((made / "config.json").read_text())["max_position_embeddings"] == 128


def test_a_new_adapter_is_drawn_by_the_seed(undisturbed, tmp_path):
    _, done = undisturbed

    def begun(out, seed):
        given = {"base": str(done.model), "peft": PeftOptions(lora_rank=2), "seed": seed}
        fine_tune(config(tmp_path, out, replace(TRAINING, steps=1, held_out=0.0), **given))
        return (tmp_path / out / "checkpoints" / "0" / "model" / "adapter_model.safetensors").read_bytes()

    first = begun("first", 1)
    assert begun("again", 1) == first
    assert begun("other", 2) != first


def test_without_theorems_to_hold_out_the_last_weights_are_kept(tmp_path):
    told: list[str] = []
    training = Training(batch_tokens=400, every=2, steps=3, held_out=0.0)
    done = fine_tune(config(tmp_path, training=training), say=told.append)
    assert (done.loss, done.steps, done.best_step) == (None, 3, 3)
    assert "no theorem is held out" in " ".join(told)
    assert weights(done.model) == weights(tmp_path / "run" / "checkpoints" / "3" / "model")


def statements_of(folder: Path, *more):
    corpus = folder / "core.jsonl"
    rows = [{"name": f"c{n}", "formal_statement": f"theorem c{n} : {n} < {n + 1}", "split": "train"} for n in range(30)]
    corpus.write_text("".join(json.dumps(row) + "\n" for row in (*rows, *more)))
    return corpus


def test_statements_are_learned_too(tmp_path):
    corpus = statements_of(tmp_path)
    told: list[str] = []
    training = Training(batch_tokens=300, every=50, epochs=1, held_out=0.2, statement_loss=0.5)
    fine_tune(config(tmp_path, training=training, corpus=str(corpus)), say=told.append)
    assert "30 of the examples are statements" in told
    seen = sum(row["sequences"] for row in metrics(tmp_path / "run") if "sequences" in row)
    trained_on = int(told[0].split()[0]) - 30
    # About half of thirty, and all the others.
    assert trained_on + 5 < seen < trained_on + 25


def test_a_loss_that_is_no_number_stops_it_with_its_batch(tmp_path, undisturbed):
    _, done = undisturbed
    broken = tmp_path / "broken"
    model, tokenizer = AutoModelForCausalLM.from_pretrained(done.model), AutoTokenizer.from_pretrained(done.model)
    with torch.no_grad():
        model.model.norm.weight.fill_(inf)
    model.save_pretrained(broken)
    tokenizer.save_pretrained(broken)
    with pytest.raises(UserInputError, match="no step was taken, and the batch is in"):
        fine_tune(config(tmp_path, base=str(broken)))
    (dumped,) = (tmp_path / "run" / "dumps").iterdir()
    assert json.loads(dumped.read_text())[0]["answer_ids"]


def test_bad_input_is_said_before_a_folder_is_begun(tmp_path, undisturbed):
    _, done = undisturbed
    with pytest.raises(UserInputError, match="no file"):
        fine_tune(SftConfig((tmp_path / "none.parquet",), tmp_path / "run"))
    with pytest.raises(UserInputError, match="Name files of pairs"):
        SftConfig((), tmp_path / "run")
    with pytest.raises(UserInputError, match=r"There is no folder \./no/model\."):
        fine_tune(config(tmp_path, base="./no/model"))
    with pytest.raises(UserInputError, match="its own format, not by that of kimina"):
        fine_tune(config(tmp_path, prompt="kimina"))
    with pytest.raises(UserInputError, match=r"own, bfs-prover, deepseek-prover-v1\.5, not on those of kimina"):
        fine_tune(config(tmp_path, prompt="kimina", base=str(done.model)))
    small = replace(config(tmp_path, made=pairs()), model=NewModel(vocabulary=100))
    with pytest.raises(UserInputError, match="A new model cannot be made so: a vocabulary of 100 tokens"):
        fine_tune(small)
    statements = Training(statement_loss=0.5)
    corpus = {"base": "a/BFS-Prover", "corpus": str(statements_of(tmp_path)), "training": statements}
    with pytest.raises(UserInputError, match="project's own prompts, and a/BFS-Prover is asked by those of bfs-prover"):
        fine_tune(config(tmp_path, **corpus))
    assert not (tmp_path / "run").exists()
    with pytest.raises(UserInputError, match="nothing to learn"):
        fine_tune(config(tmp_path, made=[]))


def test_options_that_would_do_nothing_are_refused(tmp_path):
    def refused(said, **given):
        with pytest.raises(UserInputError, match=said):
            SftConfig((tmp_path,), tmp_path, **given)

    refused("--corpus names", training=Training(statement_loss=0.5))
    refused("--corpus is for the tokenizer of a new model", base="folder", corpus="core.jsonl")
    refused("--lora-rank leaves the weights as they are", peft=PeftOptions(lora_rank=4))
    refused("--key-value-heads is of a model that is made", base="folder", model=NewModel(key_value_heads=1))
    SftConfig((tmp_path,), tmp_path, base="folder", corpus="core.jsonl", training=Training(statement_loss=0.5))
    with pytest.raises(UserInputError, match="--lora-rank asks for that"):
        PeftOptions(lora_alpha=32)


def test_pairs_of_a_held_out_split_are_refused_or_dropped(tmp_path):
    made = [replace(pair, split="valid" if pair.theorem == "t3" else "train") for pair in pairs()]
    given = config(tmp_path, made=made, training=replace(TRAINING, steps=1))
    with pytest.raises(UserInputError, match="2 of 48 pairs are held out, of the split valid; leave them out with"):
        fine_tune(given)
    told: list[str] = []
    fine_tune(replace(given, drop_overlap=True), say=told.append)
    assert told[0] == "2 of 48 pairs are held out, of the split valid, and left out"
    assert int(told[1].split()[0]) + int(told[1].split()[8]) == 46


def test_a_theorem_of_the_corpus_own_held_out_splits_is_refused(tmp_path):
    held = {"name": "h", "formal_statement": "theorem h (m : Nat) : m + 3 = 3 + m", "split": "test"}
    corpus = statements_of(tmp_path, held)
    with pytest.raises(UserInputError, match=r"1 training theorem is in core\.jsonl too: t3 \(as h\)"):
        fine_tune(config(tmp_path, corpus=str(corpus)))


def test_an_interrupted_command_says_how_it_goes_on(tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("rl.sft.train.fine_tune", interrupted)
    done = CliRunner().invoke(rl.cli.app, ["sft", "--data", "pairs.parquet", "--out", "runs/a"])
    assert (done.exit_code, done.stderr) == (130, "prover-rl: interrupted; the same command goes on with runs/a\n")


def test_a_theorem_of_a_benchmark_is_refused_with_the_list(tmp_path):
    bench = tmp_path / "bench.jsonl"
    bench.write_text(json.dumps({"name": "b", "formal_statement": "theorem b (m : Nat) : m + 3 = 3 + m := by sorry"}))
    given = replace(config(tmp_path, training=replace(TRAINING, steps=1)), against=(str(bench),))
    with pytest.raises(UserInputError, match=r"1 training theorem is in .*t3 \(as b\)"):
        fine_tune(given)
    (listed,) = map(json.loads, (tmp_path / "run" / "overlap.jsonl").read_text().splitlines())
    assert (listed["theorem"], listed["held_out"]) == ("t3", "b")
    told: list[str] = []
    fine_tune(replace(given, drop_overlap=True), say=told.append)
    examples, theorems, held, others = (int(told[0].split()[place]) for place in (0, 3, 8, 10))
    assert (examples + held, theorems + others) == (2 * 23, 23)


def test_a_finished_run_s_checkpoints_are_the_best_and_the_last(undisturbed):
    folder, done = undisturbed
    kept = {int(path.name) for path in (folder / "run" / "checkpoints").iterdir()}
    assert kept == {done.best_step, 15, 20}


def test_the_commands_are_there_without_torch():
    code = "import sys, rl.commands.sft, rl.commands.expert_iteration; print({'torch', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_extra_of_learning_has_all_that_its_commands_import():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    names = {re.split("[><=]", each)[0] for each in project["optional-dependencies"]["rl"]}
    assert {"torch", "transformers", "safetensors", "peft", "pyarrow", "tensorboardX", "matplotlib"} <= names

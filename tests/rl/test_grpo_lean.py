"""GRPO on real Lean with a model of 100,000 parameters: three steps, gone on with, and what is refused."""

import json
import os
import signal
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lean_env import Candidate, LeanPool
from prover.model.config import ModelConfig, parameter_count
from prover.prompts.own import END, proof_prompt, tactic_prompt
from prover.sampling.sampler import Sample
from prover.sources import UserInputError
from rl.cli import app
from rl.grpo import train as training
from rl.grpo.config import Choosing, Course, GRPOConfig
from rl.grpo.train import train
from rl.learner.config import LearnerConfig
from rl.objective.policy_loss import PolicyObjective
from rl.objective.rows import TokenRow
from rl.objective.supervised import Supervised
from rl.rollouts.options import RolloutOptions
from rl.rollouts.weights import TransformersPolicy

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from rl.grpo.loop import Evaluated  # noqa: E402

SWAP = "theorem swap (p q : Prop) (h : p ∧ q) : q ∧ p"
KEEP = "theorem keep (p q : Prop) : p → q → p"
NEVER = "theorem never (p : Prop) : p"
BOTH = "theorem both (p q : Prop) (h : p) (k : q) : p ∧ q"
TRAIN, VALID = [SWAP, KEEP, NEVER], [BOTH]
SIZES = ModelConfig(vocabulary=600, hidden=64, layers=2, heads=2, key_value_heads=1, intermediate=160, context=256)
COURSE = Course(
    steps=3,
    checkpoint_every=2,
    evaluation_every=3,
    samples_shown=99,
    choosing=Choosing(theorems_per_step=2, refills=1),
)
ROLLOUTS = RolloutOptions(group_size=6, turns=4)


def pairs(pool):
    """Prompts and answers: what helps and what does not, about half of the time each."""
    states = {}
    for statement in (*TRAIN, *VALID):
        row = named(statement)
        with pool.session(row.theorem) as session:
            states[row.name] = session.start.pretty
            if row.name == "keep":
                states["after"] = session.run_tactic(session.start, "intro hp hq").pretty
    return [
        (tactic_prompt(states["swap"]), "exact ⟨h.2, h.1⟩"),
        (tactic_prompt(states["swap"]), "exact h"),
        (tactic_prompt(states["keep"]), "intro hp hq"),
        (tactic_prompt(states["after"]), "exact hp"),
        (tactic_prompt(states["after"]), "exact hq"),
        (tactic_prompt(states["never"]), "assumption"),
        (tactic_prompt(states["both"]), "exact ⟨h, k⟩"),
        (tactic_prompt(states["both"]), "exact h"),
        (proof_prompt(SWAP), "exact ⟨h.2, h.1⟩"),
        (proof_prompt(SWAP), "exact h"),
        (proof_prompt(KEEP), "intro hp hq\nexact hp"),
        (proof_prompt(KEEP), "intro hp hq\nexact hq"),
        (proof_prompt(NEVER), "assumption"),
        (proof_prompt(BOTH), "exact ⟨h, k⟩"),
        (proof_prompt(BOTH), "exact h"),
    ]


def named(statement):
    from prover.benchmarks.row import Row

    return Row(statement.split()[1], statement)


def learned(folder, examples, sizes):
    """A model that says what the examples say, by the learner's own supervised objective."""
    from prover.model.create import create
    from rl.learner.learner import Learner
    from rl.models import open_trainable, save

    create(folder, [prompt + answer for prompt, answer in examples], sizes)
    model, tokenizer = open_trainable(str(folder), device="cpu")
    rows = [
        TokenRow(tuple(tokenizer(prompt)["input_ids"]), tuple(tokenizer(answer + END)["input_ids"]), sequence=number)
        for number, (prompt, answer) in enumerate(examples)
    ]
    learner = Learner(model, tokenizer.pad_token_id, LearnerConfig(learning_rate=5e-3))
    for _ in range(80):
        learner.update(rows, Supervised())
    save(model, tokenizer, folder)
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory, pool):
    assert parameter_count(replace(SIZES, vocabulary=400)) == pytest.approx(100_000, rel=0.15)
    return learned(tmp_path_factory.mktemp("base") / "model", pairs(pool), SIZES)


def theorems(folder: Path, rows=((TRAIN, "train"), (VALID, "valid"))):
    file = folder / "theorems.jsonl"
    found = [
        {"name": named(statement).name, "statement": statement, "split": split}
        for statements, split in rows
        for statement in statements
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in found), "utf-8")
    return str(file)


def config(base, folder, out="run", **given):
    source = theorems(folder) if not (folder / "theorems.jsonl").exists() else str(folder / "theorems.jsonl")
    plain = {
        "course": COURSE,
        "rollouts": ROLLOUTS,
        "max_tokens": 24,
        "learner": LearnerConfig(learning_rate=1e-3),
        "device": "cpu",
    }
    return GRPOConfig(str(base), (source,), folder / out, **{**plain, **given})


def metrics(folder: Path):
    """The rows of metrics.jsonl without what a clock says."""
    clock = ("time", "seconds", "per_second")
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if not key.endswith(clock)} for row in rows]


def samples(folder: Path):
    return [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]


def weights(folder: Path):
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(base, tmp_path_factory, pool):
    folder = tmp_path_factory.mktemp("lean")
    return folder, train(config(base, folder), pool=pool)


def test_three_steps(undisturbed, base, verifier):
    folder, done = undisturbed
    assert (done.steps, done.model) == (3, folder / "run" / "model")
    steps = [row for row in metrics(folder / "run") if "reward" in row]
    assert [row["step"] for row in steps] == [1, 2, 3]
    assert all(0 < row["reward"] < 1 and row["unscored"] == 0 for row in steps)
    assert all(row["groups_kept"] > 0 and row["updates"] == 1 for row in steps)
    assert weights(done.model) != weights(base)
    transformers.AutoModelForCausalLM.from_pretrained(done.model)
    evaluations = [row for row in metrics(folder / "run") if "valid_reward" in row]
    assert [row["step"] for row in evaluations] == [0, 3]
    assert done.last == Evaluated(3, evaluations[1]["valid_reward"])
    best = max(evaluations, key=lambda row: row["valid_reward"])
    assert done.best == Evaluated(best["step"], best["valid_reward"])
    # Each figure has its model: the last one's, and the best one's.
    assert done.best_model == folder / "run" / "checkpoints" / str(best["step"]) / "model"
    assert weights(done.best_model) == weights(base if best["step"] == 0 else done.model)


def test_the_reward_is_the_judges(undisturbed, verifier):
    folder, _ = undisturbed
    told = samples(folder / "run")
    # All rollouts are shown, so that the figures can be counted again.
    for row in (row for row in metrics(folder / "run") if "reward" in row):
        rewards = [each["reward"] for each in told if each["step"] == row["step"]]
        assert len(rewards) == row["rollouts"]
        assert row["reward"] == pytest.approx(sum(rewards) / len(rewards))
    assert all(each["reward"] == 0 for each in told if each["theorem"] == "never")
    claims = {(each["statement"], each["proof"]): each["reward"] for each in told if each["proof"] is not None}
    assert 1 in claims.values()
    for (statement, proof), reward in claims.items():
        assert verifier.verify(named(statement).theorem, Candidate(proof)).reward == reward


OPTIONS = {
    "steps": 3, "checkpoint-every": 2, "evaluation-every": 3, "samples-shown": 99, "theorems-per-step": 2, "refills": 1,
    "group-size": 6, "max-tokens": 24, "turns": 4, "learning-rate": 1e-3, "device": "cpu",
}  # fmt: skip


def command(base, folder, **given):
    """The command line of `config`."""
    options = {"base": base, "theorems": folder / "theorems.jsonl", "out": folder / "run", **OPTIONS, **given}
    return CliRunner().invoke(app, ["grpo", *(f"--{name}={value}" for name, value in options.items())])


@contextmanager
def lent(pool):
    yield pool


def test_what_the_command_says_at_the_end(undisturbed, base, pool, monkeypatch):
    folder, done = undisturbed
    monkeypatch.setattr(training, "open_pool", lambda lean, workers, tasks: lent(pool))
    said = command(base, folder)  # over: nothing more is done
    assert said.exit_code == 0, said.output
    text = " ".join(said.output.split())
    last, best = (f"{100 * each.reward:.1f} %" for each in (done.last, done.best))
    assert f"3 steps; the last evaluation has {last} of rollouts proved; the model is in {done.model}, and" in text
    best = f"the best evaluation has {best}, after step 0: {done.best_model}"
    assert (best in text) == (done.best.step == 0)


def test_a_sampler_that_is_lost_ends_the_run(base, tmp_path, pool, monkeypatch):
    theorems(tmp_path)
    monkeypatch.setattr(training, "open_pool", lambda lean, workers, tasks: lent(pool))
    usual = TransformersPolicy.sample
    batches = []

    def sample(self, requests):
        batches.append(len(requests))
        if len(batches) <= 2:  # two steps
            return usual(self, requests)
        return [Sample("", finish="error", error="CUDA error") for _ in requests]

    monkeypatch.setattr(TransformersPolicy, "sample", sample)
    given = {"prompt": "own-proof", "steps": 4, "evaluation-every": 0, "refills": 0}
    said = command(base, tmp_path, **given)
    assert said.exit_code == 3, said.output
    assert "CUDA error" in said.output
    assert "What was learned is saved; the same command goes on" in said.output
    assert len(batches) == 3  # it does not go on through all steps
    monkeypatch.setattr(TransformersPolicy, "sample", usual)
    assert command(base, tmp_path, **given).exit_code == 0
    assert command(base, tmp_path, **given, out=tmp_path / "whole").exit_code == 0
    assert metrics(tmp_path / "run") == metrics(tmp_path / "whole")
    assert weights(tmp_path / "run" / "model") == weights(tmp_path / "whole" / "model")


class Ended(Exception):
    pass


@pytest.mark.parametrize("lag", [0, 1])
def test_gone_on_with_it_comes_to_the_same(undisturbed, base, tmp_path, pool, lag):
    folder, done = undisturbed
    course = replace(COURSE, lag=lag, objective=PolicyObjective(kl="k3", kl_coefficient=0.05)) if lag else COURSE
    if lag:
        folder = tmp_path
        done = train(config(base, folder, "whole", course=course), pool=pool)
    whole = done.model.parent

    def say(text):
        if text.startswith("step 1 of"):
            raise Ended

    (tmp_path / "theorems.jsonl").write_bytes((folder / "theorems.jsonl").read_bytes())
    with pytest.raises(Ended):
        train(config(base, tmp_path, "again", course=course), say, pool)
    torch.manual_seed(7)
    again = train(config(base, tmp_path, "again", course=course), pool=pool)
    assert metrics(again.model.parent) == metrics(whole)
    assert samples(again.model.parent) == samples(whole)
    assert weights(again.model) == weights(done.model)
    if lag:
        assert [row["lag"] for row in metrics(whole) if "reward" in row] == [0, 1, 1]


def test_whole_proofs_are_learned_too(base, tmp_path, pool):
    course = replace(COURSE, steps=1, evaluation_every=0)
    done = train(config(base, tmp_path, prompt="own-proof", course=course), pool=pool)
    (row,) = metrics(done.model.parent)
    assert row["turns"] == 1
    assert 0 < row["reward"] < 1


def test_an_adapter_is_trained_and_its_model_is_not(base, tmp_path, pool):
    from rl.models import PeftOptions

    course = replace(COURSE, steps=2, evaluation_every=0)
    done = train(config(base, tmp_path, course=course, peft=PeftOptions(lora_rank=2)), pool=pool)
    assert (done.model / "adapter_model.safetensors").is_file()
    assert not (done.model / "model.safetensors").exists()
    assert all(row["updates"] == 1 for row in metrics(done.model.parent))


def test_a_prompt_longer_than_the_context_is_a_failed_rollout(base, tmp_path, pool):
    long = "theorem long " + " ".join(f"(p{n} : Prop)" for n in range(150)) + " : p1 → p1"
    theorems(tmp_path, (([SWAP, long], "train"),))
    course = replace(COURSE, steps=2, evaluation_every=0, choosing=Choosing(theorems_per_step=2, refills=0))
    course = replace(course, samples_shown=99)
    done = train(config(base, tmp_path, course=course), pool=pool)
    rows = metrics(done.model.parent)
    assert [(row["unscored"], row["groups_kept"], row["groups_dropped"]) for row in rows] == [(0, 1, 1)] * 2
    assert all(row["ended_length"] >= 0.5 for row in rows)
    told = [each for each in samples(done.model.parent) if each["theorem"] == "long"]
    assert {(each["reward"], each["ended"]) for each in told} == {(0, "length")}
    assert len(told) == 12
    (reason,) = {each["reason"] for each in told}
    assert reason.startswith("the prompt has ")
    assert reason.endswith("tokens, the model's context 256")


def test_theorems_that_are_held_out_are_refused_with_the_list(base, tmp_path, pool):
    again = "theorem other (a b : Prop) (h : a) (k : b) : a ∧ b"  # BOTH, in other names
    theorems(tmp_path, (([SWAP, again], "train"), (VALID, "valid")))
    with pytest.raises(UserInputError, match=r"1 training theorem is in .*other \(as both\)") as raised:
        train(config(base, tmp_path), pool=pool)
    listed = tmp_path / "run" / "overlap.jsonl"
    assert str(listed) in str(raised.value)
    assert [json.loads(line)["theorem"] for line in listed.read_text().splitlines()] == ["other"]
    # Left out on request, in the same folder: nothing was begun.
    course = replace(COURSE, steps=1, evaluation_every=1)
    done = train(config(base, tmp_path, drop_overlap=True, course=course), pool=pool)
    assert {each["theorem"] for each in samples(done.model.parent)} == {"swap"}


def test_theorems_of_a_benchmark_are_refused(base, tmp_path, pool):
    from prover.benchmarks.catalogue import load

    row = load("minif2f-core").rows[0]
    file = tmp_path / "theorems.jsonl"
    file.write_text(json.dumps({"name": "mine", "statement": row.statement, "header": row.header}) + "\n", "utf-8")
    with pytest.raises(UserInputError, match="minif2f-core"):
        train(config(base, tmp_path, course=replace(COURSE, evaluation_every=0)), pool=pool)


def test_a_checkpoint_of_another_config_is_refused(undisturbed, base, pool):
    folder, _ = undisturbed
    other = config(base, folder, rollouts=replace(ROLLOUTS, group_size=5))
    with pytest.raises(UserInputError, match="group size was 6 and is 5"):
        train(other, pool=pool)


class Breaking:
    """The road of a real Lean, until it is `broken`: then its command ends at once."""

    def __init__(self, road):
        self.road, self.broken = road, False

    def __getattr__(self, name):
        return getattr(self.road, name)

    def command(self, requests, answers):
        return ["sh", "-c", "exit 3"] if self.broken else list(self.road.command(requests, answers))


def test_a_judge_that_is_lost_is_waited_for_and_then_the_run_ends_with_a_checkpoint(
    undisturbed, base, tmp_path, pool, monkeypatch
):
    _, done = undisturbed
    road = Breaking(pool.road)
    own = LeanPool(1, road, spare=False)  # to be broken: the shared one is needed by others
    own.check_statement(named(SWAP).theorem)  # to start takes longer than it is waited for

    @contextmanager
    def opened(lean, workers, tasks):
        with own:
            yield own

    def breaks(text):
        if text.startswith("step 1 of"):
            road.broken = True
            for pid in own.processes:
                os.kill(pid, signal.SIGKILL)

    monkeypatch.setattr(training, "open_pool", opened)
    monkeypatch.setattr("typer.echo", lambda text, err=False: breaks(text.removeprefix("prover-rl: ")) or print(text))
    theorems(tmp_path)
    said = command(base, tmp_path, patience=3)
    assert said.exit_code == 3, said.output
    assert "Lean is lost" in said.output
    assert "the same command goes on" in said.output
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir() if path.name == "1"]
    # Gone on with, once Lean is there again.
    again = train(config(base, tmp_path), pool=pool)
    assert metrics(again.model.parent) == metrics(done.model.parent)
    assert weights(again.model) == weights(done.model)


def test_bad_input_is_one_sentence(tmp_path):
    theorems(tmp_path)
    common = ["grpo", f"--theorems={tmp_path / 'theorems.jsonl'}", f"--out={tmp_path / 'run'}"]
    for more, sentence in (
        (["--base=x", "--group-size=1"], "--group-size has to be at least 2"),
        (["--base=x", "--temperature=0"], "temperature has to be above 0"),
        (["--base=x", "--lag=2"], "--lag is 0 or 1"),
        (["--base=x"], "No prompt family is known for `x`"),
        ([f"--base={tmp_path}", "--prompt=own-tactic", "--valid-split=none"], "has no split `none`"),
        ([f"--base={tmp_path / 'none'}", "--prompt=own-tactic"], "There is no folder"),
        ([f"--base={tmp_path / 'none'}"], "There is no folder"),
    ):
        said = CliRunner().invoke(app, [*common, *more])
        assert said.exit_code == 2, said.output
        assert sentence in " ".join(said.output.split())
    said = CliRunner().invoke(app, ["grpo", "--help"])
    assert said.exit_code == 0

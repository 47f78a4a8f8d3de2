"""What the three commands that train a model have in common."""

import json

import pytest
from typer.testing import CliRunner

import rl.cli
from prover.model.config import ModelConfig
from prover.model.create import create
from rl.grpo.config import Course, GRPOConfig
from rl.grpo.train import train
from rl.models import PeftOptions

COMMANDS = {
    "sft": ["--data=pairs.parquet"],
    "grpo": ["--base=folder", "--theorems=theorems.jsonl"],
    "expert-iteration": ["--theorems=theorems.jsonl"],
}


def refusal(name, folder, *more):
    done = CliRunner().invoke(rl.cli.app, [name, *COMMANDS[name], f"--out={folder / 'run'}", *more])
    assert done.exit_code == 2, done.output
    assert not (folder / "run").exists()
    return done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_a_device_is_one_of_two(name, tmp_path):
    assert refusal(name, tmp_path, "--device=gpu") == "prover-rl: --device is one of cpu, cuda, not `gpu`.\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_one_process_does_it(name, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    said = "prover-rl: This is one process's work: start it without accelerate launch or torchrun.\n"
    assert refusal(name, tmp_path) == said


class Opened(Exception):
    pass


def test_grpo_draws_a_new_adapter_by_its_seed(tmp_path, monkeypatch):
    def opened(name, *, peft, seed, **_):
        assert (name, peft, seed) == (str(base), PeftOptions(lora_rank=2), 7)
        raise Opened

    base = tmp_path / "base"
    create(base, ["theorem t : 1 + 1 = 2 := by decide"], ModelConfig(320, 32, 1, 2, 1, 48, context=64))
    theorems = tmp_path / "theorems.jsonl"
    theorems.write_text(json.dumps({"name": "t", "statement": "theorem t : 1 + 1 = 2", "split": "train"}) + "\n")
    monkeypatch.setattr("rl.models.open_trainable", opened)
    course = Course(evaluation_every=0, seed=7)
    config = GRPOConfig(
        str(base), (str(theorems),), tmp_path / "run", against=(), course=course, peft=PeftOptions(lora_rank=2)
    )
    with pytest.raises(Opened):
        train(config)

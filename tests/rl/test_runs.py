"""Runs as folders: what is saved comes back, what lies beyond it is made again, other settings are refused."""

import json
import random
import re
import struct
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from prover.sources import UserInputError
from rl.runs import Run, open_run, read_config

CHILD = Path(__file__).parent / "run_in_a_child.py"


@dataclass(frozen=True)
class Optimiser:
    learning_rate: float = 0.1
    betas: tuple[float, float] = (0.9, 0.99)


@dataclass(frozen=True)
class Config:
    seed: int = 0
    data: Path = Path("pairs.parquet")
    steps: int = field(default=20, metadata={"may_change": True})
    optimiser: Optimiser = Optimiser()


def write_model(folder: Path) -> None:
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")


def save(run: Run, step: int, **more):
    return run.save(step, write_model, {"step": torch.tensor(step)}, {"step": step}, **more)


def rows(path: Path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def events(folder: Path):
    """What TensorBoard would show: records (length, its CRC, data, its CRC) file by file in the order of their names,
    and a session that starts at a step takes back what came at it and later."""
    from tensorboardX.proto.event_pb2 import Event, SessionLog

    shown: list[tuple[int, str, float]] = []
    starts: list[int] = []
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            event = Event.FromString(data[12 : 12 + length])
            data = data[16 + length :]
            if event.HasField("session_log"):
                assert event.session_log.status == SessionLog.START
                starts.append(event.step)
                shown = [one for one in shown if one[0] < event.step]
            shown += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
    return shown, starts


def test_a_checkpoint_comes_back_bit_for_bit(tmp_path):
    tensors = {
        "bf16": torch.tensor([1.0, -3.1415], dtype=torch.bfloat16),
        "adam": {"step": torch.tensor(7.0), "exp_avg": torch.randn(3, 2, dtype=torch.float64)},
        "list": [1, 2.5, "x", None, (True, float("inf"))],
    }
    state = {"best": float("-inf"), "theorem": "∀ x, x = x \ud800", "rate": 0.1 + 0.2, "seen": [1, 2]}
    with open_run(tmp_path / "run", "sft", Config()) as run:
        assert run.latest() is None
        made = run.save(7, write_model, tensors, state)
        assert made == run.latest()
    with open_run(tmp_path / "run", "sft", Config()) as run:
        found = run.latest()
    assert found is not None
    assert (found.step, found.folder) == (7, tmp_path / "run" / "checkpoints" / "7")
    assert (found.model / "model.safetensors").read_bytes() == b"weights"
    assert found.state() == state
    again = found.tensors()
    assert again["bf16"].dtype == torch.bfloat16
    assert torch.equal(again["bf16"], tensors["bf16"])
    assert torch.equal(again["adam"]["exp_avg"], tensors["adam"]["exp_avg"])
    assert again["list"] == tensors["list"]


def test_the_random_generators_go_on_as_they_did(tmp_path):
    def draw():
        return (
            random.random(), random.gauss(0, 1), np.random.normal(), np.random.randint(1000), torch.rand(3).tolist(),
            torch.randn(1).item(),
        )  # fmt: skip

    random.gauss(0, 1), np.random.normal()  # each keeps the second of a pair for the next call
    with open_run(tmp_path, "sft", Config()) as run:
        checkpoint = save(run, 1)
    expected = [draw(), draw()]
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    assert draw() != expected[0]
    checkpoint.restore_random_states()
    assert [draw(), draw()] == expected


def train(folder: Path, steps: int, die_at: int | None = None, every: int = 5):
    """Least squares by stochastic descent, with chance from three sources; the loop of every algorithm in small."""
    with open_run(folder, "toy", Config(steps=steps)) as run:
        weights = torch.zeros(3)
        first = 1
        if (found := run.latest()) is not None:
            weights, first = found.tensors()["weights"], found.state()["step"] + 1
            found.restore_random_states()
        else:
            random.seed(0), np.random.seed(0), torch.manual_seed(0)
        for step in range(first, steps + 1):
            if step == die_at:
                raise KeyboardInterrupt
            x = torch.randn(3) * random.random()
            error = x @ weights - (x.sum() + np.random.normal())
            weights = weights - 0.1 * error * x
            run.log(step, {"loss": error**2, "norm": weights.norm()})
            run.log_samples(step, [{"x": x.tolist()}])
            if step % every == 0:
                run.save(step, write_model, {"weights": weights}, {"step": step})
    return weights


@pytest.mark.parametrize("die_at", [4, 6, 13, 16])
def test_a_run_that_was_ended_comes_to_the_same_numbers(tmp_path, die_at):
    whole = train(tmp_path / "whole", 20)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", 20, die_at)
    broken = rows(tmp_path / "cut" / "metrics.jsonl")
    assert [row["step"] for row in broken] == list(range(1, die_at))  # up to the end, also what is made again
    assert torch.equal(train(tmp_path / "cut", 20), whole)
    metrics = [rows(tmp_path / name / "metrics.jsonl") for name in ("whole", "cut")]
    for row in metrics[0] + metrics[1]:
        del row["time"]
    assert metrics[0] == metrics[1]
    assert [row["step"] for row in metrics[1]] == list(range(1, 21))
    samples = [(tmp_path / name / "samples.jsonl").read_text() for name in ("whole", "cut")]
    assert samples[0] == samples[1]
    shown, starts = events(tmp_path / "cut" / "tensorboard")
    assert starts == [(die_at - 1) // 5 * 5 + 1 if die_at > 5 else 0]
    assert [step for step, tag, _ in shown if tag == "loss"] == list(range(1, 21))
    assert [value for _, tag, value in shown if tag == "loss"] == pytest.approx([row["loss"] for row in metrics[0]])


def test_what_was_logged_at_a_checkpoint_s_step_after_it_is_made_again(tmp_path):
    """As an evaluation is: lost, then made when the run is gone on with, and the process killed before it is saved."""
    with open_run(tmp_path, "grpo", Config()) as run:
        run.log(1, {"loss": 0.5})
        run.log_samples(1, [{"theorem": "a"}])
        save(run, 1)
    files = [tmp_path / "metrics.jsonl", tmp_path / "samples.jsonl"]
    saved = [path.read_bytes() for path in files]
    for is_saved in (False, True):
        with open_run(tmp_path, "grpo", Config()) as run:
            assert [path.read_bytes() for path in files] == saved
            run.log(1, {"valid_reward": 0.25})
            run.log_samples(1, [{"theorem": "b"}])
            if is_saved:
                save(run, 1)
    with open_run(tmp_path, "grpo", Config()):
        assert [row.keys() - {"step", "time"} for row in rows(files[0])] == [{"loss"}, {"valid_reward"}]
        assert [row["theorem"] for row in rows(files[1])] == ["a", "b"]


def test_a_checkpoint_of_a_program_that_noted_no_sizes_is_gone_on_from(tmp_path):
    with open_run(tmp_path, "sft", Config()) as run:
        run.log(1, {"loss": 0.5})
        facts = save(run, 1).folder / "checkpoint.json"
        run.log(2, {"loss": 0.25})
    noted = json.loads(facts.read_text())
    del noted["journals"]
    facts.write_text(json.dumps(noted))
    with open_run(tmp_path, "sft", Config()):
        assert [row["step"] for row in rows(tmp_path / "metrics.jsonl")] == [1]


def test_sessions_in_one_second_keep_their_event_files(tmp_path):
    for step in range(1, 4):
        with open_run(tmp_path, "sft", Config()) as run:
            run.log(step, {"loss": step})
            save(run, step)
    assert [(step, value) for step, _, value in events(tmp_path / "tensorboard")[0]] == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_a_line_cut_short_is_no_row(tmp_path):
    with open_run(tmp_path, "sft", Config()) as run:
        run.log(1, {"loss": 0.5})
        save(run, 1)
    path = tmp_path / "metrics.jsonl"
    whole = path.read_bytes()
    for torn in (b'{"step": 1, "los', b"\0\0\0"):
        path.write_bytes(whole + torn)
        with open_run(tmp_path, "sft", Config()):
            assert path.read_bytes() == whole
    path.write_bytes(b"no row\n" + whole)
    with (
        pytest.raises(UserInputError, match=r"metrics\.jsonl, line 1: no row of a run"),
        open_run(tmp_path, "sft", Config()),
    ):
        pass
    assert path.read_bytes() == b"no row\n" + whole


def test_what_metrics_may_be(tmp_path):
    with open_run(tmp_path, "sft", Config()) as run:
        numbers: dict[str, Any] = {"ratio": np.float32(0.5), "tokens": torch.tensor(7), "kept": True}
        run.log(3, {"loss": float("nan"), **numbers})
        run.log(3, {"more": float("inf")})
        with pytest.raises(ValueError, match="step 2 comes after step 3"):
            run.log(2, {"loss": 1.0})
        with pytest.raises(ValueError, match="cannot be called time"):
            run.log(4, {"time": 1.0})
    first, second = rows(tmp_path / "metrics.jsonl")
    assert first["time"] > 1.7e9
    del first["time"], second["time"]
    assert first == {"step": 3, "loss": None, "ratio": 0.5, "tokens": 7, "kept": 1.0}
    assert second == {"step": 3, "more": None}
    assert "NaN" not in (tmp_path / "metrics.jsonl").read_text()


def test_samples_are_text_that_people_can_read(tmp_path):
    with open_run(tmp_path, "sft", Config()) as run:
        run.log_samples(1, [{"statement": "theorem t : ∀ n : ℕ, n = n", "reward": None}, {"statement": "½ \udfff"}])
    assert (tmp_path / "samples.jsonl").read_text("utf-8") == (
        '{"step": 1, "statement": "theorem t : ∀ n : ℕ, n = n", "reward": null}\n{"step": 1, "statement": "½ ?"}\n'
    )


def test_other_settings_are_refused_and_named(tmp_path):
    with open_run(tmp_path, "sft", Config()) as run:
        run.log(0, {"loss": 1.0})
    before = (tmp_path / "config.json").read_text()
    other = Config(seed=1, data=Path("more.parquet"), steps=99, optimiser=Optimiser(betas=(0.9, 0.95)))
    with pytest.raises(UserInputError) as caught, open_run(tmp_path, "sft", other):
        pass
    assert str(caught.value) == (
        f"{tmp_path} holds a run with other settings (the seed was 0 and is 1; the data was pairs.parquet and is "
        "more.parquet; the betas was [0.9, 0.99] and is [0.9, 0.95]); name another folder."
    )
    with (
        pytest.raises(UserInputError, match=r"holds a run of sft, not of grpo; name another folder\."),
        open_run(tmp_path, "grpo", Config()),
    ):
        pass
    assert (tmp_path / "config.json").read_text() == before


def test_a_run_that_nothing_came_of_takes_other_settings(tmp_path):
    with open_run(tmp_path, "sft", Config()):
        pass
    with open_run(tmp_path, "grpo", Config(seed=1)):
        pass
    found = read_config(tmp_path)
    assert found is not None
    assert (found["algorithm"], found["settings"]["seed"], len(found["sessions"])) == ("grpo", 1, 2)


def test_the_number_of_steps_may_change_and_config_json_tells_the_story(tmp_path):
    with open_run(tmp_path, "sft", Config()):
        pass
    with open_run(tmp_path, "sft", replace(Config(), steps=40)):
        pass
    found = read_config(tmp_path)
    assert found is not None
    assert found["algorithm"] == "sft"
    assert found["settings"] == {
        "seed": 0, "data": "pairs.parquet", "steps": 40, "learning_rate": 0.1, "betas": [0.9, 0.99],
    }  # fmt: skip
    first, second = found["sessions"]
    assert first["packages"]["torch"] == torch.__version__
    assert len(first["source"]) == 64
    assert second["changed"] == ["the steps was 20 and is 40"]


def test_another_program_is_told_of(tmp_path, caplog):
    with open_run(tmp_path, "sft", Config()):
        pass
    with open_run(tmp_path, "sft", Config()):
        pass
    assert caplog.text == ""
    path = tmp_path / "config.json"
    path.write_text(re.sub(r'"source": "[0-9a-f]{64}"', f'"source": "{"0" * 64}"', path.read_text()))
    with open_run(tmp_path, "sft", Config()):
        pass
    assert "was made with another version of the program" in caplog.text


def test_which_checkpoints_stay(tmp_path):
    with open_run(tmp_path, "sft", Config(), keep=2) as run:
        save(run, 10, marks=["round 1", "best"])
        save(run, 20)
        save(run, 30, marks=["best"])
        for step in (40, 50, 60):
            save(run, step)
        assert sorted(int(folder.name) for folder in (tmp_path / "checkpoints").iterdir()) == [10, 30, 50, 60]
        best, first, none = run.marked("best"), run.marked("round 1"), run.marked("worst")
        assert best is not None
        assert first is not None
        assert (best.step, first.step, none) == (30, 10, None)
        save(run, 70, marks=["round 1"])
        assert sorted(int(folder.name) for folder in (tmp_path / "checkpoints").iterdir()) == [30, 60, 70]
        with pytest.raises(ValueError, match="step 60 is to be saved after step 70"):
            save(run, 60)


def test_a_checkpoint_of_the_same_step_is_replaced(tmp_path):
    with open_run(tmp_path, "sft", Config()) as run:
        save(run, 1)
        run.save(1, write_model, {}, {"evaluated": True}, ["best"])
        found = run.marked("best")
        assert found is not None
        assert (found.step, found.state()) == (1, {"evaluated": True})
    # Killed between the two names: neither is lost.
    folder = tmp_path / "checkpoints"
    (folder / "1").rename(folder / ".1.old")
    (folder / ".1.unfinished").mkdir()
    with open_run(tmp_path, "sft", Config()) as run:
        assert run.latest() == found
    assert [path.name for path in folder.iterdir()] == ["1"]


def test_a_damaged_checkpoint_is_refused_and_the_one_before_can_be_had(tmp_path):
    with open_run(tmp_path, "sft", Config()) as run:
        run.log(1, {"loss": 1.0})
        save(run, 1)
        run.log(2, {"loss": 2.0})
        save(run, 2)
    metrics = (tmp_path / "metrics.jsonl").read_bytes()
    broken = tmp_path / "checkpoints" / "2"
    (broken / "tensors.pt").write_bytes((broken / "tensors.pt").read_bytes()[:-1])
    with pytest.raises(UserInputError) as caught, open_run(tmp_path, "sft", Config()):
        pass
    assert str(caught.value) == f"{broken}/tensors.pt is not what was saved; remove {broken} to go on before it."
    (broken / "checkpoint.json").unlink()
    with (
        pytest.raises(UserInputError, match=r"2 is no whole checkpoint \(checkpoint\.json\)"),
        open_run(tmp_path, "sft", Config()),
    ):
        pass
    assert (tmp_path / "metrics.jsonl").read_bytes() == metrics
    subprocess.run(["rm", "-r", str(broken)], check=True)
    with open_run(tmp_path, "sft", Config()) as run:
        found = run.latest()
        assert found is not None
        assert found.step == 1
    assert [row["step"] for row in rows(tmp_path / "metrics.jsonl")] == [1]


def test_config_json_that_is_gone_or_damaged_loses_nothing(tmp_path):
    with open_run(tmp_path, "sft", Config()) as run:
        run.log(1, {"loss": 1.0})
        save(run, 1)
        run.log(2, {"loss": 1.0})
    path = tmp_path / "config.json"
    path.write_text(path.read_text()[:-20])
    with pytest.raises(UserInputError, match=r"config\.json is damaged"), open_run(tmp_path, "sft", Config()):
        pass
    path.unlink()
    with (
        pytest.raises(UserInputError, match=r"has checkpoints and no config\.json"),
        open_run(tmp_path, "sft", Config()),
    ):
        pass
    assert len(rows(tmp_path / "metrics.jsonl")) == 2


def test_what_cannot_be_read_back_is_not_saved(tmp_path):
    with open_run(tmp_path, "sft", Config()) as run:
        with pytest.raises(TypeError, match="not pathlib"):
            run.save(1, write_model, {"path": Path("a")}, {})
        with pytest.raises(TypeError, match="not JSON serializable"):
            run.save(1, write_model, {}, {"tensor": torch.tensor(1)})
        assert list((tmp_path / "checkpoints").iterdir()) == []


def test_a_dump_holds_dataclasses_and_tensors(tmp_path):
    with open_run(tmp_path, "sft", Config()) as run:
        path = run.dump("step-3-batch", {"rows": [Optimiser()], "loss": torch.tensor([1.0, 2.0]), "at": Path("a")})
    assert path == tmp_path / "dumps" / "step-3-batch.json"
    assert json.loads(path.read_text()) == {
        "rows": [{"learning_rate": 0.1, "betas": [0.9, 0.99]}], "loss": [1.0, 2.0], "at": "a",
    }  # fmt: skip


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UserInputError, match=r"run cannot be written: Not a directory\."),
        open_run(tmp_path / "file" / "run", "sft", Config()),
    ):
        pass


def test_two_settings_of_one_name_are_a_fault(tmp_path):
    @dataclass(frozen=True)
    class Twice:
        learning_rate: float = 1.0
        optimiser: Optimiser = Optimiser()

    with pytest.raises(TypeError, match="two settings are called learning_rate"), open_run(tmp_path, "sft", Twice()):
        pass


def child(*arguments):
    done = subprocess.run(
        [sys.executable, str(CHILD), *map(str, arguments)], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_killed_at_any_moment_a_run_has_a_whole_checkpoint(tmp_path):
    """Twenty-five processes save as fast as they can, and are killed (SIGKILL) after a random time."""
    said = child("killed", tmp_path / "run", 25)
    assert said["steps"] == sorted(said["steps"])
    assert len(set(said["steps"])) > 10  # so they came on, and went on from one another
    assert said["half_written"] > 0  # so some were hit while they wrote


def test_a_full_disk_loses_nothing(tmp_path):
    """The system refuses what is larger than 64 KiB, in the child alone, as it does when a disk is full."""
    said = child("full", tmp_path / "run")
    parent = f"{tmp_path}/run/checkpoints/2"
    kept = "the checkpoints before it are kept, and the same command goes on."
    for which in ("tensors", "safetensors", "file"):
        assert said[which] == f"{parent} cannot be written: File too large; {kept}"
    assert said["metrics"] == f"{tmp_path}/run/metrics.jsonl cannot be written: File too large; what was saved is kept."
    assert said["events"].endswith("tensorboard cannot be written: File too large; what was saved is kept.")
    assert said["folder"] == f"{tmp_path}/model cannot be written: File too large; what was there is kept."
    assert said["left"] == ["1"]
    assert said["whole_lines"] is True
    assert said["afterwards"] == 2
    assert (tmp_path / "model" / "name").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "run"]


def test_one_run_has_one_writer(tmp_path):
    process = subprocess.Popen(
        [sys.executable, str(CHILD), "hold", str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        with (
            pytest.raises(UserInputError, match="is being written by another process"),
            open_run(tmp_path, "sft", Config()),
        ):
            pass
    finally:
        process.kill()
        process.communicate()
    with open_run(tmp_path, "sft", Config()):  # a lock dies with its holder
        pass

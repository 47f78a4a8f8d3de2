"""What `test_runs.py` does in a process of its own, which may be killed or kept from writing."""

import json
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from safetensors.torch import load_file, save_file

from prover.sources import UserInputError
from rl.runs import Checkpoint, Run, open_run
from rl.whole_folder import whole_folder

SIZE = 64 * 1024


@dataclass(frozen=True)
class Config:
    seed: int = 0
    data: str = "pairs.parquet"
    steps: int = 20
    learning_rate: float = 0.1
    betas: tuple[float, float] = (0.9, 0.99)


def save(run: Run, step: int, floats: int = 1000) -> Checkpoint:
    """A checkpoint in which everything is the step's number."""

    def write_model(folder: Path) -> None:
        folder.mkdir()
        save_file({"weights": torch.full((floats,), float(step))}, folder / "model.safetensors")
        (folder / "config.json").write_text(str(step) * 1000)

    return run.save(step, write_model, {"moments": torch.full((1000,), float(step))}, {"step": step})


def check(checkpoint: Checkpoint) -> None:
    step = checkpoint.step
    assert checkpoint.state() == {"step": step}
    assert torch.equal(checkpoint.tensors()["moments"], torch.full((1000,), float(step)))
    assert torch.equal(load_file(checkpoint.model / "model.safetensors")["weights"], torch.full((1000,), float(step)))
    assert (checkpoint.model / "config.json").read_text() == str(step) * 1000
    checkpoint.restore_random_states()


def go_on(folder: Path) -> None:
    """Saves step after step until it is killed."""
    with open_run(folder, "toy", Config()) as run:
        last = run.latest()
        step = last.step if last else 0
        while True:
            step += 1
            run.log(step, {"loss": step})
            save(run, step)


def second_save(folder: Path, process: int) -> float:
    """Waits for a checkpoint that was not there, and for one more: the seconds between the two, on this machine."""
    times: list[float] = []
    seen = {path.name for path in folder.glob("checkpoints/*")}
    while len(times) < 2:
        now = {path.name for path in folder.glob("checkpoints/*") if path.name.isdecimal()}
        if now - seen:
            times.append(time.monotonic())
            seen |= now
        assert os.waitpid(process, os.WNOHANG) == (0, 0), "it ended by itself"
        time.sleep(0.001)
    return times[1] - times[0]


def killed(folder: Path, times: int) -> dict[str, object]:
    chance = random.Random(0)
    steps, half_written = [], 0
    for _ in range(times):
        process = os.fork()
        if process == 0:
            go_on(folder)
        took = second_save(folder, process)
        time.sleep(chance.uniform(0, 3 * took))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        half_written += len(list(folder.glob("checkpoints/.*")))
        with open_run(folder, "toy", Config()) as run:
            found = run.latest()
            for path in (folder / "checkpoints").glob("*"):
                assert not path.name.startswith("."), path
            if found is None:
                continue
            check(found)
            steps.append(found.step)
            rows = [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
            assert rows == list(range(1, found.step + 1)), rows
    return {"steps": steps, "half_written": half_written}


def said_by(does: Callable[[], object]) -> str:
    try:
        does()
    except UserInputError as error:
        return str(error)
    return "nothing"


def full(folder: Path) -> dict[str, object]:
    said: dict[str, object] = {}
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

    def refuse(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit))

    model = folder.parent / "model"
    model.mkdir()
    (model / "name").write_text("old")

    def replace_model() -> None:
        with whole_folder(model) as unfinished:
            (unfinished / "name").write_text("new" * SIZE)

    def log_much() -> None:
        while True:
            run.log(2, {"x" * 1000: 1.0})

    def log_events() -> None:
        while True:
            run._events.add(2, {"x" * 1000: 1.0})

    with suppress(UserInputError), open_run(folder, "toy", Config()) as run:
        run.log(1, {"loss": 1.0})
        save(run, 1)
        refuse(SIZE)
        big = torch.zeros(SIZE)
        said["tensors"] = said_by(lambda: run.save(2, Path.mkdir, {"big": big}, {}))
        said["safetensors"] = said_by(lambda: save(run, 2, floats=SIZE))
        said["file"] = said_by(lambda: run.save(2, Path.mkdir, {}, {"text": "x" * 2 * SIZE}))
        said["folder"] = said_by(replace_model)
        said["metrics"] = said_by(log_much)
        said["events"] = said_by(log_events)
        said["left"] = sorted(path.name for path in (folder / "checkpoints").iterdir())
        text = (folder / "metrics.jsonl").read_text()
        said["whole_lines"] = text.endswith("}\n") and all(json.loads(line)["step"] for line in text.splitlines())
    refuse(limit)
    with open_run(folder, "toy", Config()) as run:
        found = run.latest()
        assert found is not None
        check(found)
        run.log(2, {"loss": 2.0})
        said["afterwards"] = save(run, 2).step
    assert [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()] == [1, 2]
    return said


def hold(folder: Path) -> None:
    with open_run(folder, "sft", Config()):
        print("open", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    torch.set_num_threads(1)
    name, folder, *more = sys.argv[1:]
    does: dict[str, Callable[..., object]] = {"killed": killed, "full": full, "hold": hold}
    print(json.dumps(does[name](Path(folder), *map(int, more))))

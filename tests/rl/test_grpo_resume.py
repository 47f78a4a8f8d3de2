"""A run of GRPO that ends in whatever way, and is gone on with, comes to the same numbers as one that was not."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from math import nan
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from transformers import AutoModelForCausalLM  # noqa: E402

from prover.sources import UserInputError  # noqa: E402
from rl.benchmark import bandit  # noqa: E402
from rl.benchmark.bandit import play  # noqa: E402
from rl.grpo.batch import rows  # noqa: E402
from rl.grpo.curriculum import Curriculum  # noqa: E402
from rl.grpo.loop import EVALUATION  # noqa: E402
from rl.learner.learner import Learner  # noqa: E402
from rl.rollouts.lean import CollectStopped  # noqa: E402
from rl.rollouts.lost import JudgeLost  # noqa: E402
from tests.rl.grpo_child import STEPS, everything  # noqa: E402

CLOCK = ("time", "seconds", "per_second")


def metrics(folder: Path):
    """The rows of metrics.jsonl without what the clock says."""
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if not key.endswith(CLOCK)} for row in rows]


def came_to(folder: Path):
    """All that two runs have to have in common."""
    latest = max((folder / "checkpoints").iterdir(), key=lambda path: int(path.name))
    state = json.loads((latest / "state.json").read_text())
    return (
        metrics(folder),
        (folder / "samples.jsonl").read_text(),
        latest.name,
        (latest / "model" / "model.safetensors").read_bytes(),
        {name: state[name] for name in ("curriculum", "replay", "evaluated", "last", "best")},
        marks(folder),
    )


def marks(folder: Path):
    """The last step that has each mark."""
    facts = [json.loads((path / "checkpoint.json").read_text()) for path in (folder / "checkpoints").iterdir()]
    return {mark: each["step"] for each in sorted(facts, key=lambda each: each["step"]) for mark in each["marks"]}


@pytest.fixture(scope="module", params=[0, 1], ids=["lag 0", "lag 1"])
def undisturbed(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("grpo") / "run"
    play(folder, everything(request.param))
    return request.param, folder


def disturbing(step, disturb, times=1):
    """An environment in which something happens when this step is collected, so many times."""
    left = [times]

    def around(environment):
        def collect(rows, asked, version):
            if asked == step and left[0]:
                left[0] -= 1
                disturb()
            return environment.collect(rows, asked, version)

        return replace(environment, collect=collect)

    return around


def steps_saved(folder):
    return sorted(int(path.name) for path in folder.glob("checkpoints/*"))


def test_there_is_something_of_everything(undisturbed):
    lag, folder = undisturbed
    rows = [row for row in metrics(folder) if "reward" in row]
    assert [row["step"] for row in rows] == list(range(1, STEPS + 1))
    assert [row["step"] for row in metrics(folder) if "valid_reward" in row] == [0, 3, 6, 8]
    assert sum(row["replayed"] for row in rows) > 0
    assert sum(row["refills"] for row in rows) > 0
    assert max(row["updates"] for row in rows) == 4
    assert any(row.get("kl", 0) > 0 for row in rows)
    assert any(row.get("clip_high", 0) > 0 for row in rows)
    assert {row["lag"] for row in rows} == ({0} if lag == 0 else {0, 1})


@pytest.mark.parametrize("step", [0, 4, 7])
def test_ctrl_c_while_a_batch_is_collected(undisturbed, tmp_path, step):
    lag, folder = undisturbed

    def interrupt():
        signal.raise_signal(signal.SIGINT) if lag == 0 else os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)  # the main thread is to hear it

    with pytest.raises(KeyboardInterrupt):
        play(tmp_path / "run", everything(lag), disturbing(step, interrupt))
    # The last whole step is there; with lag 1 the one before this one may have been in work.
    assert steps_saved(tmp_path / "run")[-1] in ({step} if lag == 0 else {max(0, step - 1), step})
    play(tmp_path / "run", everything(lag))
    assert came_to(tmp_path / "run") == came_to(folder)


def test_ctrl_c_in_an_update_lets_the_step_be_finished(undisturbed, tmp_path, monkeypatch):
    lag, folder = undisturbed
    update = Learner.update
    calls: list[None] = []

    def interrupted(self, rows, objective):
        calls.append(None)
        if len(calls) == 6:  # there are up to four in a step
            signal.raise_signal(signal.SIGINT)
        return update(self, rows, objective)

    monkeypatch.setattr(Learner, "update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        play(tmp_path / "run", everything(lag))
    monkeypatch.undo()
    last = steps_saved(tmp_path / "run")[-1]
    assert metrics(tmp_path / "run")[-1]["step"] == last
    assert 2 <= last <= STEPS
    assert len(calls) in (7, 8)  # no update of that step is missing, and none of the next was begun
    play(tmp_path / "run", everything(lag))
    assert came_to(tmp_path / "run") == came_to(folder)


def test_a_second_ctrl_c_leaves_the_step_and_the_checkpoint_before_is_gone_on_from(undisturbed, tmp_path, monkeypatch):
    lag, folder = undisturbed
    update = Learner.update
    calls: list[None] = []

    def interrupted(self, rows, objective):
        calls.append(None)
        if len(calls) == 7:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return update(self, rows, objective)

    monkeypatch.setattr(Learner, "update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        play(tmp_path / "run", everything(lag))
    monkeypatch.undo()
    assert len(calls) == 7
    assert steps_saved(tmp_path / "run")[-1] in (0, 3)  # those of the course
    play(tmp_path / "run", everything(lag))
    assert came_to(tmp_path / "run") == came_to(folder)


@pytest.mark.parametrize("step", [0, 5])
def test_a_judge_that_is_lost(undisturbed, tmp_path, step):
    lag, folder = undisturbed

    def lose():
        raise JudgeLost("Lean is lost.")

    with pytest.raises(JudgeLost):
        play(tmp_path / "run", everything(lag), disturbing(step, lose))
    assert steps_saved(tmp_path / "run")[-1] == step
    play(tmp_path / "run", everything(lag))
    assert came_to(tmp_path / "run") == came_to(folder)


@pytest.mark.parametrize("step", [0, 3, 6, STEPS])
def test_lost_in_an_evaluation(undisturbed, tmp_path, step):
    lag, folder = undisturbed
    left = [1]

    def around(environment):
        def collect(rows, asked, version):
            if (asked, version) == (EVALUATION, step) and left:
                left.clear()
                raise JudgeLost("Lean is lost.")
            return environment.collect(rows, asked, version)

        return replace(environment, collect=collect)

    with pytest.raises(JudgeLost):
        play(tmp_path / "run", everything(lag), around)
    assert steps_saved(tmp_path / "run")[-1:] == ([step] if step else [])
    for _ in range(3):  # once made, the evaluation is made no more
        play(tmp_path / "run", everything(lag))
        assert came_to(tmp_path / "run") == came_to(folder)


def test_an_evaluation_that_was_made_is_saved_though_no_checkpoint_is_due(tmp_path):
    course = replace(everything(0), checkpoint_every=100, evaluation_every=2)
    play(tmp_path / "whole", course)

    evaluations = []

    def around(environment):
        def collect(rows, asked, version):
            if asked == EVALUATION:
                evaluations.append(version)
                if evaluations == [0, 2]:
                    raise JudgeLost("Lean is lost.")
            groups = environment.collect(rows, asked, version)
            return [_poisoned(group) for group in groups] if asked == 2 else groups

        return replace(environment, collect=collect)

    # In the evaluation after two steps, and then in the midst of the next step, with nothing that could be saved.
    for error in (JudgeLost, UserInputError):
        with pytest.raises(error):
            play(tmp_path / "run", course, around)
    assert evaluations == [0, 2, 2]
    play(tmp_path / "run", course)
    assert came_to(tmp_path / "run") == came_to(tmp_path / "whole")


@pytest.mark.parametrize("step", [0, 1, 4, 5])
@pytest.mark.parametrize("where", ["draw", "take_weights", "rows"])
def test_a_break_between_a_batch_and_what_is_learned_of_it(undisturbed, tmp_path, monkeypatch, where, step):
    """With lag 1 the next step is prepared there, which takes the batch into account."""
    lag, folder = undisturbed
    asked = [0]

    class Broken(Exception):
        pass

    def breaking(usual):
        def perhaps(*given):
            asked[0] += 1
            if asked[0] == step + 1:
                raise Broken
            return usual(*given)

        return perhaps

    def around(environment):
        return replace(environment, take_weights=breaking(environment.take_weights))

    if where == "draw":
        monkeypatch.setattr(Curriculum, "draw", breaking(Curriculum.draw))
    elif where == "rows":
        monkeypatch.setattr("rl.grpo.loop.rows", breaking(rows))
    with pytest.raises(Broken):
        play(tmp_path / "run", everything(lag), *([around] if where == "take_weights" else []))
    monkeypatch.undo()
    play(tmp_path / "run", everything(lag))
    assert came_to(tmp_path / "run") == came_to(folder)


def test_a_first_failure_does_not_pin_the_settings(tmp_path):
    course = replace(everything(0), evaluation_every=0)

    def lose():
        raise JudgeLost("Lean is lost.")

    with pytest.raises(JudgeLost):
        play(tmp_path / "run", course, disturbing(0, lose))
    assert steps_saved(tmp_path / "run") == []
    other = replace(course, objective=replace(course.objective, clip_high=0.3))
    assert play(tmp_path / "run", other).step == STEPS


def test_more_steps_may_be_asked_for_later(undisturbed, tmp_path):
    lag, folder = undisturbed
    play(tmp_path / "run", everything(lag, 6))
    play(tmp_path / "run", everything(lag))
    assert came_to(tmp_path / "run") == came_to(folder)
    before = came_to(tmp_path / "run")
    play(tmp_path / "run", everything(lag))  # over: nothing more is done
    assert came_to(tmp_path / "run") == before


def test_killed_outright(undisturbed, tmp_path):
    lag, folder = undisturbed
    run = tmp_path / "run"
    child = Path(__file__).with_name("grpo_child.py")
    process = subprocess.Popen(
        [sys.executable, str(child), str(run), str(lag), "5"],
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 200
    # Step 5, from 0, waits: with lag 0 five steps are logged, with lag 1 that which is learned from meanwhile as well.
    while not (run / "metrics.jsonl").exists() or metrics(run)[-1:] == [] or metrics(run)[-1]["step"] < 5:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert steps_saved(run)[-1] == 3
    play(run, everything(lag))
    assert came_to(run) == came_to(folder)


def test_a_loss_that_is_no_number_ends_the_run_with_its_batch_saved(tmp_path):
    def poisoned(environment):
        def collect(rows, step, version):
            groups = environment.collect(rows, step, version)
            return groups if step != 4 else [_poisoned(group) for group in groups]

        return replace(environment, collect=collect)

    with pytest.raises(UserInputError, match=r"At step 5, in update 1 of it, the loss is nan") as raised:
        play(tmp_path / "run", everything(0), poisoned)
    dump = tmp_path / "run" / "dumps" / "step-5.json"
    assert str(dump) in str(raised.value)
    # The same command would meet it again. What three checkpointed steps and one more have come to is not lost.
    model = dump.with_suffix("")
    assert f"Go on in another folder with --base {model}," in str(raised.value)
    before = AutoModelForCausalLM.from_pretrained(model).state_dict()
    play(tmp_path / "whole", replace(everything(0), steps=4))
    whole = AutoModelForCausalLM.from_pretrained(tmp_path / "whole" / "checkpoints" / "4" / "model").state_dict()
    assert all(torch.equal(weight, whole[name]) for name, weight in before.items())
    rows = json.loads(dump.read_text())
    assert any(value != value for row in rows for value in row["sampler_log_probs"])
    assert {"prompt_ids", "answer_ids", "advantage", "old_log_probs"} <= rows[0].keys()
    assert steps_saved(tmp_path / "run")[-1] == 3
    assert metrics(tmp_path / "run")[-1]["step"] == 4


def _poisoned(group):
    """What the sampler says of its tokens is no number."""
    rollouts = [
        replace(each, turns=tuple(replace(turn, log_probabilities=(nan,) * len(turn.token_ids)) for turn in each.turns))
        for each in group.rollouts
    ]
    return replace(group, rollouts=tuple(rollouts))


def test_a_checkpoint_of_other_settings_is_refused(undisturbed):
    lag, folder = undisturbed
    before = came_to(folder)
    course = everything(lag)
    other = replace(course, objective=replace(course.objective, clip_high=0.3))
    with pytest.raises(UserInputError, match=r"clip high was 0\.28 and is 0\.3"):
        play(folder, other)
    assert came_to(folder) == before


def test_other_theorems_are_refused(undisturbed, monkeypatch):
    lag, folder = undisturbed
    monkeypatch.setattr(bandit, "MACHINES", bandit.MACHINES[:3])
    with pytest.raises(UserInputError, match="other theorems"):
        play(folder, everything(lag))


def test_what_is_collected_is_given_up_when_the_run_ends(tmp_path):
    """With lag 1 a batch is in work while another is learned from; the environment is told to stop."""
    stopped: list[None] = []

    def around(environment):
        def collect(rows, step, version):
            if step == 2:
                os.kill(os.getpid(), signal.SIGINT)
                while not stopped:
                    time.sleep(0.01)
                raise CollectStopped("the rollouts were given up")
            return environment.collect(rows, step, version)

        return replace(environment, collect=collect, stop=lambda: stopped.append(None))

    with pytest.raises(KeyboardInterrupt):
        play(tmp_path / "run", everything(1), around)
    assert stopped

"""`prover-rl report`: what the metrics of runs came to."""

import re
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner

from rl.cli import app
from rl.runs import open_run
from rl.runs.curves import Curve, read_curves, smoothed


@dataclass(frozen=True)
class Config:
    seed: int = 0


@pytest.fixture
def folder(tmp_path):
    with open_run(tmp_path / "first", "grpo", Config()) as run:
        for step, reward in enumerate([0.25, 0.5, 0.125, 0.75], 1):
            run.log(step, {"reward": reward, "loss": float("nan") if step == 2 else 1 / step})
        run.log(4, {"valid/solved": 0.5})
    return tmp_path


def report(*arguments):
    return CliRunner().invoke(app, ["report", *map(str, arguments)], env={"COLUMNS": "100"})


def test_curves_leave_out_what_is_no_number(folder):
    assert read_curves(folder / "first") == [
        Curve("reward", (1, 2, 3, 4), (0.25, 0.5, 0.125, 0.75)),
        Curve("loss", (1, 3, 4), (1.0, 1 / 3, 0.25)),
        Curve("valid/solved", (4,), (0.5,)),
    ]


def test_the_table_and_the_figure(folder):
    shown = report(folder / "first")
    assert shown.exit_code == 0, shown.output
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert lines[0] == ["metric", "first", "last", "step", "least", "at", "greatest", "at"]
    assert lines[1] == ["reward", "0.25", "0.75", "4", "0.125", "3", "0.75", "4"]
    assert lines[2] == ["loss", "1", "0.25", "4", "0.25", "4", "1", "1"]
    assert lines[3] == ["valid/solved", "0.5", "0.5", "4", "0.5", "4", "0.5", "4"]
    figure = folder / "first" / "curves.png"
    assert shown.stdout.replace("\n", "").endswith(f"wrote {figure}")
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_runs_side_by_side_as_svg(folder):
    with open_run(folder / "second", "grpo", Config()) as run:
        for step in range(1, 101):
            run.log(step, {"reward": step / 100})
    out = folder / "both.svg"
    shown = report(folder / "first", folder / "second", "--out", out, "--metrics", "re,val")
    assert shown.exit_code == 0, shown.output
    rows = [line.split()[:2] for line in shown.stdout.splitlines()[1:4]]
    assert rows == [["reward", "first"], ["reward", "second"], ["valid/solved", "first"]]
    text = out.read_text()
    for word in ("reward", "valid/solved", "first", "second"):
        assert f">{word}<" in text
    assert ">loss<" not in text
    report(folder / "first", folder / "second", "--out", out, "--metrics", "re,val")
    assert out.read_text() == text  # the same bytes for the same numbers


def test_there_is_a_plot_for_each_metric_and_no_empty_one(folder):
    from rl.runs.figure import draw

    curves = [Curve(f"m{n}", (1, 2), (0.0, 1.0)) for n in range(4)]  # on a grid of two rows of three
    text = draw({"run": curves}, [curve.metric for curve in curves], "svg").decode()
    assert len(re.findall(r'<g id="axes_\d+">', text)) == 4
    assert text.count(">step<") == 3  # below the last of each column


def test_what_cannot_be_reported(folder):
    (folder / "empty").mkdir()
    with open_run(folder / "begun", "grpo", Config()):
        pass
    for arguments, said in (
        ((folder / "empty",), "holds no run of prover-rl"),
        ((folder / "begun",), "has no metrics yet."),
        ((folder / "first", "--metrics", "x"), "No metric begins with `x`; there are reward, loss, valid/solved."),
        ((folder / "first", "--out", folder / "a.pdf"), "a figure is a .png or a .svg file."),
        ((folder / "first", "--out", folder / "no" / "a.svg"), "cannot be written: there is no such folder."),
        ((folder / "first", folder / "first"), "The same run is named twice."),
    ):
        ended = report(*arguments)
        assert ended.exit_code == 2
        assert re.match(r"prover-rl: .*\n$", ended.stderr)
        assert said in ended.stderr


def test_smoothing():
    # Of 1, 2, 6, 3, 8 with one to either side: (1+2)/2, (1+2+6)/3, (2+6+3)/3, (6+3+8)/3, (3+8)/2.
    assert smoothed([1, 2, 6, 3, 8], 3) == pytest.approx([1.5, 3.0, 11 / 3, 17 / 3, 5.5])
    assert smoothed([1, 2], 1) == [1, 2]

"""A dataclass as a command's options, and the command `prover-rl` around it."""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import rl.cli
from prover.sources import UserInputError
from rl.command_line import HeadedCommand, options_of

ROOT = Path(__file__).parents[2]
Average = Literal["token_mean", "sequence_mean", "constant_length"]


@dataclass(frozen=True)
class Objective:
    aggregation: Average = field(default="token_mean", metadata={"help": "How tokens are averaged."})
    clip_low: float = 0.2
    """What a ratio below 1
    may be less."""
    importance_cap: float | None = field(default=2.0, metadata={"help": "The [greatest] weight."})
    mask_truncated: bool = True


@dataclass(frozen=True)
class Learner:
    learning_rate: float = 1e-5
    betas: tuple[float, float] = (0.9, 0.999)

    def __post_init__(self) -> None:
        if self.learning_rate <= 0:
            raise ValueError(f"--learning-rate is more than 0, not {self.learning_rate}.")


@dataclass(frozen=True)
class Config:
    model: str = field(metadata={"help": "The model to train."})
    out: Path = field(default=Path("runs/grpo"), metadata={"help": "The run's folder.", "metavar": "DIR"})
    steps: int = 100
    dry: bool = False
    device: str | None = None
    kl: Literal["k1", "k3"] | None = None
    splits: tuple[str, ...] = ("train",)
    sizes: tuple[int, ...] = ()
    objective: Objective = field(default=Objective(), metadata={"help": "The loss."})
    learner: Learner = field(default_factory=lambda: Learner(learning_rate=2e-6))


def parsed(*arguments, config=Config):
    """What the command is given."""
    found = []

    @options_of(config)
    def command(made) -> None:
        found.append(made)

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(command)
    result = CliRunner().invoke(app, [*map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return found[0]


def test_the_defaults_are_the_dataclass():
    made = parsed("--model", "x")
    assert made == Config("x")
    assert made.learner.learning_rate == 2e-6  # the outer one's, not Learner's own
    assert isinstance(made.out, Path)


def test_each_type_is_read():
    line = (
        "--model hf/x --out a/b --steps 7 --dry --device cpu --kl k3 --splits train,valid --sizes 1,2 --aggregation "
        "sequence_mean --clip-low .3 --importance-cap none --no-mask-truncated --learning-rate 1e-3 --betas 0.8,0.95"
    )
    objective = Objective("sequence_mean", 0.3, None, False)
    learner = Learner(1e-3, (0.8, 0.95))
    assert parsed(*line.split()) == Config(
        "hf/x", Path("a/b"), 7, True, "cpu", "k3", ("train", "valid"), (1, 2), objective, learner
    )
    assert parsed("--model", "x", "--splits", "", "--device", "none") == Config("x", splits=())


WORDS = st.text("abcdefgh/._-0", min_size=1).filter(lambda text: text != "none")
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=50, deadline=None)
@given(
    st.builds(
        Config,
        model=WORDS,
        out=WORDS.map(Path),
        steps=st.integers(),
        dry=st.booleans(),
        device=st.none() | WORDS,
        kl=st.sampled_from(["k1", "k3", None]),
        splits=st.lists(WORDS, min_size=1).map(tuple),
        sizes=st.lists(st.integers()).map(tuple),
        objective=st.builds(Objective, st.just("constant_length"), FLOATS, st.none() | FLOATS, st.booleans()),
        learner=st.builds(Learner, st.floats(1e-300, 1e300), st.tuples(FLOATS, FLOATS)),
    )
)
def test_whatever_a_config_is_it_can_be_typed(config):
    flat = {**vars(config), **vars(config.objective), **vars(config.learner)}
    arguments = []
    for name, value in flat.items():
        flag = name.replace("_", "-")
        if name in ("objective", "learner"):
            continue
        if isinstance(value, bool):
            arguments.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            shown = ",".join(map(str, value)) if isinstance(value, tuple) else "none" if value is None else str(value)
            arguments.append(f"--{flag}={shown}")
    assert parsed(*arguments) == config


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--steps", "1.5"], "--steps is a whole number, not `1.5`."),
        (["--steps", "many"], "--steps is a whole number, not `many`."),
        (["--clip-low", "x"], "--clip-low is a number, not `x`."),
        (["--clip-low", "nan"], "--clip-low is a number, not `nan`."),
        (["--importance-cap", "inf"], "--importance-cap is a number, not `inf`."),
        (["--clip-low", "none"], "--clip-low is a number, not `none`."),
        (
            ["--aggregation", "mean"],
            "--aggregation is one of token_mean, sequence_mean, constant_length, not `mean`.",
        ),
        (["--kl", "k2"], "--kl is one of k1, k3, not `k2`."),
        (["--betas", "0.9"], "--betas is 2 values with commas between them, not `0.9`."),
        (["--betas", "0.9,b"], "--betas is a number, not `b`."),
        (["--sizes", "1,,2"], "--sizes is a whole number, not ``."),
        (["--learning-rate", "0"], "--learning-rate is more than 0, not 0.0."),
    ],
)
def test_a_bad_value_is_refused_in_one_sentence(arguments, sentence):
    with pytest.raises(UserInputError) as caught:
        parsed("--model", "x", *arguments)
    assert str(caught.value) == sentence


def test_dataclasses_that_no_command_can_have():
    @dataclass
    class Twice:
        clip_low: float = 0.1
        objective: Objective = field(default_factory=Objective)

    @dataclass
    class Strange:
        weights: dict[str, float] = field(default_factory=dict)

    @dataclass
    class Missing:
        learner: Learner

    for config, said in (
        (Twice, "Twice has two options called clip_low"),
        (Strange, r"Strange\.weights is of the type dict\[str, float\], which no option has"),
        (Missing, r"Missing\.learner has no default"),
    ):
        with pytest.raises(TypeError, match=said):
            options_of(config)


@options_of(Config)
def train(config: Config) -> None:
    """Train a model.

    The same command goes on.
    """
    if config.device == "lost":
        raise UserInputError("There is no such device.")
    if config.device == "stopped":
        raise KeyboardInterrupt
    if config.device == "half":
        import matplotlib  # noqa: F401
    typer.echo(f"trained {config.model}")


@pytest.fixture
def run(monkeypatch):
    """Runs `prover-rl` with a command `grpo` that is the one above."""
    monkeypatch.setitem(sys.modules, "a_command", SimpleNamespace(command=train))
    monkeypatch.setitem(rl.cli.COMMANDS, "grpo", ("a_command", "Train."))

    def call(*arguments, columns=80):
        return CliRunner().invoke(rl.cli.app, list(arguments), terminal_width=columns)

    return call


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_help_fits_and_shows_everything(run, columns):
    shown = run("grpo", "--help", columns=columns)
    assert shown.exit_code == 0
    assert max(map(len, shown.stdout.splitlines())) <= columns
    text = re.sub(r"\s+", " ", shown.stdout)
    assert "Train a model. The same command goes on. Options:" in text
    assert "--model TEXT The model to train. [required]" in text
    assert "--out DIR The run's folder. [default: runs/grpo]" in text
    assert "--kl NAME|none One of k1, k3. [default: none]" in text
    assert "--splits TEXT,... [default: train]" in text
    assert "--sizes N,..." in text
    assert "The loss: --aggregation NAME How tokens are averaged. One of token_mean, sequence_mean, constant" in text
    assert "--clip-low X What a ratio below 1 may be less. [default: 0.2]" in text
    assert "--importance-cap X|none The [greatest] weight. [default: 2.0]" in text
    assert "--mask-truncated / --no-mask-truncated [default: mask-truncated]" in text
    assert "Learner: --learning-rate X [default: 2e-06] --betas X,X [default: 0.9,0.999]" in text


def test_what_a_user_can_cause_ends_in_one_sentence(run, monkeypatch):
    good = run("grpo", "--model", "x")
    assert (good.exit_code, good.stdout, good.stderr) == (0, "trained x\n", "")
    for arguments, code, said in (
        (("--steps", "x"), 2, "prover-rl: --steps is a whole number, not `x`.\n"),
        (("--device", "lost"), 2, "prover-rl: There is no such device.\n"),
        (("--device", "stopped"), 130, "prover-rl: interrupted\n"),
    ):
        ended = run("grpo", "--model", "x", *arguments)
        assert (ended.exit_code, ended.stdout, ended.stderr) == (code, "", said)
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # as if it were not installed
    ended = run("grpo", "--model", "x", "--device", "half")
    assert ended.exit_code == 2
    assert ended.stderr == (
        "prover-rl: this needs more than is installed (matplotlib is missing): pip install 'lean-rl-prover[report]'\n"
    )


def test_a_fault_of_ours_is_not_taken_for_a_missing_package(run, monkeypatch):
    monkeypatch.setitem(rl.cli.COMMANDS, "grpo", ("rl.no_such_module", "Train."))
    assert isinstance(run("grpo").exception, ModuleNotFoundError)


def test_usage_errors(run):
    for arguments, said in (
        (["grop"], "No such command 'grop'. Did you mean 'grpo'"),
        (["grpo"], "Missing option '--model'"),
        (["grpo", "--model", "x", "--clip-lo", "1"], "No such option: --clip-lo"),
    ):
        ended = run(*arguments)
        assert ended.exit_code == 2
        assert said in ended.stderr
        assert "Traceback" not in ended.output


def test_the_list_says_what_each_command_does(run):
    shown = run("--help", columns=60)
    assert shown.exit_code == 0
    text = re.sub(r"\s+", " ", shown.stdout)
    for name, (_, what) in rl.cli.COMMANDS.items():
        assert f"{name} {what}" in text
    assert run("--version").stdout.startswith("prover-rl 0.")


def test_help_costs_no_torch():
    """Of all commands whose modules there are."""
    code = """
import importlib.util, sys
from typer.testing import CliRunner
import rl.cli
for name, (module, _) in {"": ("rl.cli", ""), **rl.cli.COMMANDS}.items():
    if importlib.util.find_spec(module):
        result = CliRunner().invoke(rl.cli.app, [name, "--help"] if name else ["--help"])
        assert result.exit_code == 0, (name, result.output, result.exception)
heavy = {"torch", "transformers", "matplotlib", "tensorboardX", "pyarrow"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr


def test_an_argument_has_no_type_of_pythons_beside_it():
    app = typer.Typer(add_completion=False, rich_markup_mode=None)

    @app.command(cls=HeadedCommand)
    def show(runs: list[Path] = typer.Argument(metavar="RUN...", help="Folders.")) -> None:
        """Show."""

    text = re.sub(r"\s+", " ", CliRunner().invoke(app, ["--help"]).stdout)
    assert "Arguments: RUN... Folders. [required]" in text

"""The scripts in bin/: they make `.venv` once, under a lock, and pass everything on.

Shell, Python, venv and pip are the real ones. In place of this project they set up one of a few lines, which is built
by a file of its own and needs no network: its `prover` prints where it runs and with what; every build is counted.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tiny"
version = "1"
"""

BACKEND = '''
import os, zipfile
NAME = "tiny-1.dist-info"
METADATA = """Metadata-Version: 2.1
Name: tiny
Version: 1
Provides-Extra: dev
"""
def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    with open("builds", "a") as out: out.write("built\\n")
    files = {
        "tiny.pth": os.getcwd(),
        NAME + "/METADATA": METADATA + REQUIRES,
        NAME + "/WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        NAME + "/entry_points.txt": "[console_scripts]\\nprover = tiny:main\\n",
    }
    files[NAME + "/RECORD"] = "".join(name + ",,\\n" for name in [*files, NAME + "/RECORD"])
    with zipfile.ZipFile(os.path.join(wheel_directory, "tiny-1-py3-none-any.whl"), "w") as wheel:
        for name, text in files.items(): wheel.writestr(name, text)
    return "tiny-1-py3-none-any.whl"
'''

TINY = """
import json, os, sys
def main():
    print(json.dumps({"arguments": sys.argv[1:], "folder": os.getcwd(), "prefix": sys.prefix}))
    sys.exit(7)
"""

# Takes the place of ruff, mypy and pytest.
CHECK = """
import sys
print("NAME", *sys.argv[1:])
sys.exit(CODE)
"""


def write_check(folder: Path, name: str, code: int) -> None:
    (folder / f"{name}.py").write_text(CHECK.replace("NAME", name).replace("CODE", str(code)))


def make_project(folder: Path, requires: str = "") -> Path:
    (folder / ".ci").mkdir(parents=True)
    shutil.copytree(PROJECT / "bin", folder / "bin")
    shutil.copy(PROJECT / ".ci" / "run", folder / ".ci" / "run")
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "backend.py").write_text(f"REQUIRES = {requires!r}\n{BACKEND}")
    (folder / "tiny.py").write_text(TINY)
    for name, code in {"ruff": 0, "mypy": 0, "pytest": 5}.items():
        write_check(folder, name, code)
    return folder


def environment(**changes: str) -> dict[str, str]:
    """This process's environment with this Python for the scripts, and no package index that pip could reach."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    pip = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull}  # nothing listens there
    return {**mine, **pip, "PROVER_PYTHON": sys.executable, **changes}


def start(command: list[str | Path], cwd: Path, **changes: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=cwd, env=environment(**changes), stdout=pipe, stderr=pipe, text=True)


def run(command: list[str | Path], cwd: Path, **changes: str) -> tuple[int, str, str]:
    process = start(command, cwd, **changes)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def builds(project: Path) -> int:
    return len((project / "builds").read_text().splitlines())


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project set up by two `bin/prover` at once; what they said is in its file `first.json`."""
    project = make_project(tmp_path_factory.mktemp("home") / "a folder's name" / "checkout")
    both = [start([project / "bin" / "prover", "x y", "*", "--flag=a b"], project.parent) for _ in range(2)]
    outputs = [process.communicate(timeout=120) for process in both]
    answers = [[process.returncode, out, err] for process, (out, err) in zip(both, outputs, strict=True)]
    (project / "first.json").write_text(json.dumps(answers))
    return project


def test_two_at_once_set_up_once_and_both_run(project):
    answers = json.loads((project / "first.json").read_text())
    assert [code for code, _, _ in answers] == [7, 7], answers
    for _, out, _ in answers:
        assert json.loads(out) == {
            "arguments": ["x y", "*", "--flag=a b"],
            "folder": str(project.parent),
            "prefix": str(project / ".venv"),
        }
    errors = sorted(err for _, _, err in answers)
    assert errors[0] == "prover: another one is installing the Python packages; waiting for it\n"
    assert errors[1].startswith(f"prover: installing the Python packages into {project}/.venv (")
    assert len(errors[1].splitlines()) == 1


def test_once_set_up_nothing_is_built_or_said(project, tmp_path):
    before = builds(project)
    link = tmp_path / "prover"
    link.symlink_to(project / "bin" / "prover")
    code, out, err = run([link], tmp_path, PROVER_PYTHON="", PATH="/usr/bin:/bin")
    assert (code, err, builds(project)) == (7, "", before)
    assert json.loads(out)["folder"] == str(tmp_path)


def test_a_changed_pyproject_is_installed_again_into_the_same_environment(project):
    before = builds(project)
    marker = project / ".venv" / "marker"
    marker.write_text("")
    (project / "pyproject.toml").write_text(PYPROJECT + "# changed\n")
    assert run([project / "bin" / "prover"], project)[0] == 7
    assert builds(project) == before + 1
    assert marker.exists()
    run([project / "bin" / "prover"], project)
    assert builds(project) == before + 1


def test_bin_test_runs_every_check_in_order_from_anywhere_and_passes_arguments_to_pytest(project, tmp_path):
    code, out, err = run([project / "bin" / "test", "-k", "a b"], tmp_path)
    assert (code, out.splitlines()) == (5, ["ruff check", "ruff format --check", "mypy", "pytest -k a b"]), err
    before = builds(project)
    # The development packages count for bin/prover too, and stay when pyproject.toml changes.
    assert run([project / "bin" / "prover"], project)[0] == 7
    assert builds(project) == before
    (project / "pyproject.toml").write_text(PYPROJECT + "# changed again\n")
    run([project / "bin" / "prover"], project)
    assert json.loads((project / ".venv" / "prover-stamp.json").read_text())["extras"] == ["dev"]


def test_the_first_failing_check_ends_bin_test_with_its_code(project):
    write_check(project, "mypy", 3)
    try:
        code, out, _ = run([project / ".ci" / "run"], project)
    finally:
        write_check(project, "mypy", 0)
    assert (code, out.splitlines()) == (3, ["ruff check", "ruff format --check", "mypy"])


def test_a_moved_project_is_set_up_anew(project):
    moved = project.rename(project.parent / "moved")
    try:
        code, out, err = run([moved / "bin" / "prover"], moved)
        assert (code, json.loads(out)["prefix"]) == (7, str(moved / ".venv")), err
    finally:
        moved.rename(project)


def test_a_half_made_environment_is_made_anew(project):
    shutil.rmtree(project / ".venv")
    (project / ".venv" / "bin").mkdir(parents=True)
    # As far as a killed venv may have come. This Python would install into the environment that it was linked from.
    (project / ".venv" / "bin" / "python").symlink_to(sys.executable)
    code, out, err = run([project / "bin" / "prover"], project)
    assert code == 7, err
    assert json.loads(out)["prefix"] == str(project / ".venv")


def test_without_a_network_there_is_one_sentence_and_the_next_try_starts_over(tmp_path):
    project = make_project(tmp_path / "p", requires="Requires-Dist: a-package-from-the-network\n")
    for _ in range(2):
        code, out, err = run([project / "bin" / "prover"], project)
        assert (code, out) == (2, "")
        assert err.splitlines()[1:] == [
            "prover: the Python packages could not be fetched: no network (it is needed once)."
        ]


def bare_path(folder: Path, **programs: str) -> str:
    """A PATH of one folder: the programs that the scripts use, and the given ones as shell scripts."""
    folder.mkdir()
    for name in ("sh", "dirname", "readlink"):
        (folder / name).symlink_to(str(shutil.which(name)))
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    ("programs", "message"),
    [
        (
            {},
            "prover: Python 3.11, 3.12 or 3.13 is needed and none is on PATH; install one or name it in PROVER_PYTHON.",
        ),
        # An old Python, or a shim without one behind it: the question for the version fails.
        ({"python3": "exit 1"}, "prover: Python 3.11, 3.12 or 3.13 is needed and none is on PATH"),
        # A good one as Debian splits it: the question for venv fails.
        ({"python3": 'case "$*" in *ensurepip*) exit 1;; esac'}, "prover: python3 comes without the venv module"),
    ],
)
def test_without_a_suitable_python_there_is_one_sentence(tmp_path, programs, message):
    project = make_project(tmp_path / "p")
    path = bare_path(tmp_path / "programs", **programs)
    code, out, err = run([project / "bin" / "prover"], project, PROVER_PYTHON="", PATH=path)
    assert (code, out) == (2, "")
    assert err.startswith(message)
    assert len(err.splitlines()) == 1
    assert not (project / ".venv").exists()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    project = make_project(tmp_path / "p")
    (project / ".venv.lock").mkdir()  # also for root, whom a read-only folder would not stop
    code, _, err = run([project / "bin" / "prover"], project)
    assert (code, err) == (
        2,
        f"prover: the virtual environment could not be made: Is a directory ({project}/.venv.lock).\n",
    )

"""Finding a native Lean and fetching one.

The `lean`, `lake` and `elan` here are shell scripts that stand for the real ones and answer `--version` as those do.
That a Lean found like this then checks theorems is tested with the native road.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from lean_env.errors import SetupError
from lean_env.native import toolchain
from lean_env.native.toolchain import NativeLean, find_native, setup_native
from lean_env.resources import lake_project

COMMIT = "38f3c0c45b8d1a2b3c4d5e6f708192a3b4c5d6e7"
RELEASE = f"Lean (version 4.28.0, x86_64-unknown-linux-gnu, commit {COMMIT}, Release)"


def script(file: Path, body: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    return file


def put_lean(folder: Path, version_line: str = RELEASE, lake: bool = True) -> Path:
    script(folder / "lean", f"echo '{version_line}'")
    if lake:
        script(folder / "lake", f'echo "lake $* in $PWD, first on PATH ${{PATH%%:*}}" >> "{folder}/calls"')
    return folder


@pytest.fixture(autouse=True)
def bare_machine(tmp_path, monkeypatch):
    """A home without elan, and a PATH with the system's own programs alone."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("ELAN_HOME", raising=False)
    monkeypatch.delenv("PROVER_LEAN_BIN", raising=False)
    if shutil.which("lean") or shutil.which("elan"):
        pytest.skip("this machine has a Lean in /usr/bin")


@pytest.fixture
def elan_bin(tmp_path):
    return tmp_path / ".elan" / "toolchains" / "leanprover--lean4---v4.28.0" / "bin"


def test_the_named_folder_is_used(tmp_path, monkeypatch):
    folder = put_lean(tmp_path / "my lean")
    monkeypatch.setenv("PROVER_LEAN_BIN", str(folder))
    assert find_native() == NativeLean(folder / "lean", folder / "lake", "4.28.0", COMMIT)


def test_elans_toolchain_goes_before_path_and_the_named_folder_before_both(tmp_path, monkeypatch, elan_bin):
    on_path, named = put_lean(tmp_path / "on-path"), put_lean(tmp_path / "named")
    monkeypatch.setenv("PATH", f"{on_path}:/usr/bin:/bin")
    assert find_native().lean == on_path / "lean"
    put_lean(elan_bin)
    assert find_native().lean == elan_bin / "lean"
    monkeypatch.setenv("PROVER_LEAN_BIN", str(named))
    assert find_native().lean == named / "lean"


def test_elan_may_live_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("ELAN_HOME", str(tmp_path / "other"))
    folder = put_lean(tmp_path / "other" / "toolchains" / "leanprover--lean4---v4.28.0" / "bin")
    assert find_native().lean == folder / "lean"


def test_a_build_that_calls_itself_pre_is_taken(tmp_path, monkeypatch):
    line = f"Lean (version 4.28.0-pre, wasm32-unknown-emscripten, commit {COMMIT}, Release)"
    monkeypatch.setenv("PROVER_LEAN_BIN", str(put_lean(tmp_path / "x", line)))
    found = find_native()
    assert (found.version, found.commit) == ("4.28.0-pre", COMMIT)


def test_a_build_without_a_commit_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("PROVER_LEAN_BIN", str(put_lean(tmp_path / "x", "Lean (version 4.28.0, Release)")))
    assert find_native().commit == ""


@pytest.mark.parametrize("version", ["4.27.0", "4.28.1", "4.28.0-rc1", "14.28.0"])
def test_another_version_is_refused_and_named(tmp_path, monkeypatch, version):
    folder = put_lean(tmp_path / "x", f"Lean (version {version}, x86_64-unknown-linux-gnu, commit {COMMIT}, Release)")
    monkeypatch.setenv("PROVER_LEAN_BIN", str(folder))
    with pytest.raises(SetupError) as caught:
        find_native()
    assert str(caught.value) == (
        f"no native Lean 4.28.0 (PROVER_LEAN_BIN: {folder}/lean is version {version}): run `prover setup --native`,"
        " or name the folder with `lean` and `lake` in the variable PROVER_LEAN_BIN."
    )


def test_a_named_folder_without_lean_is_not_passed_over(tmp_path, monkeypatch, elan_bin):
    put_lean(elan_bin)
    monkeypatch.setenv("PROVER_LEAN_BIN", str(tmp_path / "empty"))
    with pytest.raises(SetupError, match=r"PROVER_LEAN_BIN: no lean in .*/empty\)"):
        find_native()


def test_what_is_unusable_is_named(tmp_path, monkeypatch, elan_bin):
    put_lean(elan_bin, lake=False)
    broken = tmp_path / "broken"
    script(broken / "lean", "exit 1")
    monkeypatch.setenv("PATH", f"{broken}:/usr/bin:/bin")
    with pytest.raises(SetupError) as caught:
        find_native()
    assert f"elan: no lake beside {elan_bin}/lean; PATH: {broken}/lean does not say its version" in str(caught.value)


def test_elans_launcher_is_not_started(tmp_path, monkeypatch):
    # It would download whatever toolchain it takes for the default.
    folder = tmp_path / "launcher"
    script(folder / "lean", f'touch "{tmp_path}/started"; echo "{RELEASE}"')
    script(folder / "elan", "exit 1")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    with pytest.raises(SetupError, match="PATH: only elan's launcher in"):
        find_native()
    assert not (tmp_path / "started").exists()


def test_with_nothing_there_the_sentence_says_so():
    with pytest.raises(SetupError, match=r"^no native Lean 4.28.0 \(elan: no lean in .*; PATH: no lean\): run `prover"):
        find_native()


# prover setup --native


def put_elan(tmp_path: Path, elan_bin: Path) -> Path:
    """An elan whose `toolchain install` makes what the real one makes, as far as it is looked at here."""
    ready = put_lean(tmp_path / "download")
    folder = elan_bin.parent
    return script(
        tmp_path / ".elan" / "bin" / "elan",
        f'echo "$*" >> "{tmp_path}/elan-calls"; mkdir -p "{folder}" && cp -r "{ready}" "{folder}/bin"'
        f' && sed -i "s#{ready}#{elan_bin}#" "{folder}/bin/lake"',
    )


def test_setup_installs_the_toolchain_and_fetches_mathlib_in_the_lake_project(tmp_path, elan_bin):
    put_elan(tmp_path, elan_bin)
    native = setup_native()
    assert native == NativeLean(elan_bin / "lean", elan_bin / "lake", "4.28.0", COMMIT)
    assert (tmp_path / "elan-calls").read_text() == "toolchain install leanprover/lean4:v4.28.0\n"
    assert (elan_bin / "calls").read_text() == f"lake exe cache get in {lake_project()}, first on PATH {elan_bin}\n"


def test_setup_does_not_install_a_toolchain_that_is_there(tmp_path, elan_bin):
    put_elan(tmp_path, elan_bin)
    put_lean(elan_bin)
    setup_native()
    assert not (tmp_path / "elan-calls").exists()
    assert (elan_bin / "calls").read_text().startswith("lake exe cache get in ")


def test_setup_without_elan_says_where_to_get_it():
    with pytest.raises(SetupError, match=r"and no elan to install it with: get it as https://lean-lang.org/install/"):
        setup_native()


def test_a_failing_elan_is_one_sentence(tmp_path):
    script(tmp_path / ".elan" / "bin" / "elan", "exit 3")
    with pytest.raises(SetupError, match=r"elan toolchain install leanprover/lean4:v4.28.0` failed with exit code 3"):
        setup_native()


def test_a_failing_lake_is_one_sentence(elan_bin):
    put_lean(elan_bin)
    script(elan_bin / "lake", "exit 1")
    with pytest.raises(SetupError, match="lake exe cache get` failed with exit code 1"):
        setup_native()


def test_the_pins_of_the_lake_project_are_those_of_the_package():
    project = lake_project()
    assert (project / "lean-toolchain").read_text().strip() == toolchain.TOOLCHAIN
    assert 'rev = "v4.28.0"' in (project / "lakefile.toml").read_text()


def test_setup_passes_the_programs_through_run(elan_bin):
    put_lean(elan_bin)
    seen: list[list[str]] = []

    def run(command: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
        seen.append(command)
        return subprocess.CompletedProcess(command, 0)

    setup_native(run)
    assert seen == [[str(elan_bin / "lake"), "exe", "cache", "get"]]

"""Finds a native Lean 4.28.0, and fetches one with Mathlib through elan and lake."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lean_env.errors import SetupError
from lean_env.resources import lake_project

VERSION = "4.28.0"
TOOLCHAIN = f"leanprover/lean4:v{VERSION}"
REMEDY = "run `prover setup --native`, or name the folder with `lean` and `lake` in the variable PROVER_LEAN_BIN"
GET_ELAN = "get it as https://lean-lang.org/install/manual/ says, then run `prover setup --native` again"
# A Lean without its own version file calls itself 4.28.0-pre: the WebAssembly build does. A release candidate differs.
ACCEPTED = {VERSION, f"{VERSION}-pre"}
VERSION_LINE = re.compile(r"Lean \(version ([^,)\s]+)(?:.*?commit ([0-9a-f]{7,40}))?")

Run = Callable[..., "subprocess.CompletedProcess[Any]"]


@dataclass(frozen=True)
class NativeLean:
    """A Lean of the pinned version: its programs, and its version and commit as it prints them."""

    lean: Path
    lake: Path
    version: str
    commit: str


def elan_home() -> Path:
    """The folder that elan keeps everything in."""
    return Path(os.environ.get("ELAN_HOME") or Path.home() / ".elan")


def toolchain_folder() -> Path:
    """Where elan puts the programs of the pinned toolchain: its name with `/` as `--` and `:` as `---`."""
    return elan_home() / "toolchains" / TOOLCHAIN.replace("/", "--").replace(":", "---") / "bin"


def find_native() -> NativeLean:
    """The first Lean 4.28.0 with its lake: in PROVER_LEAN_BIN (then nowhere else), among elan's toolchains, on PATH.

    Raises:
        SetupError: there is none; says what was found instead.
    """
    native, seen = _look()
    if native is None:
        raise SetupError(f"no native Lean {VERSION} ({seen}): {REMEDY}.")
    return native


def setup_native(run: Run = subprocess.run) -> NativeLean:
    """Installs the toolchain through elan unless it is there, and fetches the compiled Mathlib (some gigabytes).

    `run` is called as `subprocess.run` with a command and perhaps `cwd`; what the programs print goes to the terminal.

    Raises:
        SetupError: elan is missing, or one of the programs failed.
    """
    native, seen = _look()
    if native is None:
        elan = _elan()
        if elan is None:
            raise SetupError(f"no native Lean {VERSION} ({seen}), and no elan to install it with: {GET_ELAN}.")
        _must(run, [str(elan), "toolchain", "install", TOOLCHAIN])
        native = find_native()
    environment = {**os.environ, "PATH": f"{native.lean.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    _must(run, [str(native.lake), "exe", "cache", "get"], cwd=lake_project(), env=environment)
    return native


def _look() -> tuple[NativeLean | None, str]:
    """The first good Lean; or None and, in words, what was found in its stead."""
    seen = []
    for folder, origin in _places():
        try:
            return _examine(folder), ""
        except SetupError as error:
            seen.append(f"{origin}: {error}")
    return None, "; ".join(seen)


def _places() -> Iterator[tuple[Path | None, str]]:
    own = os.environ.get("PROVER_LEAN_BIN")
    if own:
        yield Path(own).expanduser().absolute(), "PROVER_LEAN_BIN"
        return
    yield toolchain_folder(), "elan"
    on_path = shutil.which("lean")
    yield Path(on_path).parent if on_path else None, "PATH"


def _examine(folder: Path | None) -> NativeLean:
    """The Lean in `folder`.

    Raises:
        SetupError: a clause that says what is wrong with it.
    """
    if folder is None:
        raise SetupError("no lean")
    lean, lake = folder / "lean", folder / "lake"
    if not lean.is_file():
        raise SetupError(f"no lean in {folder}")
    if (folder / "elan").exists():
        # elan's stand-in for lean would download a toolchain here and now, and we have looked at elan's already.
        raise SetupError(f"only elan's launcher in {folder}")
    try:
        done = subprocess.run([str(lean), "--version"], capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{lean} does not run ({error})") from error
    found = VERSION_LINE.search(done.stdout)
    if not found:
        raise SetupError(f"{lean} does not say its version")
    if found[1] not in ACCEPTED:
        raise SetupError(f"{lean} is version {found[1]}")
    if not lake.is_file():
        raise SetupError(f"no lake beside {lean}")
    return NativeLean(lean, lake, found[1], found[2] or "")


def _elan() -> Path | None:
    on_path = shutil.which("elan")
    at_home = elan_home() / "bin" / "elan"
    return Path(on_path) if on_path else at_home if at_home.is_file() else None


def _must(run: Run, command: list[str], **options: Any) -> None:
    try:
        code = run(command, **options).returncode
    except OSError as error:
        raise SetupError(f"`{' '.join(command)}` could not be started ({error.strerror}).") from error
    if code:
        raise SetupError(f"`{' '.join(command)}` failed with exit code {code}; what it printed says why.")

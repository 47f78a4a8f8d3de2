"""Makes `.venv` and installs the project into it, once per pyproject.toml; standard library only.

Run by bin/environment with the wanted extras as arguments; with --check it only looks, and exits with 1 if there is
something to do. What was installed is written to a stamp inside `.venv`: the
hash of pyproject.toml, the extras, and the folder (a virtual environment does not survive being moved). A matching
stamp costs nothing and needs no network. Two at once take turns by a lock on a file beside `.venv`.
"""

import fcntl
import hashlib
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

NO_NETWORK = re.compile(
    "connection broken|newconnectionerror|name resolution|name or service not known|network is unreachable"
    "|connection refused|timed out|max retries|proxyerror",
    re.IGNORECASE,
)


class EnvironmentProblem(Exception):
    """One sentence for the user."""


def wanted(root: Path, extras: set[str]) -> dict[str, Any]:
    """The stamp of an environment that has just been made for this project with these extras."""
    digest = hashlib.sha256((root / "pyproject.toml").read_bytes()).hexdigest()
    return {"pyproject": digest, "extras": sorted(extras), "folder": str(root)}


def stamp_of(venv: Path) -> dict[str, Any]:
    """The stamp that lies in `venv`; an empty one if there is none or it is broken."""
    try:
        stamp = json.loads((venv / "prover-stamp.json").read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def covers(stamp: dict[str, Any], want: dict[str, Any]) -> bool:
    """Whether an environment with this stamp can be used as it is."""
    same = all(stamp.get(key) == want[key] for key in ("pyproject", "folder"))
    return same and set(want["extras"]) <= set(stamp.get("extras", ()))


def usable(venv: Path, stamp: dict[str, Any], root: Path) -> bool:
    """Whether `venv` is whole and in its place, so that installing into it is enough."""
    if stamp and stamp.get("folder") != str(root):
        return False
    # Its Python must take this folder for its own: one without its configuration file would install elsewhere.
    question = "import os, pip, sys; sys.exit(os.path.realpath(sys.prefix) != os.path.realpath(sys.argv[1]))"
    try:
        command = [str(venv / "bin" / "python"), "-I", "-c", question, str(venv)]
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


def install(root: Path, venv: Path, extras: set[str]) -> None:
    """Runs pip; its whole output is kept in `.venv/pip.log`.

    Raises:
        EnvironmentProblem: pip failed.
    """
    target = "." + (f"[{','.join(sorted(extras))}]" if extras else "")
    pip = [str(venv / "bin" / "python"), "-I", "-m", "pip", "--quiet", "--disable-pip-version-check", "--retries", "2"]
    log = venv / "pip.log"
    with log.open("wb") as out:
        done = subprocess.run([*pip, "install", "-e", target], cwd=root, stdout=out, stderr=subprocess.STDOUT)
    if done.returncode:
        text = log.read_text(errors="replace")
        if NO_NETWORK.search(text):
            raise EnvironmentProblem("the Python packages could not be fetched: no network (it is needed once).")
        errors = [line for line in text.splitlines() if line.startswith("ERROR:")] or ["no message"]
        raise EnvironmentProblem(f"the Python packages could not be installed ({errors[0]}); all of it is in {log}.")


def make(root: Path, extras: set[str]) -> None:
    """Leaves `.venv` with at least `extras`, whatever was there before."""
    venv = root / ".venv"
    if covers(stamp_of(venv), wanted(root, extras)):
        return
    with (root / ".venv.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("prover: another one is installing the Python packages; waiting for it", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = stamp_of(venv)
        if covers(stamp, wanted(root, extras)):
            return
        began = time.monotonic()
        print(f"prover: installing the Python packages into {venv}", end="", file=sys.stderr, flush=True)
        try:
            if not usable(venv, stamp, root):
                shutil.rmtree(venv, ignore_errors=True)
                subprocess.run([sys.executable, "-I", "-m", "venv", str(venv)], check=True, capture_output=True)
            extras = extras | set(stamp.get("extras", ()))
            want = wanted(root, extras)
            install(root, venv, extras)
            (venv / "prover-stamp.json").write_text(json.dumps(want))
        except BaseException:
            print(file=sys.stderr)
            raise
        print(f" ({time.monotonic() - began:.0f} s)", file=sys.stderr)


def main() -> None:
    """Exit code 0, or 2 with one sentence."""
    root, extras = Path(__file__).resolve().parent.parent, set(sys.argv[1:]) - {"--check"}
    if "--check" in sys.argv:
        sys.exit(0 if covers(stamp_of(root / ".venv"), wanted(root, extras)) else 1)
    try:
        make(root, extras)
    except EnvironmentProblem as problem:
        sys.exit(_say(str(problem)))
    except subprocess.CalledProcessError as error:
        detail = (error.stdout + error.stderr).decode(errors="replace").strip().splitlines() or [str(error)]
        sys.exit(_say(f"the virtual environment could not be made: {detail[-1]}"))
    except OSError as error:
        sys.exit(_say(f"the virtual environment could not be made: {error.strerror} ({error.filename})."))
    except KeyboardInterrupt:
        sys.exit(130)


def _say(sentence: str) -> int:
    print(f"prover: {sentence}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()

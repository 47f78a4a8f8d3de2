"""Stands in for a native Lean, which cannot be had where the tests run: `lean` and `lake` that hand their arguments to
the WebAssembly Lean. So real Lean answers, over the same command lines, descriptors and server file as a native one.

Its `leanchecker` checks nothing, since the WebAssembly build has none: it accepts a module that it finds compiled.
"""

import stat
import sys
from pathlib import Path

LEAN = """import os, sys
from pathlib import Path
from lean_env.wasm.install import ensure_installed
from lean_env.wasm.road import node_command
folder, arguments, options = ensure_installed().folder, sys.argv[1:], []
if "--run" in arguments:
    program = arguments[arguments.index("--run") + 1]
    options = ["--file", f"{program}=/native/{program}"]
    for name, option in (("PROVER_IN", "--in"), ("PROVER_OUT", "--out")):
        options += [option, os.environ[name].rsplit("/", 1)[1]]
    arguments = [f"/native/{a}" if a == program else a for a in arguments]
elif "-o" in arguments:
    folder_of = os.path.dirname(arguments[-1])
    options = ["--mount", f"{folder_of}=/work"]
    at = arguments.index("-s")  # whose threads could not have a stack of that size
    arguments = [a.replace(folder_of, "/work") for a in arguments[:at] + arguments[at + 2 :]]
command = node_command(folder, options, ["-j1", *arguments] if "--run" in arguments else arguments)
os.execvp(command[0], command)
"""
# Not `#!python`: such a line may hold no space, and the project's folder may.
LAUNCHER = """#!/bin/sh
exec '{python}' "$0.py" "$@"
"""
LAKE = """#!/bin/sh
if [ "$1" = env ]; then shift; exec "$@"; fi
echo "Lake version 5.0.0-stand-in (Lean version 4.28.0)"
"""
LEANCHECKER = """#!/bin/sh
for folder in $(echo "$LEAN_PATH" | tr : ' '); do
  if [ "$(head -c 5 "$folder/$1.olean" 2>/dev/null)" = olean ]; then exit 0; fi
done
echo "uncaught exception: Could not find any oleans for: $1" >&2
exit 1
"""


def write_stand_in(folder: Path) -> None:
    """Puts the programs into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lean.py").write_text(LEAN)
    for name, text in (("lean", LAUNCHER.format(python=sys.executable)), ("lake", LAKE), ("leanchecker", LEANCHECKER)):
        program = folder / name
        program.write_text(text)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

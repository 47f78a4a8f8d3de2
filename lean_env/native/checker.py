"""Has the toolchain's own checker look at an accepted candidate: `leanchecker`, which Lean ships since 4.28.

The candidate becomes a file of its own, `lean` compiles it, and `leanchecker` replays all constants of the module into
what it imports, through the kernel. It looks at the whole file: a constant that it refuses counts even where the
theorem does not rest on it. It is a second look and no more: code of the candidate's runs while its file is compiled,
and could write down another module than the one that was judged. That keeps a refusal away, and buys no verdict.

Of a toolchain that has no such program nothing is asked.
"""

import os
import re
import secrets
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lean_env.errors import WorkerLost
from lean_env.process_group import end_group, has_ended, resident_mib
from lean_env.road import stack_kib
from lean_env.theorem import Candidate, Theorem
from lean_env.worker import WorkerTimeout

NAME = "leanchecker"
LONGEST_MESSAGE = 2000
MEMORY_MIB = 8 << 10  # of either program: the checker keeps all constants of Mathlib in a table
GLANCE_SECONDS = 0.25  # between looks at that
ERROR = re.compile(r":\d+:\d+: error(?:\([^)\n]*\))?: (.*)")
FOUND = "found a problem in "
# What the kernel says when it gives up: that is no word on the proof.
GIVEN_UP = re.compile(r"\(kernel\) (?:deep recursion|deterministic timeout|excessive memory|interrupted)")

# From a command, the folders it reads besides Lean's and those it writes in, to the command in the sandbox.
Confine = Callable[[list[str], Sequence[Path], Sequence[Path]], list[str]]


@dataclass(frozen=True)
class Checker:
    """The checker of the toolchain that `lean` is of, and how it is started.

    It and `lean` run in `folder`, from where `lean_path` leads to the modules that a header can import.
    """

    lean: Path
    lean_path: str
    folder: Path
    confine: Confine

    @property
    def program(self) -> Path | None:
        """The checker; None if this toolchain has none."""
        program = self.lean.parent / NAME
        return program if program.is_file() and os.access(program, os.X_OK) else None

    def refusal(self, text: str, heartbeats: int, wall_seconds: float) -> str:
        """What the checker says against a file of that text; empty if it says nothing, or if there is no checker.

        Raises:
            WorkerTimeout: compiling the file and checking it took longer than `wall_seconds`.
            WorkerLost: the file does not compile, or the checker did not come to an end.
        """
        if self.program is None:
            return ""
        try:
            return self._refusal(self.program, text, heartbeats, wall_seconds)
        except OSError as error:
            raise WorkerLost(f"{NAME} cannot be tried: {error}") from error

    def _refusal(self, program: Path, text: str, heartbeats: int, wall_seconds: float) -> str:
        deadline = time.monotonic() + wall_seconds
        with tempfile.TemporaryDirectory(prefix="prover-", ignore_cleanup_errors=True) as scratch:
            work, sealed = Path(scratch) / "work", Path(scratch) / "sealed"
            work.mkdir()
            sealed.mkdir()
            # A name that none of a library begins with: the checker takes every module whose name begins with its own.
            module = f"ProverCandidate{secrets.token_hex(8)}"
            self._compile(text, work / f"{module}.lean", heartbeats, wall_seconds)
            _seal(module, work, sealed)
            command = self._command(":".join(filter(None, (self.lean_path, str(sealed)))), [str(program), module])
            code, said = _run(self.confine(command, [sealed], []), self.folder, deadline - time.monotonic())
        if not code:
            return ""
        if FOUND not in said or GIVEN_UP.search(said):
            raise WorkerLost(f"{NAME} did not come to an end: {_last_line(said) or f'exit code {code}'}")
        return f"{NAME} refuses: {_complaint(said)}"

    def _compile(self, text: str, source: Path, heartbeats: int, wall_seconds: float) -> None:
        source.write_text(text, encoding="utf-8", errors="replace")
        options = ["-Dlinter.all=false", "-DElab.async=false", f"-DmaxHeartbeats={heartbeats}"]  # as in the server
        # Elaboration goes on in a thread, which would have the small stack of one. Many such would be too much to map.
        options += ["-j1", "-s", str(stack_kib()), "-R", str(source.parent), "-o", str(source.with_suffix(".olean"))]
        command = self._command(self.lean_path, [str(self.lean), *options, str(source)])
        code, said = _run(self.confine(command, [], [source.parent]), self.folder, wall_seconds)
        if code:
            error = ERROR.search(said)
            reason = error[1] if error else _last_line(said) or f"exit code {code}"
            raise WorkerLost(f"the accepted text does not compile as a file: {reason}")

    def _command(self, lean_path: str, command: list[str]) -> list[str]:
        """`command` with the variables by which Lean finds modules: its search path, and where the toolchain lies."""
        return ["env", f"LEAN_PATH={lean_path}", f"LEAN_SYSROOT={self.lean.parent.parent}", *command]


def file_text(theorem: Theorem, candidate: Candidate) -> str:
    """The candidate as a file that stands by itself, elaborated as the server elaborates it."""
    imports = imports_end(theorem.header)
    # Code need not be made of what is judged (see `withoutCode` in the server).
    header = f"{theorem.header[:imports]}\nnoncomputable section\n{theorem.header[imports:]}\n"
    if candidate.kind == "proof":
        return f"{header}{theorem.statement}\n  := {candidate.text}\n"
    # Its imports are among the header's, and may not stand where it now goes.
    return f"{header}{candidate.text[imports_end(candidate.text) :]}\n"


IMPORT = re.compile(r"(?:public\s+)?(?:meta\s+)?import\s+(?:all\s+)?(?:[\w.'!?]|«[^»\n]*»)+")
BLANK = re.compile(r"\s+|--[^\n]*")
COMMENT = re.compile(r"/--/|/-(?![-!])")  # and not a doc comment, which belongs to a command
COMMENT_EDGE = re.compile(r"/-|-/")


def imports_end(text: str) -> int:
    """Where the imports of a file end, an offset in characters: 0 if it begins with something else."""
    at = end = 0
    while at < len(text):
        if found := IMPORT.match(text, at):
            at = end = found.end()
        elif found := BLANK.match(text, at):
            at = found.end()
        elif COMMENT.match(text, at):
            at = _comment_end(text, at)
        else:
            break
    return end


def _comment_end(text: str, at: int) -> int:
    """The end of the comment that begins at `at`; comments nest."""
    depth = 0
    for edge in COMMENT_EDGE.finditer(text, at):
        depth += 1 if edge[0] == "/-" else -1
        if depth == 0:
            return edge.end()
    return len(text)


def _seal(module: str, work: Path, sealed: Path) -> None:
    """Moves the compiled module to where no code of the candidate's reaches.

    Nothing else goes: a file called `Init.olean` would stand in for Lean's own.
    """
    made = [work / f"{module}{suffix}" for suffix in (".olean", ".olean.server", ".olean.private")]
    for file in filter(os.path.lexists, made):
        os.rename(file, sealed / file.name)
    moved = list(sealed.iterdir())
    if sealed / f"{module}.olean" not in moved or any(not stat.S_ISREG(file.lstat().st_mode) for file in moved):
        raise WorkerLost("the accepted text, compiled as a file, left no module")


def _run(command: list[str], folder: Path, wall_seconds: float) -> tuple[int, str]:
    """Runs a command to its end: its exit code (negative for a signal), and what it printed."""
    deadline = time.monotonic() + wall_seconds
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            while not has_ended(process, min(GLANCE_SECONDS, deadline - time.monotonic())):
                if time.monotonic() >= deadline:
                    raise WorkerTimeout("no answer within the wall-clock limit")
                if resident_mib(process) > MEMORY_MIB:
                    raise WorkerLost(f"the process outgrew {MEMORY_MIB} MiB")
        finally:
            end_group(process)
        log.seek(0)
        return process.returncode, log.read(1 << 20).decode(errors="replace")


def _last_line(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1][:LONGEST_MESSAGE] if lines else ""


def _complaint(said: str) -> str:
    """What follows the line that names the module, without what Lean puts before an error that nobody caught."""
    after = said.partition(FOUND)[2].partition("\n")[2]
    return after.strip().removeprefix("uncaught exception: ")[:LONGEST_MESSAGE] or "no reason is given"

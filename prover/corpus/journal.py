"""What was collected so far, durable module by module: a corpus that was interrupted goes on from here."""

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from prover.corpus.collect import Collected
from prover.corpus.entry import Entry
from prover.sources import UserInputError


class Journal:
    """A file with a line for each module. The first line says what it was made with: another maker starts it afresh.

    A line that a crash left unfinished is dropped. Not thread safe; only one process may have it open.

    Raises:
        UserInputError: it cannot be opened, or another process has it.
    """

    def __init__(self, path: Path, made_with: str) -> None:
        self.path = path
        try:
            self._file = path.open("a+b")
        except OSError as error:
            raise UserInputError(f"{path} cannot be written: {error.strerror or error}.") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise UserInputError(
                f"Another process is at work on {path}; wait for it, or choose another --out."
            ) from None
        self.found: dict[str, Collected] = {}
        self._file.seek(0)
        lines = self._file.read().split(b"\n")[:-1]  # what follows the last line break is unfinished
        first = _line({"made_with": made_with})
        intact = 0
        if lines and lines[0] + b"\n" == first:
            intact = len(first)
            for line in lines[1:]:
                collected = _read(line)
                if collected is None:
                    break
                self.found[collected.module] = collected
                intact += len(line) + 1
        self._file.truncate(intact)
        if not intact:
            self._write(first)

    def add(self, collected: Collected) -> None:
        """Keeps a module. When this returns, no crash of the process or the machine takes it away."""
        entries = [[entry.name, entry.statement, entry.key] for entry in collected.entries]
        row = {"module": collected.module, "entries": entries, "left_out": dict(collected.left_out)}
        self._write(_line(row))
        self.found[collected.module] = collected

    def remove(self) -> None:
        """Deletes the file: its corpus is written."""
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _write(self, line: bytes) -> None:
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())


def _line(row: object) -> bytes:
    return (json.dumps(row, ensure_ascii=False) + "\n").encode()


def _read(line: bytes) -> Collected | None:
    try:
        row = json.loads(line)
        entries = tuple(Entry(name, statement, key) for name, statement, key in row["entries"])
        return Collected(row["module"], entries, row["left_out"])
    except (ValueError, KeyError, TypeError):
        return None

"""A file of JSON lines, each of one step, that grows by whole lines and can be cut back."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from prover.sources import UserInputError


class Journal:
    """Writes one. When it is opened, what is there beyond the step `last` is cut off, all of it where that is None, and
    what is there beyond its first `size` bytes, where that is told.

    Raises:
        UserInputError: it cannot be read or written.
    """

    def __init__(self, path: Path, last: int | None, size: int | None = None) -> None:
        self.path = path
        self._step = -1 if last is None else last
        end = _end(path, self._step, size) if path.exists() else 0
        try:
            self._file = path.open("ab", buffering=0)
            self._file.truncate(end)
        except OSError as error:
            raise self._unwritable(error) from error

    def add(self, step: int, rows: Iterable[Mapping[str, Any]]) -> None:
        """Adds rows of the step, which are then read back whatever happens to this process.

        Raises:
            ValueError: the step lies before one that is there, so that it could not be cut back to.
            UserInputError: they cannot be written; the file ends with the rows before them.
        """
        if step < self._step:
            raise ValueError(f"step {step} comes after step {self._step}")
        lines = [json.dumps({"step": step, **row}, ensure_ascii=False) + "\n" for row in rows]
        data = "".join(lines).encode("utf-8", "replace")
        size = self._size()
        try:
            while data:
                data = data[self._file.write(data) or 0 :]
        except OSError as error:
            self._file.truncate(size)
            raise self._unwritable(error) from error
        self._step = step

    def sync(self) -> int:
        """Puts it on the disk, so that it outlives the machine's power too; its size in bytes."""
        os.fsync(self._file.fileno())
        return self._size()

    def close(self) -> None:
        self._file.close()

    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def _unwritable(self, error: OSError) -> UserInputError:
        reason = error.strerror or error
        return UserInputError(f"{self.path} cannot be written: {reason}; what was saved is kept.")


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a journal, also while it is written: a line that is not ended yet is left out.

    Raises:
        UserInputError: it cannot be read, or a line is not JSON.
    """
    return [row for row, _ in _rows(path)]


def _end(path: Path, last: int, size: int | None) -> int:
    """Bytes up to the first row that is beyond the step `last`, or beyond `size` bytes."""
    end = 0
    for row, after in _rows(path):
        if row["step"] > last or (size is not None and after > size):
            break
        end = after
    return end


def _rows(path: Path) -> list[tuple[dict[str, Any], int]]:
    """Each row and the byte behind it."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise UserInputError(f"{path} cannot be read: {error.strerror or error}.") from error
    rows, end = [], 0
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n"):
            break
        end += len(line)
        try:
            row = json.loads(line)
            row["step"] + 0
        except (ValueError, KeyError, TypeError) as error:
            raise UserInputError(f"{path}, line {number}: no row of a run; mend it or take it out.") from error
        rows.append((row, end))
    return rows

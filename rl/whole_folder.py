"""A folder that is written whole and for good, or not at all."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prover.sources import FULL, UserInputError


@contextmanager
def whole_folder(folder: Path, kept: str = "what was there is kept") -> Iterator[Path]:
    """A folder beside `folder` to write into, which takes its name and its place when the block ends well.

    By then everything in it is on the disk, so whoever finds a folder of that name finds all of it, whatever killed
    this process or stopped the machine. A folder that is there before is put aside and then removed: a process killed
    between the two leaves the old one beside, its name begun with a dot, and the next call puts it back. `kept` ends
    the sentence about a disk that takes no more.

    Raises:
        UserInputError: it cannot be written; what was there before is there still.
    """
    unfinished, old = (folder.with_name(f".{folder.name}.{word}") for word in ("unfinished", "old"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if old.exists() and not folder.exists():
            old.rename(folder)
        for left in (unfinished, old):
            shutil.rmtree(left, ignore_errors=True)
        unfinished.mkdir()
        yield unfinished
        _sync(unfinished)
        if folder.exists():
            folder.rename(old)
        unfinished.rename(folder)
        sync_entries(folder.parent)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException as error:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(unfinished, ignore_errors=True)
        if isinstance(error, Exception) and (refused := refusal(error)):
            raise UserInputError(f"{folder} cannot be written: {refused}; {kept}.") from error
        raise


def refusal(error: Exception) -> str:
    """Why the system would not write, if that is what the error comes from; else nothing.

    torch and safetensors raise errors of their own for a full disk: the system's is in the chain or in the text.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return error.strerror or os.strerror(error.errno)
    link: BaseException | None = error
    while link is not None:
        found = re.search(r"\(os error (\d+)\)", str(link))
        number = link.errno if isinstance(link, OSError) else int(found[1]) if found else None
        if number in FULL:
            return os.strerror(number)
        link = link.__cause__ or link.__context__
    return ""


def sync_entries(folder: Path) -> None:
    """Puts the names in a folder on the disk: a file that is synced has none yet after a crash otherwise."""
    _sync_one(folder)


def _sync(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        for name in files:
            _sync_one(Path(place, name))
        _sync_one(Path(place))


def _sync_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

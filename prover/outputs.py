"""Files that a command writes: looked at before the work begins, and there whole or not at all when it ends."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from prover.sources import UserInputError


def check_writable(path: Path) -> None:
    """Says before the work begins that its result could not be written after it.

    Raises:
        UserInputError: the path is a folder, there is no folder to put it in, or it is not ours to write.
    """
    try:
        if path.is_dir():
            why = "it is a folder"
        elif not path.parent.is_dir():
            why = "there is no such folder"
        elif not os.access(path if path.exists() else path.parent, os.W_OK):
            why = "permission denied"
        else:
            return
    except OSError as error:
        why = error.strerror or str(error)
    raise UserInputError(f"{path} cannot be written: {why}.")


def write_whole(path: Path, data: str | bytes) -> None:
    """Writes text (as UTF-8) or bytes to a file, as `replace_file` does.

    Raises:
        UserInputError: it cannot be written.
    """
    try:
        replace_file(path, data.encode() if isinstance(data, str) else data)
    except OSError as error:
        raise UserInputError(f"{path} cannot be written: {error.strerror or error}.") from None


def replace_file(path: Path, data: bytes) -> None:
    """Puts a file there whole or not at all, and for good. What is there and no ordinary file is written into.

    Raises:
        OSError: it cannot be written; what was there before is there still.
    """
    target = path.resolve()
    # A device or a pipe must not be replaced, and a file may be ours to write in a folder that is not.
    if target.exists() and not (target.is_file() and os.access(target.parent, os.W_OK)):
        target.write_bytes(data)
        return
    made = ""
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}-", delete=False) as file:
            made = file.name
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(made, target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        os.replace(made, target)
    finally:
        with suppress(OSError):
            os.unlink(made)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

"""Files that commands write: whole or not at all, and nothing but a file is ever replaced."""

import os
import stat
import threading
from pathlib import Path

import pytest

from prover.outputs import check_writable, write_whole
from prover.sources import UserInputError


def test_a_file_keeps_its_mode_and_a_link_its_target(tmp_path: Path) -> None:
    file, link = tmp_path / "a", tmp_path / "link"
    write_whole(file, "α")
    file.chmod(0o640)
    link.symlink_to(file)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "link"]


def test_what_is_no_file_is_written_into(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, "through")
    reader.join(10)
    assert read == [b"through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's refusal is made here: a disk cannot be filled for a test."""
    file = tmp_path / "a"
    write_whole(file, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("prover.outputs.os.fsync", full)
    with pytest.raises(UserInputError, match=r"a cannot be written: No space left on device\."):
        write_whole(file, "new")
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_could_not_be_written_is_said_before(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="it is a folder"):
        check_writable(tmp_path)
    with pytest.raises(UserInputError, match="there is no such folder"):
        check_writable(tmp_path / "nothing" / "a")
    check_writable(tmp_path / "a")
    check_writable(Path(os.devnull))

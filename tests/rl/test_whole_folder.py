"""Folders that are there whole or not at all."""

from pathlib import Path

import pytest

from prover.sources import UserInputError
from rl.whole_folder import refusal, whole_folder


def content(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_takes_the_place_of_another(tmp_path):
    target = tmp_path / "deep" / "model"
    for text in ("first", "second"):
        with whole_folder(target) as folder:
            (folder / "inner").mkdir()
            (folder / "inner" / text).write_text(text)
            assert not (target / "inner" / text).exists()
        assert content(target) == {f"inner/{text}": text}
    assert [path.name for path in target.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("of ours"), UserInputError("of the user's")])
def test_what_fails_leaves_what_was_there(tmp_path, error):
    target = tmp_path / "model"
    with whole_folder(target) as folder:
        (folder / "a").write_text("old")

    def fail() -> None:
        with whole_folder(target) as folder:
            (folder / "a").write_text("new")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert content(target) == {"a": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_the_old_one_comes_back_where_a_process_died_between_the_two(tmp_path):
    """The moment between two system calls cannot be hit from outside, so what it leaves is made here."""
    target = tmp_path / "model"
    with whole_folder(target) as folder:
        (folder / "a").write_text("old")
    target.rename(tmp_path / ".model.old")
    (tmp_path / ".model.unfinished").mkdir()

    def fail() -> None:
        with whole_folder(target):
            assert content(target) == {"a": "old"}
            raise ValueError("again")

    with pytest.raises(ValueError, match="again"):
        fail()
    assert content(target) == {"a": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_only_the_systems_refusals_are_the_users(tmp_path):
    inner = RuntimeError("unexpected pos 576")
    inner.__context__ = OSError(28, "No space left on device")
    assert refusal(inner) == "No space left on device"
    assert refusal(Exception("Error while serializing: I/O error: No space left (os error 28)")) == (
        "No space left on device"
    )
    assert refusal(PermissionError(13, "Permission denied")) == "Permission denied"
    fault = KeyError("x")
    fault.__context__ = FileNotFoundError(2, "No such file or directory")  # handled before, and not what failed
    assert refusal(fault) == ""
    assert refusal(Exception("an os error 2 in words")) == ""

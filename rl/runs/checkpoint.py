"""Checkpoints: one folder for each step, with the model, the learner's tensors, the loop's state, random states."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prover.sources import UserInputError
from rl.runs.random_states import random_states, restore_random_states
from rl.whole_folder import whole_folder

VERSION = 1
FACTS, MODEL, TENSORS, STATE, RANDOM = "checkpoint.json", "model", "tensors.pt", "state.json", "rng.pt"


@dataclass(frozen=True)
class Checkpoint:
    """What a run had come to after `step`. `marks` are names such as `best`; the last one that has a name is kept.

    `journals` are the bytes that the run's files of rows had by then, by name.
    """

    step: int
    folder: Path
    marks: tuple[str, ...] = ()
    journals: Mapping[str, int] = field(default_factory=dict)

    @property
    def model(self) -> Path:
        """A folder that `hf:FOLDER` and `rl.models.open_trainable` open."""
        return self.folder / MODEL

    def tensors(self) -> Any:
        """What was saved as `tensors`, on the CPU."""
        return _read_tensors(self.folder / TENSORS)

    def state(self) -> dict[str, Any]:
        """What was saved as `state`, as JSON has it: tuples are lists."""
        found = json.loads((self.folder / STATE).read_text("utf-8"))
        assert isinstance(found, dict)
        return found

    def restore_random_states(self) -> None:
        """Makes the generators of Python, numpy and torch go on as they did after the step."""
        restore_random_states(_read_tensors(self.folder / RANDOM))


def write_checkpoint(
    parent: Path,
    step: int,
    write_model: Callable[[Path], None],
    tensors: Mapping[str, Any],
    state: Mapping[str, Any],
    marks: Iterable[str] = (),
    journals: Mapping[str, int] = {},
) -> Checkpoint:
    """Writes `parent/STEP`, whole or not at all; one that is there is replaced.

    Raises:
        UserInputError: it cannot be written.
        TypeError: `tensors` holds what could not be read back, or `state` what JSON has not.
    """
    made = Checkpoint(step, parent / str(step), tuple(marks), dict(journals))
    text = json.dumps(dict(state))  # escaped: a text may hold half of a surrogate pair, which UTF-8 cannot
    with whole_folder(made.folder, "the checkpoints before it are kept, and the same command goes on") as folder:
        write_model(folder / MODEL)
        _write_tensors(folder / TENSORS, dict(tensors))
        _write_tensors(folder / RANDOM, random_states())
        (folder / STATE).write_text(text, "utf-8")
        facts = {
            "version": VERSION, "step": step, "marks": made.marks, "journals": made.journals, "files": _sizes(folder),
        }  # fmt: skip
        (folder / FACTS).write_text(json.dumps(facts), "utf-8")
    return made


def checkpoints(parent: Path) -> list[Checkpoint]:
    """Those in the folder, the earliest first. What was being written when the process ended is none of them.

    Raises:
        UserInputError: one is damaged, as after a copy that was broken off, or of another version.
    """
    if not parent.is_dir():
        return []
    numbered = [folder for folder in parent.iterdir() if folder.name.isdecimal() and folder.is_dir()]
    return sorted(map(_read, numbered), key=lambda found: found.step)


def latest(parent: Path) -> Checkpoint | None:
    """The last one, if there is any. Raises what `checkpoints` does."""
    return max(checkpoints(parent), key=lambda found: found.step, default=None)


def marked(parent: Path, mark: str) -> Checkpoint | None:
    """The last one that has the mark. Raises what `checkpoints` does."""
    return max((found for found in checkpoints(parent) if mark in found.marks), key=lambda f: f.step, default=None)


def prune(parent: Path, keep: int) -> None:
    """Removes all but the last `keep`, and the last one of each mark."""
    found = checkpoints(parent)
    kept = {one.step for one in found[max(0, len(found) - keep) :]}
    kept |= set({mark: one.step for one in found for mark in one.marks}.values())
    for one in found:
        if one.step not in kept:
            # Renamed first: a folder half removed is not to be taken for a checkpoint.
            gone = one.folder.with_name(f".{one.step}.removed")
            os.replace(one.folder, gone)
            shutil.rmtree(gone, ignore_errors=True)


def clear(parent: Path) -> None:
    """Removes what a process that was killed had half written or half removed; what it was about to replace stays."""
    for old in parent.glob(".*.old"):  # see `whole_folder`
        replaced = parent / old.name[1 : -len(".old")]
        if replaced.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.replace(old, replaced)
    for left in [*parent.glob(".*.unfinished"), *parent.glob(".*.removed")]:
        shutil.rmtree(left, ignore_errors=True)


def _read(folder: Path) -> Checkpoint:
    try:
        facts = json.loads((folder / FACTS).read_text("utf-8"))
        version, step, marks, files = (facts[key] for key in ("version", "step", "marks", "files"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserInputError(f"{folder} is no whole checkpoint ({FACTS}); remove it to go on before it.") from error
    if version != VERSION:
        raise UserInputError(f"{folder} is of version {version}; this program reads version {VERSION}.")
    for name, size in files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            raise UserInputError(f"{path} is not what was saved; remove {folder} to go on before it.")
    return Checkpoint(step, folder, tuple(marks), facts.get("journals", {}))  # earlier programs noted none


def _sizes(folder: Path) -> dict[str, int]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}


def _write_tensors(path: Path, content: Mapping[str, Any]) -> None:
    import torch
    from torch.serialization import get_unsafe_globals_in_checkpoint

    # Through a file of Python's: torch's own loses the system's reason when it cannot write.
    with path.open("wb") as file:
        torch.save(content, file)
    if strange := get_unsafe_globals_in_checkpoint(path):
        raise TypeError(f"a checkpoint holds tensors, numbers, texts, lists and dicts, not {', '.join(strange)}")


def _read_tensors(path: Path) -> Any:
    import torch

    return torch.load(path, map_location="cpu", weights_only=True)

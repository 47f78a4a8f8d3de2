"""A run as a folder: its settings, metrics and samples, and checkpoints from which it is gone on with exactly."""

import json
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from prover.outputs import write_whole
from prover.runs.settings import differences
from prover.runs.store import only_writer
from prover.sources import UserInputError, read_text
from rl.runs.checkpoint import Checkpoint, checkpoints, clear, latest, marked, prune, write_checkpoint
from rl.runs.journal import Journal
from rl.runs.settings import flat, refuse_other_settings
from rl.runs.sources import program
from rl.runs.tensorboard import Events

log = logging.getLogger(__name__)

VERSION = 1
CONFIG, METRICS, SAMPLES, EVENTS, CHECKPOINTS, DUMPS = (
    "config.json", "metrics.jsonl", "samples.jsonl", "tensorboard", "checkpoints", "dumps",
)  # fmt: skip


class Run:
    """A run that this process alone writes. Made by `open_run`.

    A step is logged before it is saved: what stands beyond the latest checkpoint is cut off when the run is gone on
    with, since those steps are then made again.
    """

    def __init__(
        self, folder: Path, config: Any, keep: int, metrics: Journal, samples: Journal, events: Events
    ) -> None:
        self.folder, self.config = folder, config
        self._keep, self._metrics, self._samples, self._events = keep, metrics, samples, events

    def latest(self) -> Checkpoint | None:
        """The checkpoint to go on from; None where the run begins."""
        return latest(self.folder / CHECKPOINTS)

    def marked(self, mark: str) -> Checkpoint | None:
        """The last checkpoint that was saved with the mark, `best` say."""
        return marked(self.folder / CHECKPOINTS, mark)

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Adds the metrics of a step to metrics.jsonl and to TensorBoard; a step may be logged in several parts.

        In metrics.jsonl what is not finite is null, and `time` is in seconds since 1970.

        Raises:
            ValueError: a metric is called `step` or `time`, or the step lies before the last one.
            UserInputError: they cannot be written.
        """
        if taken := metrics.keys() & {"step", "time"}:
            raise ValueError(f"a metric cannot be called {', '.join(taken)}")
        numbers = {name: _number(value) for name, value in metrics.items()}
        row = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
        self._metrics.add(step, [{"time": round(time.time(), 3), **row}])
        self._events.add(step, numbers)

    def log_samples(self, step: int, samples: Iterable[Mapping[str, Any]]) -> None:
        """Adds rows to samples.jsonl, for people to read. Raises what `log` does."""
        self._samples.add(step, samples)

    def save(
        self,
        step: int,
        write_model: Callable[[Path], None],
        tensors: Mapping[str, Any],
        state: Mapping[str, Any],
        marks: Iterable[str] = (),
    ) -> Checkpoint:
        """Saves a checkpoint, whole or not at all, and removes those that need not be kept.

        `write_model` makes the folder that it is given, as `rl.models.save` does. `tensors` may hold tensors, numbers,
        texts, lists and dicts; `state` what JSON has. The random states are saved too. The last `keep` checkpoints
        stay, and the last one of each of the `marks`. A checkpoint of the same step is replaced, its marks too.

        Raises:
            ValueError: there is a checkpoint of a later step.
            UserInputError: it cannot be written; the ones before are there still.
        """
        before = self.latest()
        if before is not None and before.step > step:
            raise ValueError(f"step {step} is to be saved after step {before.step}")
        # A checkpoint must not outlive the metrics before it.
        sizes = {METRICS: self._metrics.sync(), SAMPLES: self._samples.sync()}
        self._events.sync()
        made = write_checkpoint(self.folder / CHECKPOINTS, step, write_model, tensors, state, marks, sizes)
        prune(self.folder / CHECKPOINTS, self._keep)
        return made

    def dump(self, name: str, rows: object) -> Path:
        """Writes something to look into, such as the batch of a loss that is not finite, to dumps/NAME.json."""
        path = self.folder / DUMPS / f"{name}.json"
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise UserInputError(f"{path.parent} cannot be made: {error.strerror or error}.") from error
        write_whole(path, json.dumps(rows, default=_plain, indent=1) + "\n")
        return path


@contextmanager
def open_run(
    folder: Path, algorithm: str, config: Any, *, keep: int = 2, free: Set[str] = frozenset()
) -> Iterator[Run]:
    """The run in `folder`, begun if there is none, gone on with if its algorithm and settings are these.

    `config` is a dataclass; those of its settings may change whose fields have `may_change` in their metadata or whose
    names are in `free`, and all of them where nothing has come of the run yet. The folder is as a run's is that ended
    with the latest checkpoint. `keep`, at least 1, checkpoints stay.

    Raises:
        UserInputError: another process writes it, it has another algorithm or other settings, it is damaged, or it
            cannot be written.
    """
    assert keep >= 1
    with only_writer(folder), ExitStack() as stack:
        _begin(folder, algorithm, config, free)
        clear(folder / CHECKPOINTS)
        found = latest(folder / CHECKPOINTS)
        last = found.step if found else None
        events = Events(folder / EVENTS, last)
        stack.callback(events.close)
        journals = []
        for name in (METRICS, SAMPLES):
            # A step may have rows that were logged after its checkpoint, as those of an evaluation made later are.
            journals.append(Journal(folder / name, last, found.journals.get(name) if found else None))
            stack.callback(journals[-1].close)
        yield Run(folder, config, keep, journals[0], journals[1], events)


def read_config(folder: Path) -> dict[str, Any] | None:
    """What config.json says: algorithm, settings, and the program of each session; None where there is none.

    Raises:
        UserInputError: it cannot be read, or is of another version.
    """
    path = folder / CONFIG
    if not path.exists():
        return None
    try:
        found = json.loads(read_text(path))
        version = found["version"]
        found["algorithm"], found["settings"], found["sessions"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserInputError(f"{path} is damaged; put it right, or name another folder.") from error
    if version != VERSION:
        raise UserInputError(f"{path} is of version {version}; this program reads version {VERSION}.")
    assert isinstance(found, dict)
    return found


def _begin(folder: Path, algorithm: str, config: Any, free: Set[str]) -> None:
    """Writes config.json, or notes in it that a session goes on with the run."""
    found = read_config(folder)
    session = {"began": datetime.now().astimezone().isoformat(timespec="seconds"), **program()}
    if found is None:
        if checkpoints(folder / CHECKPOINTS):
            raise UserInputError(f"{folder} has checkpoints and no {CONFIG}; put it back, or name another folder.")
        found = {"version": VERSION, "algorithm": algorithm, "settings": flat(config), "sessions": [session]}
    else:
        if checkpoints(folder / CHECKPOINTS) or any(_has_text(folder / name) for name in (METRICS, SAMPLES)):
            refuse_other_settings(folder, found, algorithm, config, free)
        before = found["sessions"][-1]
        if (before["source"], before["packages"]) != (session["source"], session["packages"]):
            log.warning(
                "%s was made with another version of the program or of its packages; "
                "it need not come to the same numbers.", folder,
            )  # fmt: skip
        session["changed"] = differences(found["settings"], flat(config))
        found = {**found, "algorithm": algorithm, "settings": flat(config), "sessions": [*found["sessions"], session]}
    write_whole(folder / CONFIG, json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def _has_text(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _number(value: Any) -> float:
    """A tensor's or numpy's number too."""
    number = value.item() if hasattr(value, "item") else value
    return number if type(number) is int else float(number)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.tolist() if hasattr(value, "tolist") else str(value)

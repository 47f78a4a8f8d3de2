"""The metrics again, as the event files that TensorBoard reads."""

import time
from collections.abc import Mapping
from pathlib import Path

from prover.sources import UserInputError

BETWEEN = 10.0  # seconds between two writings: each waits for the disk


class Events:
    """Writes an event file into the folder, beside those of earlier sessions, whose events after the step `last` it
    takes back, or all where that is None (TensorBoard's own way: a session that starts at a step).

    tensorboardX's events and its writer of records are used, and not its `SummaryWriter`: that one writes in a thread
    of its own, which dies of a full disk, and then the next metric waits for it for ever.

    Raises:
        UserInputError: it cannot be written.
    """

    def __init__(self, folder: Path, last: int | None) -> None:
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import Event, SessionLog

        self._folder = folder
        try:
            folder.mkdir(exist_ok=True)
            # TensorBoard reads them in the order of their names, which have seconds in them and then this.
            number = len(list(folder.iterdir()))
            self._writer = EventsWriter(str(folder / "events"), f".{number:04d}")
            if number:
                start = SessionLog(status=SessionLog.START)
                first = 0 if last is None else last + 1
                self._writer.write_event(Event(wall_time=time.time(), step=first, session_log=start))
        except OSError as error:
            raise self._unwritable(error) from error
        self._synced = time.monotonic()

    def add(self, step: int, metrics: Mapping[str, float]) -> None:
        """Adds one value for each metric. Raises UserInputError where it cannot be written."""
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=name, simple_value=value) for name, value in metrics.items()]
        try:
            self._writer.write_event(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))
        except OSError as error:
            raise self._unwritable(error) from error
        if time.monotonic() - self._synced > BETWEEN:
            self.sync()

    def sync(self) -> None:
        """Puts them on the disk. Raises UserInputError where that fails."""
        try:
            self._writer.flush()
        except OSError as error:
            raise self._unwritable(error) from error
        self._synced = time.monotonic()

    def close(self) -> None:
        try:
            self._writer.close()
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> UserInputError:
        return UserInputError(f"{self._folder} cannot be written: {error.strerror or error}; what was saved is kept.")

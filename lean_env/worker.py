"""One Lean server process, spoken to in JSON lines with a deadline for each answer."""

import json
import math
import os
import secrets
import select
import signal
import subprocess
import tempfile
import threading
import time
from typing import Any

from lean_env.errors import SetupError, WorkerKilled, WorkerLost
from lean_env.process_group import MIB, end_group, has_ended, resident_mib
from lean_env.road import Road

LONGEST_ANSWER = 64 * MIB
# Between looks at the process's memory while an answer is awaited.
GLANCE_SECONDS = 0.25
STACK_OVERRUN = 70  # boot.js leaves with this when the end of the stack was written to


class WorkerTimeout(WorkerLost):
    """No answer within the wall-clock limit. The process has been killed."""


class LeanWorker:
    """One server process. Not thread safe but for `kill`: whoever holds it is the only one to speak with it.

    The process is started at once; the first request waits until it is up. Any trouble (death, a late answer, an
    answer that is not the one awaited, too much memory) kills the process and raises; a dead worker is of no more use.
    One that is not `trusted` has run a tactic that may have done anything to it: it gives no verdicts.
    """

    def __init__(self, road: Road, memory_mib: int = 2600) -> None:
        self.road = road
        self.memory_mib = memory_mib
        self.alive = True
        self.trusted = True
        self.requests = 0
        self.log_tail = ""  # after the end: the last line that the process printed beside its answers
        self._buffer = bytearray()
        self._ending = threading.Lock()
        self._speaking = threading.RLock()  # held while the descriptors are in use, so that they are not closed then
        descriptors: list[int] = []
        try:
            self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
            theirs_in, self._requests = os.pipe()
            descriptors += [self._requests, theirs_in]
            self._answers, theirs_out = os.pipe()
            descriptors += [self._answers, theirs_out]
            os.set_blocking(self._requests, False)
            self.process = subprocess.Popen(
                road.command(theirs_in, theirs_out),
                pass_fds=(theirs_in, theirs_out),
                cwd=road.folder(),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
            )
        except OSError as error:
            for descriptor in descriptors:
                os.close(descriptor)
            raise SetupError(f"Lean cannot be started: {error.strerror or error}.") from error
        os.close(theirs_in)
        os.close(theirs_out)

    def request(self, wall_seconds: float, *, interrupt: float | None = None, **fields: Any) -> dict[str, Any]:
        """Sends one request and returns its answer, with `nanoseconds`, Lean's own time, and `ok` or `error`.

        After `interrupt` seconds Lean is asked to give the request up, where the road can; it may not hear it.

        Raises:
            WorkerTimeout: no answer in time.
            WorkerLost: the process died, answered something else, or outgrew its memory.
        """
        with self._speaking:
            if interrupt is not None:
                fields = {"interrupt": max(1, math.ceil(1000 * interrupt)), **fields}
            return self._request(wall_seconds, fields)

    def _request(self, wall_seconds: float, fields: dict[str, Any]) -> dict[str, Any]:
        if not self.alive:
            raise WorkerLost("the process was ended")
        self.requests += 1
        nonce = secrets.token_hex(8)
        line = json.dumps({"id": self.requests, "nonce": nonce, **fields}, ensure_ascii=False) + "\n"
        deadline = time.monotonic() + wall_seconds
        try:
            self._send(line.encode("utf-8", "replace"), deadline)
            answer = json.loads(self._receive(deadline))
            # What was elaborated cannot know the nonce: an answer without it was forged, or belongs to another request.
            if answer["id"] != self.requests or answer["nonce"] != nonce or not ("ok" in answer or "error" in answer):
                raise WorkerLost("the answer belongs to another request")
            return dict(answer)
        except WorkerLost:
            self.kill()
            raise
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self.kill()
            raise WorkerLost("the answer is not one") from error
        except OSError as error:
            self.kill()
            raise WorkerLost("the process was ended") from error
        except BaseException:
            self.kill()  # interrupted half way: the next answer would be this one's
            raise

    def _send(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        poll = select.poll()
        poll.register(self._requests, select.POLLOUT)
        while view:
            try:
                view = view[os.write(self._requests, view) :]
            except BlockingIOError:
                self._wait(poll, deadline)
            except OSError as error:
                raise self._epitaph() from error

    def _receive(self, deadline: float) -> bytes:
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > LONGEST_ANSWER:
                raise WorkerLost("the answer has no end")
            self._wait(poll, deadline)
            piece = os.read(self._answers, 1 << 16)
            if not piece:
                raise self._epitaph()
            self._buffer += piece
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _wait(self, poll: select.poll, deadline: float) -> None:
        while True:
            if not self.alive:  # another thread has ended it, and waits for this one to let go
                raise WorkerLost("the process was ended")
            left = deadline - time.monotonic()
            if left <= 0:
                raise WorkerTimeout("no answer within the wall-clock limit")
            if poll.poll(min(left, GLANCE_SECONDS) * 1000):
                return
            if self.memory() > self.memory_mib:
                raise WorkerLost(f"the process outgrew {self.memory_mib} MiB")

    def _epitaph(self) -> WorkerLost:
        ended = has_ended(self.process, wall_seconds=1)
        self.kill()
        code = self.process.returncode if ended else None
        if code == STACK_OVERRUN:
            return WorkerLost("the end of the stack was overrun")
        if code is not None and -code in (signal.SIGKILL, signal.SIGTERM):
            return WorkerKilled("the process was killed")
        if code is None:
            return WorkerLost("the process closed its channel")
        return WorkerLost(f"the process ended with {code}" if code >= 0 else f"the process was ended by signal {-code}")

    def _read_log(self) -> str:
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - 4096))
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else ""

    def running(self) -> bool:
        """Whether the process is there: it may have ended, unasked, while nobody spoke with it."""
        return self.alive and not has_ended(self.process)

    def memory(self) -> int:
        """Resident size in MiB of the process and those below it (a sandbox is one too); 0 if it cannot be told."""
        return resident_mib(self.process)

    def finish(self, wall_seconds: float) -> None:
        """Lets the process end by itself, by closing its requests."""
        with self._speaking:
            os.close(self._requests)
            self._requests = -1
            has_ended(self.process, wall_seconds)

    def kill(self) -> None:
        """Ends the process and everything it started. Harmless when repeated, and from any thread."""
        with self._ending:
            if not self.alive:
                return
            self.alive = False
            end_group(self.process)
        # The numbers of closed descriptors are given out again: a thread that still listens would hear another worker.
        with self._speaking:
            for descriptor in (self._requests, self._answers):
                if descriptor >= 0:
                    os.close(descriptor)
            self.log_tail = self._read_log()
            self._log.close()

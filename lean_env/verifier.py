"""The judge: (theorem, candidate) -> verdict. It fails closed: what is not proved beyond doubt has reward 0 or None.

What it promises, against whom, and how: docs/judge.md.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

from lean_env.answers import raise_statement_error
from lean_env.code_scan import runs_code
from lean_env.deadline import Deadline
from lean_env.errors import LeanEnvError, StatementError, WorkerLost
from lean_env.pool import LeanPool
from lean_env.road import CheckingRoad
from lean_env.theorem import Candidate, Theorem
from lean_env.verdict import Verdict
from lean_env.worker import WorkerTimeout

Pair = tuple[Theorem, Candidate]
WALL_SECONDS = 60.0
WRITTEN = "written"
APART = "apart"  # the server met a command that it does not elaborate beside the judge
# The rest of a line that ends there: after empty lines and comments comes a line that is not indented, or none.
ENDED = re.compile(r"[^\S\n]*(?:\Z|\n(?:[^\S\n]*(?:--[^\n]*)?\n)*+(?:\S|\s*\Z))")
STAGES = ("proved", "header", "elaboration", "missing", "mismatch", "axioms", "kernel", WRITTEN)


class Verifier:
    """Judges candidates on the workers of a pool. Thread safe.

    `recheck`: a proof that was accepted is judged once more, from its terms written down, in a process that has never
    elaborated a candidate: the one of `recheck_pool`. A native Lean's own checker then looks at it, if there is one.
    """

    def __init__(self, pool: LeanPool, heartbeats: int = 200_000, recheck: bool = False) -> None:
        self.pool, self.heartbeats = pool, heartbeats
        self.recheck_pool = LeanPool(1, pool.road, spare=False) if recheck else None

    def close(self) -> None:
        """Ends the process that rechecks, if there is one. The pool is its owner's."""
        if self.recheck_pool:
            self.recheck_pool.close()

    def verify(self, theorem: Theorem, candidate: Candidate, wall_seconds: float = WALL_SECONDS) -> Verdict:
        """Whether `candidate` proves `theorem`. When `wall_seconds`, the limit behind Lean's own, fires: unscored.

        It is one limit for all that is asked, and runs while a worker has the row.
        """
        deadline = Deadline(wall_seconds)
        candidate = without_header(theorem, candidate)
        try:
            verdict = self._judge(theorem, candidate, deadline, kernel=False)
            asks_kernel = "kernel" in candidate.text or "kernel" in theorem.header
            if verdict.stage == "kernel" or (verdict.stage == "elaboration" and asks_kernel):
                # Elaborated without the kernel, a tactic that asks it can succeed where it should have failed.
                verdict = self._judge(theorem, candidate, deadline, kernel=True)
            if verdict.proved and self.recheck_pool and isinstance(self.pool.road, CheckingRoad):
                with deadline.running() as seconds:
                    refusal = self.pool.road.refusal(theorem, candidate, self.heartbeats, seconds)
                if refusal:
                    verdict = replace(verdict, reward=0, stage="kernel", message=refusal)
            self.pool.remember_header(theorem.header)
            return verdict
        except WorkerTimeout:
            message = f"no verdict within {wall_seconds:g} s"
            return Verdict(None, "timeout", message, seconds=wall_seconds, lean=self.pool.known_version)
        except StatementError as error:
            return Verdict(None, "statement", str(error), lean=self.pool.known_version)
        except LeanEnvError as error:
            return Verdict(None, "lost", str(error), lean=self.pool.known_version)

    def verify_batch(self, pairs: Sequence[Pair], wall_seconds: float = WALL_SECONDS) -> list[Verdict]:
        """The verdicts of all pairs, in their order, worked out by all workers."""
        verdicts: list[Verdict | None] = [None] * len(pairs)
        for index, verdict in self.stream(pairs, wall_seconds):
            verdicts[index] = verdict
        return [verdict for verdict in verdicts if verdict is not None]

    def stream(self, pairs: Iterable[Pair], wall_seconds: float = WALL_SECONDS) -> Iterator[tuple[int, Verdict]]:
        """(index, verdict) as they come. `pairs` is read only a little ahead of the workers; closing it cancels."""
        ahead = 2 * self.pool.size
        source = enumerate(pairs)
        running: dict[Future[Verdict], int] = {}
        executor = ThreadPoolExecutor(self.pool.size, thread_name_prefix="judge")
        try:
            while True:
                while len(running) < ahead and (item := next(source, None)) is not None:
                    index, (theorem, candidate) = item
                    running[executor.submit(self.verify, theorem, candidate, wall_seconds)] = index
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()
        finally:
            executor.shutdown(wait=False, cancel_futures=True)

    async def averify(self, theorem: Theorem, candidate: Candidate, wall_seconds: float = WALL_SECONDS) -> Verdict:
        """`verify` for asynchronous callers."""
        return await asyncio.to_thread(self.verify, theorem, candidate, wall_seconds)

    def _judge(self, theorem: Theorem, candidate: Candidate, deadline: Deadline, kernel: bool) -> Verdict:
        # Where a header has it so, doc comments are elaborated.
        apart = runs_code(candidate.text) or ("verso" in theorem.header and "/-" in candidate.text)
        if not apart:
            answer = self._ask(self.pool, "judge", theorem, candidate, deadline, kernel=kernel)
            apart = answer.get("ok", {}).get("stage") == APART
        if apart:
            verdict = self._judge_written(theorem, candidate, deadline, apart, self.pool, kernel)
        else:
            verdict = self._verdict(theorem, candidate, answer)
        if verdict.proved and self.recheck_pool:
            again = self._judge_written(theorem, candidate, deadline, apart, self.recheck_pool, kernel)
            return verdict if again.proved else again
        return verdict

    def _ask(
        self,
        pool: LeanPool,
        method: str,
        theorem: Theorem,
        candidate: Candidate,
        deadline: Deadline,
        alone: bool = False,
        **more: Any,
    ) -> dict[str, Any]:
        answer = pool.request(
            deadline,
            alone=alone,
            method=method,
            header=theorem.header,
            name=theorem.name,
            statement=theorem.statement,
            kind=candidate.kind,
            text=candidate.text,
            heartbeats=self.heartbeats,
            **more,
        )
        raise_statement_error(answer)
        return answer

    def _judge_written(
        self,
        theorem: Theorem,
        candidate: Candidate,
        deadline: Deadline,
        alone: bool,
        judges: LeanPool,
        kernel: bool,
    ) -> Verdict:
        """One process elaborates and writes down the proof's terms; another, of `judges`, has the kernel check them."""
        # The statement is checked by a clean process first: one that runs the candidate's code could say anything.
        self._ask(self.pool, "statement", theorem, candidate, deadline)
        try:
            first = self._ask(self.pool, "write", theorem, candidate, deadline, alone=alone, kernel=kernel)
        except StatementError as error:
            if alone:
                raise WorkerLost(f"the process that ran the candidate's code says of the theorem: {error}") from error
            raise
        verdict = self._verdict(theorem, candidate, first)
        if verdict.proved:
            raise WorkerLost("the process that elaborates does not judge")
        if first["ok"]["stage"] != WRITTEN:
            return verdict
        blank = Candidate("")
        second = self._ask(judges, "judge written", theorem, blank, deadline, written=first["ok"].get("written"))
        return self._verdict(theorem, candidate, second)

    def _verdict(self, theorem: Theorem, candidate: Candidate, answer: dict[str, Any]) -> Verdict:
        """The verdict in an answer, whose process may have run anything.

        Raises:
            WorkerLost: the answer is not formed as the server forms it.
        """
        try:
            ok = answer["ok"]
            stage, message, seconds = ok["stage"], str(ok["message"]), answer["nanoseconds"] / 1e9
            if stage not in STAGES:
                raise WorkerLost("the answer is not one")
            messages = tuple(_located(theorem, candidate, message) for message in ok["messages"])
            axioms = tuple(sorted(str(axiom) for axiom in ok["axioms"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise WorkerLost("the answer is not one") from error
        if stage == "elaboration" and messages:
            first = messages[0]
            message = f"line {first['line']}, column {first['column']}: {first['message']}"
        proved = stage == "proved"
        return Verdict(1 if proved else 0, stage, message, axioms, seconds, self.pool.lean, messages)


def without_header(theorem: Theorem, candidate: Candidate) -> Candidate:
    """The candidate with the trusted header, which code may repeat, blotted out: what follows keeps line and column.

    Only where the header's last line does not go on in the candidate, by itself or in an indented line below it.
    """
    header, text = theorem.header.replace("\r\n", "\n").strip(), candidate.text
    repeated = re.match(r"\s*" + r"\r?\n".join(map(re.escape, header.split("\n"))), text)
    if candidate.kind == "proof" or not header or not repeated or not ENDED.match(text, repeated.end()):
        return candidate
    return replace(candidate, text=re.sub(r"[^\n]", " ", repeated[0]) + text[repeated.end() :])


def _located(theorem: Theorem, candidate: Candidate, message: dict[str, Any]) -> dict[str, Any]:
    """The message with line and column in the candidate's own text, where it came from there."""
    line, column = int(message["line"]), int(message["column"])
    if candidate.kind == "proof":
        lead = (theorem.statement + "\n  := ").split("\n")  # as the server puts them together
        line -= len(lead) - 1
        if line == 1:
            column -= len(lead[-1])
        if line < 1 or column < 0:
            line, column = 1, 0
    return {**message, "line": line, "column": column, "message": str(message["message"])}

"""What the page shows of a theorem when it is opened, within so many bytes: the most useful first."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prover.reports.facts import Found, Report, Theorem
from prover.reports.tree import small_tree
from prover.runs.attempt import Attempt

TEXT_LENGTH, MESSAGE_LENGTH = 6_000, 500
MOST_ATTEMPTS, MOST_MESSAGES = 12, 5
SHARE_OF_TEXTS, SHARE_OF_ATTEMPTS = 0.5, 0.4  # of the room that is left then
LEAST_TREE = 1_500
LARGEST_TREE, ALL_TREES = 8_000_000, 80_000_000  # characters of JSON that are parsed, for the sake of time

ReadTree = Callable[[Path, int, int], str | None]
ReadMessages = Callable[[Path, int, int], tuple[dict[str, Any], ...]]


@dataclass
class LeftOut:
    """What the page has no room for, counted."""

    theorems: int = 0
    texts: int = 0
    attempts: int = 0
    messages: int = 0
    trees: int = 0

    def words(self) -> list[str]:
        """A sentence for each thing that is left out, and where it is."""
        said = [
            (self.theorems, "theorems have no row in the table; report.json has them"),
            (self.texts, "statements or proofs are shortened or left out; report.json has them whole"),
            (self.attempts, "attempts are left out of the lists; report.json has every one"),
            (self.messages, "messages of Lean are shortened or left out; the run's own folder keeps them"),
            (self.trees, "trees are cut or left out; each is whole in the folder trees, in the file named beside it"),
        ]
        return [f"{count:,} {words}." for count, words in said if count]


@dataclass
class Details:
    """`data` is for the page's script. `trees` are the files (name, text) of those that are not whole in the page."""

    data: dict[str, Any]
    left_out: LeftOut
    trees: list[tuple[str, str]] = field(default_factory=list)


def embedded(data: Any) -> str:
    """JSON that can stand in an element `script`: nothing in it can end that."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.replace("<", "\\u003c")


def details(
    report: Report, theorems: Sequence[Theorem], room: int, read_tree: ReadTree, read_messages: ReadMessages
) -> Details:
    """The details of these theorems of the report, in at most `room` bytes of `embedded` JSON.

    First come statements and proofs, then attempts and messages, then trees; each first of theorems that are proved.
    """
    work = _Work(report, theorems, room, read_tree, read_messages)
    work.texts()
    work.attempts()
    work.trees()
    data = {"runs": [run.label for run in report.runs], "headers": work.headers, "theorems": work.rows}
    return Details(data, work.left_out, work.files)


def size(data: Any) -> int:
    """Bytes of `embedded` JSON, with the comma after it."""
    return len(embedded(data).encode("utf-8", "replace")) + 1


class _Work:
    def __init__(
        self,
        report: Report,
        theorems: Sequence[Theorem],
        room: int,
        read_tree: ReadTree,
        read_messages: ReadMessages,
    ) -> None:
        self.report, self.theorems, self.room = report, theorems, room
        self.read_tree, self.read_messages = read_tree, read_messages
        self.left_out = LeftOut(theorems=len(report.theorems) - len(theorems))
        self.headers: list[str] = []
        self.files: list[tuple[str, str]] = []
        self.rows: list[dict[str, Any]] = [{"runs": [{} if f else None for f in t.found]} for t in theorems]
        self.room -= size({"runs": [run.label for run in report.runs], "headers": [], "theorems": self.rows})

    def texts(self) -> None:
        until = self.room * (1 - SHARE_OF_TEXTS)
        for place in self._useful_first():
            theorem, shown = self.theorems[place], self.rows[place]
            row = theorem.row
            keys = ("split", "topic", "lineage", "licence", "note", "label")
            about = {key: self._text(value) for key in keys if (value := getattr(row, key))}
            fields: dict[str, Any] = {"statement": self._text(row.statement)} | ({"about": about} if about else {})
            if row.header.strip() and (header := self._header(row.header, until)) is not None:
                fields["header"] = header
            self._put(shown, fields, until, "texts")
            for found, of_run in zip(theorem.found, shown["runs"], strict=True):
                attempt = found and found.shown
                if found and found.problem:
                    self._put(of_run, {"problem": self._text(found.problem)}, until, "texts")
                if attempt and attempt.proof is not None:
                    proof = {"proof": self._text(attempt.proof), "axioms": attempt.axioms}
                    self._put(of_run, proof, until, "texts")

    def attempts(self) -> None:
        until = self.room * (1 - SHARE_OF_ATTEMPTS)
        for _, run, found, of_run in self._shown():
            attempt = found.shown
            assert attempt is not None
            first = sorted(found.attempts, key=lambda each: (each is not attempt, each.number))[:MOST_ATTEMPTS]
            lines = [_line(each) for each in sorted(first, key=lambda each: each.number)]
            more = len(found.attempts) - len(lines)
            fields: dict[str, Any] = {"shown": attempt.number, "attempts": lines} | ({"more": more} if more else {})
            self.left_out.attempts += more if self._put(of_run, fields, until) else len(found.attempts)
            messages = self.read_messages(self.report.runs[run].run.folder, attempt.theorem, attempt.number)
            if messages:
                self.left_out.messages += max(0, len(messages) - MOST_MESSAGES)
                self._put(
                    of_run,
                    {"messages": [self._message(each) for each in messages[:MOST_MESSAGES]]},
                    until,
                    "messages",
                )

    def trees(self) -> None:
        """A tree gets its even share of what is left; what small ones leave is for those after them.

        There is room for the name of every file from the start: that of a tree that is not whole is always told.
        """
        waiting = list(self._shown())
        names = [{"file": self._file_name(place, run)} for place, run, _, _ in waiting]
        self.room -= sum(map(size, names))
        parsed = 0
        for done, (_, run, found, of_run) in enumerate(waiting):
            attempt = found.shown
            assert attempt is not None
            text = self.read_tree(self.report.runs[run].run.folder, attempt.theorem, attempt.number)
            if not text:
                self.room += size(names[done])
                continue
            share = max(LEAST_TREE, self.room // (len(waiting) - done))
            small = None
            if share <= self.room and len(text) <= min(LARGEST_TREE, ALL_TREES - parsed):
                parsed += len(text)
                small = small_tree(text, share * 3 // 4)
            if small and self._put(of_run, {"tree": small.data}, 0) and not small.cut:
                self.room += size(names[done])
                continue
            self.left_out.trees += 1
            self.files.append((names[done]["file"], text))
            of_run.update(names[done])

    def _shown(self) -> Iterator[tuple[int, int, Found, dict[str, Any]]]:
        """(place of the theorem, number of the run, what it found, what is shown of it), where there is an attempt."""
        for place in self._useful_first():
            for run, found in enumerate(self.theorems[place].found):
                if found and found.attempts:
                    yield place, run, found, self.rows[place]["runs"][run]

    def _useful_first(self) -> list[int]:
        def unproved(place: int) -> bool:
            return not any(found and found.outcome == "proved" for found in self.theorems[place].found)

        return sorted(range(len(self.theorems)), key=unproved)

    def _put(self, into: dict[str, Any], fields: dict[str, Any], until: float, count: str = "") -> bool:
        """Adds the fields if so much room remains after it; else counts what is missing."""
        cost = size(fields)
        if self.room - cost < until:
            if count:
                setattr(self.left_out, count, getattr(self.left_out, count) + 1)
            return False
        self.room -= cost
        into.update(fields)
        return True

    def _header(self, header: str, until: float) -> int | None:
        """The place of the header among those of the page; equal ones stand there once."""
        header = self._text(header.strip())
        if header not in self.headers:
            if self.room - size(header) < until or len(self.headers) >= 1_000:
                return None
            self.room -= size(header)
            self.headers.append(header)
        return self.headers.index(header)

    def _text(self, text: str) -> str:
        if len(text) <= TEXT_LENGTH:
            return text
        self.left_out.texts += 1
        return text[: TEXT_LENGTH - 1] + "…"

    def _message(self, message: dict[str, Any]) -> list[Any]:
        """[severity, line, column, text]"""
        text = str(message.get("message", ""))
        if len(text) > MESSAGE_LENGTH:
            self.left_out.messages += 1
            text = text[: MESSAGE_LENGTH - 1] + "…"
        return [str(message.get("severity", "")), message.get("line"), message.get("column"), text]

    def _file_name(self, place: int, run: int) -> str:
        """Names of theorems may hold anything, and two differ only in what a file's name cannot."""
        number = f"{run + 1}-{place + 1}" if len(self.report.runs) > 1 else f"{place + 1}"
        return f"{number}-{re.sub(r'[^A-Za-z0-9_]+', '-', self.theorems[place].row.name)[:60].strip('-')}.json"


def _line(attempt: Attempt) -> list[Any]:
    """[number, reward, how it ended, samples, Lean calls, seconds, Lean seconds, message]"""
    spent = attempt.spent
    line = [
        attempt.number, attempt.reward, attempt.stopped, spent.samples, spent.lean_calls, round(spent.seconds, 2),
        round(spent.lean_seconds, 2),
    ]  # fmt: skip
    return [*line, " ".join(attempt.message.split())[:200]] if attempt.message else line

"""Errors that a user can cause: each one sentence that says what to do; the command line prints it, exits with 2."""


class LeanEnvError(Exception):
    """The base of them all."""


class SetupError(LeanEnvError):
    """Lean cannot be installed, found or started: no network, wrong hash, full disk, no native toolchain."""


class StatementError(LeanEnvError):
    """A trusted statement, or its header, does not elaborate.

    `line` (from 1) and `column` (from 0) are in the text that the user gave: the statement, or the header if
    `in_header`.
    """

    def __init__(self, message: str, line: int = 1, column: int = 0, in_header: bool = False) -> None:
        super().__init__(message)
        self.message, self.line, self.column, self.in_header = message, line, column, in_header

    def __str__(self) -> str:
        where = "header, line" if self.in_header else "line"
        return f"{where} {self.line}, column {self.column}: {self.message}"


class UnknownImportError(StatementError):
    """The header imports a module that this Lean does not have."""


class WorkerLost(LeanEnvError):
    """A worker died, hung or answered garbage; the request it held has no answer."""


class WorkerKilled(WorkerLost):
    """A worker was ended from outside: by a person, or by a machine short of memory."""

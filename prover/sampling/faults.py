"""One sentence for what a library raises: it is not there, it is broken, it refuses."""


def first_line(error: Exception) -> str:
    """What an exception says, its first line alone, without a full stop."""
    return (str(error).strip().split("\n")[0].strip() or type(error).__name__).rstrip(".")


def cannot_import(needs: str, extra: str, error: Exception) -> str:
    """Why what `needs` names cannot be used, and the command that helps, without a full stop.

    `extra` is what of the package it comes with, empty if with the package itself. `error` is what the import raised: a
    library that is broken, or lacks one of CUDA's, raises nearly anything.
    """
    install = f"'lean-rl-prover[{extra}]'" if extra else "lean-rl-prover"
    if isinstance(error, ModuleNotFoundError):
        return f"{needs} ({error.name} is missing): pip install {install}"
    broken = f"what is installed cannot be loaded ({first_line(error)})"
    return f"{needs}, and {broken}: pip install --force-reinstall {install}"

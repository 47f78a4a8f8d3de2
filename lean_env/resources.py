"""Finds the files of the project that are not Python: the Lean sources of `lake-project/`."""

from pathlib import Path

from lean_env.errors import SetupError

MARK = "lakefile.toml"


def lake_project() -> Path:
    """The folder with the Lean sources: inside the package where a wheel put it, else beside it as in a checkout.

    Raises:
        SetupError: it is in neither place.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "lake_project", package.parent / "lake-project"):
        if (folder / MARK).is_file():
            return folder
    raise SetupError(f"the Lean sources are missing from {package.parent}: install lean-rl-prover again.")

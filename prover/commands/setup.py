"""`prover setup`: installs Lean ahead of time. Whatever installs on first use can show its progress as this does."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from lean_env.native.toolchain import setup_native
from lean_env.wasm.prepare import ready_road

Show = Callable[[str, int, int], None]  # stage, done, total; a total of 0 is unknown


def setup(
    native: Annotated[
        bool, typer.Option("--native", help="Install a native Lean through elan, and the compiled Mathlib.")
    ] = False,
) -> None:
    """Install Lean now, so that later commands start at once and need no network."""
    if native:
        found = setup_native()
        typer.echo(f"native Lean {found.version} with Mathlib is ready: {found.lean}")
    else:
        with install_progress() as show:
            installation = ready_road(show).installation
        typer.echo(f"Lean is ready: {installation.folder}")


@contextmanager
def install_progress() -> Iterator[Show]:
    """What to pass as `progress`: on standard error, a bar on a terminal, else one line a stage; nothing if unused."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _line_a_stage()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True)
    tasks: list[TaskID] = []

    def show(stage: str, done: int, total: int) -> None:
        if not tasks:
            bar.start()
            tasks.append(bar.add_task(stage, total=None))
        bar.update(tasks[0], description=stage, completed=done, total=total or None)

    try:
        yield show
    finally:
        if tasks:
            bar.stop()


def _line_a_stage() -> Show:
    shown = set()

    def show(stage: str, done: int, total: int) -> None:
        if stage not in shown:
            shown.add(stage)
            size = f" ({total / 1e6:.0f} MB)" if stage.startswith("downloading") else ""
            print(f"prover: {stage}{size}", file=sys.stderr, flush=True)

    return show

"""A figure that a benchmark reports, and how a run of them is shown."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One measured number. `goal` is what the project wants it to reach, as text; `detail` how it was measured."""

    name: str
    value: float
    unit: str
    goal: str = ""
    detail: str = ""


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            model = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def show(title: str, figures: Sequence[Figure], as_json: bool) -> None:
    """Prints the figures, as a table or as one JSON object."""
    if as_json:
        print(json.dumps({"benchmark": title, "machine": machine(), "figures": [asdict(f) for f in figures]}, indent=1))
        return
    table = Table(title=f"{title} ({', '.join(machine().values())})")
    for heading in ("figure", "measured", "to reach", "how"):
        table.add_column(heading)
    for figure in figures:
        table.add_row(figure.name, f"{figure.value:.4g} {figure.unit}", figure.goal, figure.detail)
    Console().print(table)

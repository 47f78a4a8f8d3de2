"""A figure that a benchmark reports, and how a run of them is shown."""

import argparse
import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
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


def run_parts(floor: str, about: str, parts: Mapping[str, Callable[[], Sequence[Figure]]]) -> None:
    """The command line of a floor's benchmark: the parts that are named, or all, measured in turn and shown."""
    parser = argparse.ArgumentParser(prog=f"python -m {floor}.benchmark", description=about)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(parts):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; the parts are {', '.join(parts)}")
    show(floor, [figure for part in options.parts or parts for figure in parts[part]()], options.json)


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

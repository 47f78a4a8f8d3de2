"""Shows the benchmarks that have a name: a table where there is room, else a few lines for each."""

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from prover.benchmarks.entry import Entry

WIDE = 140  # cells, from which on a table can be read


def show_entries(entries: Sequence[Entry], console: Console) -> None:
    """Prints the entries; to what is no terminal, one line each with tabs between the fields."""
    if not console.is_terminal:
        for entry in entries:
            print("\t".join(_fields(entry)), file=console.file)
    elif console.width >= WIDE:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for title in ("name", "theorems", "ready", "needs", "from"):
            table.add_column(title, justify="right" if title == "theorems" else "left", no_wrap=True)
        table.add_column("licence", overflow="fold")
        for entry in entries:
            table.add_row(*(Text(field) for field in _fields(entry)))
        console.print(table)
    else:
        for entry in entries:
            name, count, ready, needs, where, licence = _fields(entry)
            about = ", ".join(
                part for part in (f"{count} theorems" if count else "", "ready" if entry.here else "") if part
            )
            console.print(Text(name, style="bold").append(f"  {about}" if about else "", style="not bold"))
            lines = ([] if entry.here else [f"run {ready}"]) + [f"needs {needs}", f"from {where}", licence]
            console.print(Padding(Text("\n".join(lines), style="dim"), (0, 0, 0, 4), expand=False))


def _fields(entry: Entry) -> list[str]:
    count = "" if entry.rows is None else str(entry.rows)
    ready = "yes" if entry.here else entry.how
    return [entry.name, count, ready, entry.needs, entry.where, entry.licence]

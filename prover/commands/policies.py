"""`prover policies`: what can be used here and now as `--policy`, and what would make the rest usable."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from prover.policies.available import Available, available
from prover.policies.machine import hub_cache, this_machine
from prover.policies.model_folder import Model, hub_models, read_model
from prover.policies.spec import read_policy
from prover.sources import UserInputError

WIDE = 120  # cells, from which on a table can be read


def policies(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[hf:PATH|onnx:PATH]...", help="Models in folders to look at as well."),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of lines.")] = False,
) -> None:
    """Say which policies can be used here, and why the others cannot."""
    cache = hub_cache()
    named = [_named(text, cache) for text in models or []]
    machine = this_machine()
    found = available(machine, [*named, *hub_models(cache)])
    if json_output:
        rows = [asdict(each) for each in found]
        typer.echo(json.dumps({"machine": asdict(machine), "policies": rows}, indent=1, ensure_ascii=False))
    else:
        show(found, Console(highlight=False))


def show(found: Sequence[Available], console: Console) -> None:
    """Prints a table where there is room, else a few lines for each; to what is no terminal, one line with tabs."""
    if not console.is_terminal:
        for each in found:
            print("\t".join([each.policy, "yes" if each.usable else "no", each.about, each.command]), file=console.file)
    elif console.width >= WIDE:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for title in ("policy", "usable", "what it is, or why not", "how"):
            table.add_column(title, no_wrap=title in ("policy", "usable"), overflow="fold")
        for each in found:
            table.add_row(Text(each.policy), _mark(each), Text(each.about), Text(each.command))
        console.print(table)
    else:
        for each in found:
            console.print(Text.assemble((each.policy, "bold"), "  ", _mark(each)))
            console.print(Padding(Text(f"{each.about}\n{each.command}", style="dim"), (0, 0, 0, 4), expand=False))


def _mark(each: Available) -> Text:
    return Text("yes", style="green") if each.usable else Text("no", style="yellow")


def _named(text: str, cache: Path | None) -> Model:
    """A model in a folder that was named."""
    (part, *others) = read_policy(text)
    if others or part.kind not in ("hf", "onnx"):
        raise UserInputError(f"Name models in folders, as hf:PATH or onnx:PATH, not `{text}`.")
    folder = Path(part.name).expanduser()
    if not folder.is_dir():
        raise UserInputError(f"There is no folder {part.name}.")
    return read_model(folder, str(part), cache)

"""`prover-rl synthesize`: writes synthetic theorems in core Lean; with --check it tries to prove each of them."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from prover.commands.lean import open_pool
from prover.outputs import check_writable, write_whole
from prover.sources import UserInputError
from rl.commands.resumable import resumable, say
from rl.search_run import Attempts
from rl.synthetic.check import check
from rl.synthetic.family import LEVELS
from rl.synthetic.generate import FAMILIES, Made, synthesise


def command(
    out: Annotated[Path, typer.Option("--out", metavar="FILE.jsonl", help="Where to write them.")] = Path(
        "synthetic.jsonl"
    ),
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, help="How many.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Another one draws others.")] = 0,
    families: Annotated[
        str, typer.Option("--families", metavar="NAME,...", help=f"Of {', '.join(FAMILIES)}.")
    ] = ",".join(FAMILIES),
    levels: Annotated[
        str, typer.Option("--levels", metavar="N,...", help="Difficulties, from 1 to 5; --list says what they mean.")
    ] = "1,2,3,4,5",
    seconds: Annotated[
        float | None,
        typer.Option("--check", metavar="SECONDS", help="Search for a proof of each, for so long at most."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", min=1, help="Lean processes of --check (default: one a core)."),
    ] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Say what the families and levels are.")] = False,
) -> None:
    """Generate theorems that a person might set as exercises, as many of each family and level: one JSON line each.

    None was refuted by the examples that it was tried on; a few are false. The same seed writes the same bytes, and a
    theorem is of the same split with every seed. With --check the portfolio's best-first search tries to prove each of
    them, and a proof that the judge accepts is kept with its theorem; the attempts are in the folder FILE.jsonl.check,
    a run as `prover bench` makes it: killed, the same command goes on.

    Exit code 0 when they are written; 2 for bad input; 3 when Lean was lost and did not come back; 130 when
    interrupted.
    """
    if list_them:
        typer.echo(listing())
        return
    names, chosen = chosen_families(families), chosen_levels(levels)
    if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
        raise UserInputError(f"--check: {seconds} is no number of seconds.")
    if workers is not None and seconds is None:
        raise UserInputError("--workers is for --check; without it no Lean is asked.")
    check_writable(out)
    made = list(synthesise(count, seed, names, chosen))
    if len(made) < count:
        say(f"these families and levels have no more than {len(made)} theorems to give")
    if seconds is not None:
        folder = out.with_name(out.name + ".check")
        with resumable(folder), open_pool("wasm", workers, len(made)) as pool:
            made = check(made, folder, Attempts(seconds=seconds, seed=seed), pool, say)
    write_whole(out, "".join(one.line for one in made))
    typer.echo(outcome(made, out, seconds is not None))


def chosen_families(text: str) -> tuple[str, ...]:
    """The families that are named, in their usual order.

    Raises:
        UserInputError: there is no such family.
    """
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in FAMILIES]
    if unknown or not wanted:
        raise UserInputError(f"--families: `{unknown[0] if unknown else text}` is none of {', '.join(FAMILIES)}.")
    return tuple(name for name in FAMILIES if name in wanted)


def chosen_levels(text: str) -> tuple[int, ...]:
    """The levels that are named, the lowest first.

    Raises:
        UserInputError: there is no such level.
    """
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [part for part in wanted if part not in map(str, LEVELS)]
    if unknown or not wanted:
        raise UserInputError(f"--levels: `{unknown[0] if unknown else text}` is none of 1 to {LEVELS[-1]}.")
    return tuple(level for level in LEVELS if str(level) in wanted)


def listing() -> str:
    """What the families and their levels are."""
    lines = []
    for family in FAMILIES.values():
        lines.append(f"{family.name}: {family.about}")
        lines += [f"  {level}  {meaning}" for level, meaning in zip(LEVELS, family.levels, strict=True)]
    return "\n".join(lines)


def outcome(made: Sequence[Made], out: Path, checked: bool) -> str:
    """The last line."""
    text = f"{len(made)} theorems in {out}"
    if checked:
        proved = sum(one.proof is not None for one in made)
        text += f"; {proved} ({100 * proved / max(1, len(made)):.0f} %) carry a proof"
    return text

"""The options that say how is searched, and how long: the same for every command that searches."""

import math
from typing import Annotated

import typer

from prover.algorithms import SEARCHES
from prover.sources import UserInputError


def finite(param: typer.CallbackParam, value: float) -> float:
    """An option's number of seconds, which may be neither `nan` nor `inf`."""
    if not math.isfinite(value):
        raise UserInputError(f"{param.opts[0]}: {value} is no number of seconds.")
    return value


SearchOption = Annotated[str, typer.Option("--search", metavar="NAME", help=f"The algorithm: {', '.join(SEARCHES)}.")]
RoundsOption = Annotated[
    int | None,
    typer.Option("--rounds", metavar="K", min=0, help="Corrections after a proof, for --search correct (default: 2)."),
]
BudgetSecondsOption = Annotated[
    float,
    typer.Option(
        "--budget-seconds", metavar="S", min=0, help="Wall clock for one attempt at a theorem.", callback=finite
    ),
]
BudgetCallsOption = Annotated[
    int | None,
    typer.Option(
        "--budget-calls", metavar="N", min=0, help="Lean calls for one attempt at a theorem (default: no limit)."
    ),
]
BudgetSamplesOption = Annotated[
    int | None,
    typer.Option(
        "--budget-samples", metavar="N", min=0, help="Policy answers for one attempt at a theorem (default: no limit)."
    ),
]

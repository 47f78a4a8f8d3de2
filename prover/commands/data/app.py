"""`prover data`: fetches benchmarks, reads a corpus off the core library, cleans training data of benchmarks."""

import typer

from prover.commands.data.core import core
from prover.commands.data.decontaminate import decontaminate
from prover.commands.data.fetch import fetch

data = typer.Typer(
    help="Fetch benchmarks, make a corpus of core Lean's theorems, clean training data.", no_args_is_help=True
)
data.command()(fetch)
data.command()(core)
data.command()(decontaminate)

"""Refuses a command that was started as several processes, each of which would do all of its work."""

import os

from prover.sources import UserInputError


def refuse_several_processes() -> None:
    """Raises UserInputError where `accelerate launch` or torchrun has started several."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserInputError("This is one process's work: start it without accelerate launch or torchrun.")

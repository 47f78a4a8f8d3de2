"""Runs of learning, each in a folder of its own that a killed run is gone on with from."""

from rl.runs.checkpoint import Checkpoint
from rl.runs.random_states import random_states, restore_random_states
from rl.runs.run import Run, open_run, read_config

__all__ = ["Checkpoint", "Run", "open_run", "random_states", "read_config", "restore_random_states"]

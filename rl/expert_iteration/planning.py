"""What is found out before a run of expert iteration begins, so that nothing is refused after hours of search."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prover.policies.plan import PolicyPlan
from rl.expert_iteration.config import ExpertIterationConfig
from rl.expert_iteration.theorems import Theorems, theorems_of
from rl.one_process import refuse_several_processes
from rl.runs import Run, open_run
from rl.runs.checkpoint import latest
from rl.runs.run import CHECKPOINTS
from rl.runs.settings import flat
from rl.sft.base import check_base, family_of

ALGORITHM = "expert-iteration"
SFT = "sft"


def check(config: ExpertIterationConfig) -> None:
    """Plans the trainings and the policies of all rounds.

    Raises:
        UserInputError: one of them could not be, or there are several processes.
    """
    refuse_several_processes()
    check_base(config.base, config.prompt, config.model, config.training.statement_loss)
    planned(config, config.first_policy, config.base)
    planned(config, config.policy, "MODEL")


@contextmanager
def open_iteration(config: ExpertIterationConfig) -> Iterator[tuple[Run, Theorems]]:
    """The run with these settings, and its theorems; the settings of the training may be others than they were as long
    as that of the round has learned nothing.

    Raises:
        UserInputError: what `check`, `theorems_of` and `rl.runs.open_run` raise.
    """
    check(config)
    theorems = theorems_of(config)
    done = latest(config.out / CHECKPOINTS)
    free = flat(config.training).keys() if has_learned_nothing(config.out, done.step if done else 0) else frozenset()
    with open_run(config.out, ALGORITHM, config, free=free) as run:
        yield run, theorems


def planned(config: ExpertIterationConfig, policy: str, model: str) -> PolicyPlan:
    """The policy, in whose text `model` is this one: the base, or what a round has made of it, asked as that is.

    Raises:
        UserInputError: there is no such policy, or it does not fit the search.
    """
    return config.searching.policy(policy, model, family_of(config.base, config.prompt), config.prompt)


def round_folder(home: Path, number: int) -> Path:
    """That of a round, from 0, in the run's folder."""
    return home / "rounds" / f"{number:02}"


def has_learned_nothing(home: Path, number: int) -> bool:
    """Whether the round's training has not come to a checkpoint after its first step yet."""
    found = latest(round_folder(home, number) / SFT / CHECKPOINTS)
    return found is None or found.step == 0

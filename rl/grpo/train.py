"""Opens what a run of GRPO needs, and has its loop perform it: theorems, the model, a sampler, Lean."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lean_env import LeanPool
from prover.benchmarks.row import Benchmark, Row
from prover.commands.lean import open_pool
from prover.policies.plan import guessed_family, own_family, refuse_missing_folder
from prover.policies.spec import Part
from prover.prompts.registry import Family, family_named
from prover.sampling.sampler import SamplerError
from prover.sources import UserInputError
from rl.grpo.config import GRPOConfig
from rl.one_process import refuse_several_processes
from rl.runs import Run, open_run
from rl.sources import read_theorems

if TYPE_CHECKING:
    from rl.grpo.loop import Evaluated
    from rl.rollouts.weights import PolicySampler

ALGORITHM = "grpo"
MODEL = "model"


@dataclass(frozen=True)
class Trained:
    """`model` is the folder of the weights after `steps`, and `last` their evaluation; `best_model` that of the weights
    which `best` is of. None where nothing was evaluated.
    """

    model: Path
    steps: int
    last: "Evaluated | None"
    best: "Evaluated | None"
    best_model: Path | None


def train(config: GRPOConfig, say: Callable[[str], None] = lambda text: None, pool: LeanPool | None = None) -> Trained:
    """Trains, or goes on with a run that was ended. Lean's workers are those of `pool`, or of one that is opened.

    Raises:
        UserInputError: something cannot be used, theorems overlap with what is held out, the folder holds another run,
            or a loss was not finite.
        RolloutsLost: Lean or the sampler did not come back; the same call goes on.
        KeyboardInterrupt: Ctrl-C; the same call goes on.
    """
    refuse_several_processes()
    family = _family(config)
    training, valid = theorems_of(config)
    with open_run(config.out, ALGORITHM, config) as run:
        return _train(run, config, family, training, valid, say, pool)


def theorems_of(config: GRPOConfig) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """(to learn from, to evaluate on); the latter are none where there are no evaluations.

    Raises:
        UserInputError: a source cannot be read, or a theorem to learn from is held out: it is in a benchmark of
            `against`, or in the part that is evaluated on. What overlaps is listed in the run's folder.
    """
    course = config.course
    valid_split = config.valid_split if course.evaluation_every else None
    found = read_theorems(
        config.theorems, config.split, config.valid, valid_split, config.against, config.drop_overlap, config.out
    )
    valid = Benchmark(found.label, found.valid).drawn(config.valid_sample, course.seed)
    return found.training, valid.rows


def _family(config: GRPOConfig) -> Family:
    """How the model is asked. A family of corrections is asked for its first proofs alone."""
    refuse_missing_folder(Part("hf", config.base))
    folder = Path(config.base).expanduser()
    return family_named(config.prompt or own_family(folder, "tactic") or guessed_family(config.base, folder))


def _train(
    run: Run,
    config: GRPOConfig,
    family: Family,
    training: tuple[Row, ...],
    valid: tuple[Row, ...],
    say: Callable[[str], None],
    given: LeanPool | None,
) -> Trained:
    from rl.grpo.loop import BEST, Environment, Loop
    from rl.learner.learner import Learner
    from rl.models import open_trainable, save
    from rl.rollouts.collector import Collector

    course = config.course
    latest = run.latest()
    adapted = config.peft.lora_rank is not None
    model, tokenizer = open_trainable(
        str(latest.model) if latest else config.base,
        # Weights that are learned are float32 whatever they are opened in; beside an adapter they are not learned.
        dtype=config.learner.dtype if adapted else "float32",
        device=config.device,
        peft=config.peft,
        seed=course.seed,
    )
    learner = Learner(model, _pad_id(tokenizer), config.learner, course.updates_before(course.steps))
    sampler = _sampler(config, model, tokenizer)
    say(f"{len(training)} theorems to learn from, {len(valid)} to evaluate on; {family.name}, {sampler.name}")
    tasks = course.choosing.theorems_per_step * config.rollouts.group_size
    with (
        nullcontext(given) if given else open_pool(config.lean, config.workers, tasks) as pool,
        Collector(pool, sampler, family, config.settings(), config.rollouts, course.seed) as collector,
    ):
        environment = Environment(collector.collect, sampler.take_weights, collector.stop)
        loop = Loop(
            run, course, learner, environment, training, valid,
            save_model=lambda folder: save(model, tokenizer, folder), say=say,
        )  # fmt: skip
        loop.perform()
    save(model, tokenizer, run.folder / MODEL)
    best = run.marked(BEST)
    last = loop.last if loop.last is not None and loop.last.step == loop.step else None
    return Trained(run.folder / MODEL, loop.step, last, loop.best, best.model if best else None)


def _sampler(config: GRPOConfig, model: Any, tokenizer: Any) -> "PolicySampler":
    from rl.rollouts.weights import TransformersPolicy

    if config.sampler == "hf":
        return TransformersPolicy(model, tokenizer, copied=config.course.lag > 0)
    from rl.rollouts.vllm_weights import open_vllm_policy

    try:
        return open_vllm_policy(config.base)
    except SamplerError as error:
        raise UserInputError(str(error)) from error


def _pad_id(tokenizer: Any) -> int:
    """What fills lines up; it is never looked at."""
    found = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    return int(found or 0)

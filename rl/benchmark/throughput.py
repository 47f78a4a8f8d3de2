"""Tokens a second of the learner against `trl.GRPOTrainer`: the same small model, batch and machine, timed in turns.

Nothing is sampled: both are given the same answers and rewards. trl is timed in its own training loop, from when
its rollout function is asked to the end of its optimiser step; the learner from rewards to the end of its own.
"""

import math
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from string import ascii_lowercase
from typing import Any

from lean_env.benchmark.figures import Figure
from prover.model.config import DEFAULT, ModelConfig
from rl.learner.config import Layout, LearnerConfig
from rl.objective.advantages import advantages
from rl.objective.policy_loss import PolicyObjective
from rl.objective.rows import TokenRow

RATE = 1e-6
MICRO = 1024  # tokens
Step = Callable[[], float]


@dataclass(frozen=True)
class Answers:
    """A prompt, its answers and their rewards; all but the rewards as token ids."""

    prompt: tuple[int, ...]
    answers: tuple[tuple[int, ...], ...]
    rewards: tuple[int, ...]


def figures(rounds: int = 5, groups: int = 4, size: int = 8, config: ModelConfig = DEFAULT) -> list[Figure]:
    """Ratios of speeds, medians over `rounds` paired updates, for `groups` prompts with `size` answers each."""
    from prover.model.create import create

    together, apart = batch(groups, size), batch(groups * size, 1)
    with tempfile.TemporaryDirectory() as folder:
        saved, out = Path(folder) / "model", Path(folder) / "out"
        create(saved, _texts(), config)
        # trl's speed hangs on how many rows it computes at once: it is given the number that suits it best.
        tried = [rows for rows in (size, 2 * size, 4 * size) if groups * size % rows == 0]
        trials = {rows: min(trl_seconds(saved, together, rows, out, 2)) for rows in tried}
        rows = min(trials, key=lambda rows: trials[rows])
        shared, padded = _paired(saved, together, rows, out, rounds, ("auto", "right"))
        (alone,) = _paired(saved, apart, rows, out, rounds, ("auto",))
    tokens = sum(len(group.prompt) + len(answer) for group in together for answer in group.answers)
    lengths = f"{groups} prompts of 30 to 300 tokens, {size} answers each of 5 to 80, {tokens} tokens in all"
    best = f"trl with {rows} rows at once, the best of {', '.join(map(str, tried))}: "
    best += f"{tokens / trials[rows]:.0f} tokens a second"
    return [
        Figure("trained tokens a second over trl", median(shared), "x", "1.3", f"{lengths}; {best}; {_range(shared)}"),
        Figure("the same, prompts not shared", median(padded), "x", "", _range(padded)),
        Figure("the same, every answer with another prompt", median(alone), "x", "", _range(alone)),
    ]


def _paired(
    folder: Path, groups: Sequence[Answers], rows: int, out: Path, rounds: int, layouts: Sequence[Layout]
) -> list[list[float]]:
    """How many times faster the learner is with each layout, in turns with trl; the first turn is not counted."""
    steps = [learner_step(folder, groups, layout) for layout in layouts]
    ours: list[list[float]] = [[] for _ in steps]

    def beside() -> None:
        for step, seconds in zip(steps, ours, strict=True):
            seconds.append(step())

    theirs = trl_seconds(folder, groups, rows, out, rounds + 1, beside)
    return [[slow / fast for slow, fast in zip(theirs, each, strict=True)][1:] for each in ours]


def batch(groups: int, size: int, seed: int = 0, vocabulary: int = 4000) -> list[Answers]:
    """Groups of lengths that tactics and short proofs have: many short ones and few long. Rewards are of both kinds."""
    random = Random(seed)

    def drawn(least: int, most: int) -> tuple[int, ...]:
        length = round(math.exp(random.uniform(math.log(least), math.log(most))))
        return tuple(random.choices(range(5, vocabulary), k=length))

    made = []
    for _ in range(groups):
        rewards = [random.randint(0, 1) for _ in range(size)]
        rewards[0] = 1 - rewards[-1] if size > 1 else 1
        made.append(Answers(drawn(30, 300), tuple(drawn(5, 80) for _ in range(size)), tuple(rewards)))
    return made


def learner_step(folder: Path, groups: Sequence[Answers], layout: Layout) -> Step:
    """Seconds of one update of the learner on the groups."""
    from rl.learner.learner import Learner

    model = _opened(folder)
    config = LearnerConfig(learning_rate=RATE, layout=layout, micro_tokens=MICRO)
    learner = Learner(model, model.config.pad_token_id, config)
    objective = PolicyObjective(importance_cap=None)

    def step() -> float:
        began = time.perf_counter()
        rows: list[TokenRow] = []
        for group in groups:
            told = advantages(group.rewards, normalise_std=True)
            for answer, advantage in zip(group.answers, told, strict=True):
                rows.append(TokenRow(group.prompt, answer, advantage=advantage or 0.0, sequence=len(rows)))
        learner.update(rows, objective)
        return time.perf_counter() - began

    return step


def trl_seconds(
    folder: Path, groups: Sequence[Answers], rows: int, out: Path, steps: int, beside: Callable[[], None] | None = None
) -> list[float]:
    """Seconds of each optimiser step of `trl.GRPOTrainer` on the groups, which its rollout function returns.

    `rows` are computed at once, and accumulated over the batch. Options are the learner's where they have an equal;
    nothing is checkpointed, logged or saved. `beside` is called between steps.
    """
    from datasets import Dataset
    from transformers import AutoTokenizer, PrinterCallback, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    prompts = [list(group.prompt) for group in groups for _ in group.answers]
    answers = [list(answer) for group in groups for answer in group.answers]
    rewards = [float(reward) for group in groups for reward in group.rewards]
    began = 0.0
    seconds = []

    def rollout(*_: Any) -> dict[str, Any]:
        nonlocal began
        began = time.perf_counter()
        return {"prompt_ids": prompts, "completion_ids": answers, "logprobs": None}

    class Clock(TrainerCallback):  # type: ignore[misc]  # the library's class is Any to the type checker
        def on_step_end(self, *_: Any, **__: Any) -> None:
            seconds.append(time.perf_counter() - began)
            if beside is not None:
                beside()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = GRPOTrainer(
            model=_opened(folder),
            reward_funcs=lambda **_: rewards,
            args=GRPOConfig(
                output_dir=str(out), per_device_train_batch_size=rows, num_generations=max(len(groups[0].answers), 2),
                gradient_accumulation_steps=len(answers) // rows, learning_rate=RATE, lr_scheduler_type="constant",
                max_steps=steps, max_completion_length=80, beta=0.0, epsilon_high=0.28, loss_type="dapo", bf16=False,
                gradient_checkpointing=False, use_cpu=True, report_to=[], save_strategy="no", logging_strategy="no",
                disable_tqdm=True,
            ),
            train_dataset=Dataset.from_list([{"prompt": str(number)} for number in range(len(answers))]),
            processing_class=AutoTokenizer.from_pretrained(folder),
            rollout_func=rollout,
            callbacks=[Clock()],
        )  # fmt: skip
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return seconds


def _opened(folder: Path) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def _texts() -> list[str]:
    """Enough words, made up, for a whole vocabulary."""
    random = Random(0)
    return [" ".join("".join(random.choices(ascii_lowercase, k=6)) for _ in range(5000))]


def _range(ratios: Sequence[float]) -> str:
    return f"{len(ratios)} paired updates, {min(ratios):.2f} to {max(ratios):.2f}"

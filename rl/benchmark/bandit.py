"""A bandit in text: whether GRPO, with the loop that Lean's verdicts go through, finds what is known to be best.

Some machines, each a prompt, have the same arms, each a word. On every machine one arm pays always and the others
seldom; an answer is an arm and the end, and anything else pays nothing.
"""

import tempfile
from collections.abc import Callable, Sequence
from math import exp
from pathlib import Path
from random import Random
from typing import Any

from lean_env.benchmark.figures import Figure
from prover.benchmarks.row import Row
from prover.sampling.sampler import Prompt, Settings
from rl.grpo.config import Choosing, Course
from rl.grpo.loop import Environment, Loop
from rl.learner.config import LearnerConfig
from rl.learner.learner import Learner
from rl.models import open_trainable, save
from rl.objective.rows import TokenRow
from rl.rollouts.asking import ask, turn_seed
from rl.rollouts.rollout import Ended, Group, Rollout
from rl.rollouts.weights import PolicySampler, TransformersPolicy
from rl.runs import open_run

PAD, END, UNKNOWN = "<pad>", "<end>", "<unknown>"
ARMS = ("red", "orange", "yellow", "green", "blue", "indigo", "violet", "white")
PAYS = (1.0, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0, 0.0)  # the best arm, and those that follow it, around
NUMBERS = ("one", "two", "three", "four")
MACHINES = tuple(Row(f"machine-{number}", f"machine {number}") for number in NUMBERS)
TOKENS = 2  # of an answer
GOAL = 0.95
# Chosen on the seeds 0 to 23: all of them come to 0.987 or more, and 24 to 39, which nothing was chosen on, to 0.992.
# Groups of 64 were tried with rates from 3e-3 to 6e-3, groups of 128 with one: of some seeds a machine stays at a worse
# arm, as the best one is drawn no more by the time that its reward is clear, and the reward at 0.85 or less.
GROUP = 256
LEARNER = LearnerConfig(learning_rate=4e-3)


def figures(seeds: Sequence[int] = (0, 1, 2), steps: int = 100) -> list[Figure]:
    """The reward that the policy can expect after training, for each seed."""
    found = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            found.append(expected_reward(play(Path(folder) / "run", course(seed, steps), group=GROUP).learner))
    told = f"{len(MACHINES)} machines of {len(ARMS)} arms, {GROUP} answers a machine and step; of each seed: "
    told += ", ".join(f"{reward:.3f}" for reward in found)
    return [Figure(f"reward of a bandit in text after {steps} steps, worst seed", min(found), "", str(GOAL), told)]


def course(seed: int, steps: int = 100, **given: Any) -> Course:
    """Every step plays every machine."""
    choosing = Choosing(theorems_per_step=len(MACHINES), refills=0)
    plain: dict[str, Any] = {"checkpoint_every": steps, "evaluation_every": 0, "choosing": choosing}
    return Course(**{"steps": steps, "seed": seed, **plain, **given})


def play(
    folder: Path,
    course: Course,
    around: Callable[[Environment], Environment] = lambda environment: environment,
    *,
    group: int = 64,
) -> Loop:
    """A run in `folder`, begun or gone on with to its end, with `group` answers a machine and step. `around` may change
    the environment that it is in.
    """
    with open_run(folder, "bandit", course) as run:
        latest = run.latest()
        model, tokenizer = open_trainable(str(latest.model), device="cpu") if latest else untrained(course.seed)
        sampler = TransformersPolicy(model, tokenizer, copied=course.lag > 0)
        loop = Loop(
            run,
            course,
            Learner(model, tokenizer.pad_token_id, LEARNER, course.updates_before(course.steps)),
            around(environment(sampler, course, group)),
            MACHINES,
            MACHINES,
            save_model=lambda folder: save(model, tokenizer, folder),
        )
        loop.perform()
        return loop


def environment(sampler: PolicySampler, course: Course, group: int) -> Environment:
    """The machines. What an arm pays is drawn by the answer's own seed."""
    settings = Settings(TOKENS, course.objective.temperature)

    def collect(rows: Sequence[Row], step: int, version: int) -> list[Group]:
        asked = [(row, turn_seed(course.seed, step, row.name, number, 0)) for row in rows for number in range(group)]
        answers = ask(sampler, [Prompt(row.statement) for row, _ in asked], [seed for _, seed in asked], settings)
        rollouts = [_paid(row, seed, answer) for (row, seed), answer in zip(asked, answers, strict=True)]
        return [
            Group(row, tuple(rollouts[place * group : (place + 1) * group]), version) for place, row in enumerate(rows)
        ]

    return Environment(collect, sampler.take_weights, sampler.stop)


def chance(row: Row, answer: str) -> float:
    """The probability that an answer, without the end, pays 1."""
    if answer not in ARMS:
        return 0.0
    best = 2 * MACHINES.index(row)
    return PAYS[(ARMS.index(answer) - best) % len(ARMS)]


def expected_reward(learner: Learner) -> float:
    """The mean over the machines of what an answer of the policy pays, worked out from its probabilities."""
    vocabulary = {word: number for number, word in enumerate(words())}
    rows, pays = [], []
    for machine in MACHINES:
        prompt = tuple(vocabulary[word] for word in machine.statement.split())
        for arm in ARMS:
            rows.append(TokenRow(prompt, (vocabulary[arm], vocabulary[END])))
            pays.append(chance(machine, arm))
    found = learner.log_probs(rows)
    return sum(pay * exp(sum(each)) for pay, each in zip(pays, found, strict=True)) / len(MACHINES)


def words() -> tuple[str, ...]:
    """The vocabulary: each is a token, by its place."""
    return (PAD, END, UNKNOWN, "machine", *NUMBERS, *ARMS)


def untrained(seed: int) -> tuple[Any, Any]:
    """A model of 6,000 parameters, with random weights, and its tokenizer."""
    import torch
    from tokenizers import Tokenizer, pre_tokenizers
    from tokenizers.models import WordLevel
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    plain = Tokenizer(WordLevel({word: number for number, word in enumerate(words())}, unk_token=UNKNOWN))
    plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token=PAD, eos_token=END, unk_token=UNKNOWN, padding_side="left"
    )
    shape = LlamaConfig(
        vocab_size=len(words()),
        hidden_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        intermediate_size=48,
        max_position_embeddings=16,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(shape)
    return model.float(), tokenizer


def _paid(row: Row, seed: int, answer: Any) -> Rollout:
    if isinstance(answer, str):
        return Rollout((), None, "lost", reason=answer)
    turn, _ = answer
    pays = turn.finish == "stop" and Random(f"pays {seed}").random() < chance(row, turn.text.strip())
    ended: Ended = "proved" if pays else "length" if turn.finish == "length" else "refused"
    return Rollout((turn,), int(pays), ended, turn.text.strip())

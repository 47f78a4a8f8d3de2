"""Trains a model on pairs: steps, held-out loss, checkpoints, and an end; killed, it goes on where it was."""

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from prover.benchmarks.row import Row
from prover.sources import UserInputError
from rl.data.harvest import HELD_OUT
from rl.data.overlap import without_overlap
from rl.data.pairs import Pair, theorems_of
from rl.data.parquet import read_pairs
from rl.data.theorems import training_theorems
from rl.one_process import refuse_several_processes
from rl.runs import Checkpoint, Run, open_run, read_config
from rl.sft.base import check_base, encoding_of, family_of, new_model
from rl.sft.batches import course
from rl.sft.config import NEW, SftConfig
from rl.sft.examples import Examples, examples
from rl.sft.patience import Best
from rl.sources import OVERLAP, held_out_theorems
from rl.whole_folder import whole_folder

ALGORITHM = "sft"
MODEL, BASE = "model", "base"
BEST = "best"


@dataclass(frozen=True)
class FineTuned:
    """`model` is the folder of the weights with the least held-out `loss`, which they had after `best_step` of `steps`.

    `loss` is None where no theorem was kept out; the weights are the last then. `planned` steps there would have been.
    """

    model: Path
    loss: float | None
    best_step: int
    steps: int
    planned: int


def fine_tune(
    config: SftConfig,
    home: Path = Path(),
    say: Callable[[str], None] = lambda text: None,
    stop: threading.Event | None = None,
) -> FineTuned:
    """Trains, or goes on with a training that was ended; one that is over is left as it is. Paths are taken in `home`.

    On a CPU in float32 a training that was killed and gone on with ends with the same numbers and weights, bit for bit,
    as one that was not.

    Raises:
        UserInputError: there is nothing to learn, something cannot be used, or the folder holds another training.
        KeyboardInterrupt: `stop` was set; the same call goes on from the last checkpoint.
    """
    refuse_several_processes()
    if read_config(home / config.out) is None:
        _check(config, home)
    with open_run(home / config.out, ALGORITHM, config) as run:
        latest = run.latest()
        if latest is None or not latest.state()["over"]:
            _train(run, config, home, latest, say, stop or threading.Event())
        return _finished(run)


def _train(
    run: Run,
    config: SftConfig,
    home: Path,
    latest: Checkpoint | None,
    say: Callable[[str], None],
    stop: threading.Event,
) -> None:
    from rl.learner.learner import Learner, NonFiniteLoss
    from rl.models import open_trainable, save
    from rl.objective.supervised import Supervised

    training = config.training
    pairs, theorems = _read(run, config, home, say)
    base = _base(run, config, home, latest, pairs, theorems)
    family = family_of(base, config.prompt)
    model, tokenizer = open_trainable(
        str(latest.model) if latest else base, device=config.device, peft=config.peft, seed=config.seed
    )
    found = examples(
        pairs, theorems, family, config.learn, encoding_of(model, tokenizer), training.held_out, config.seed,
        training.statement_loss, config.learn_tried,
    )  # fmt: skip
    del pairs
    for sentence in sentences(found, family, training.statement_loss):
        say(sentence)
    plan = (found.rows, training.batch_tokens, config.seed, training.epochs, training.steps, found.shares)
    planned = sum(1 for _ in course(*plan))
    learner = Learner(model, _pad_id(tokenizer), training.learner(planned), planned)
    objective, fingerprint = Supervised(), found.fingerprint()

    def save_checkpoint(step: int, best: Best, over: bool) -> None:
        state = {
            "data": fingerprint, "over": over, "planned": planned, "best_loss": best.loss, "best_step": best.step,
            "since": best.since, "held_out": len(found.held_out),
        }  # fmt: skip
        marks = [BEST] if best.step == step or not found.held_out else []
        run.save(step, lambda folder: save(model, tokenizer, folder), learner.state_dict(), state, marks)

    def evaluated(step: int, best: Best) -> Best:
        if not found.held_out:
            return best
        loss = learner.evaluate(found.held_out, objective)
        run.log(step, {"held_out_loss": loss})
        say(f"step {step} of {planned}: held-out loss {loss:.4f}")
        return best.after(loss, step)

    if latest is None:
        step, best = 0, evaluated(0, Best())
        save_checkpoint(step, best, False)
    else:
        state = latest.state()
        if state["data"] != fingerprint:
            raise UserInputError(f"{run.folder} was begun on other data; name another folder with --out.")
        learner.load_state_dict(latest.tensors())
        latest.restore_random_states()
        step, best = latest.step, Best(state["best_loss"], state["best_step"], state["since"])
    for epoch, batch in islice(course(*plan), step, None):
        if stop.is_set():
            raise KeyboardInterrupt
        rows = [found.rows[place] for place in batch]
        try:
            told = learner.update(rows, objective)
        except NonFiniteLoss as error:
            dumped = run.dump(f"step-{step + 1}", rows)
            raise UserInputError(
                f"At step {step + 1} {error}; no step was taken, and the batch is in {dumped}. A smaller "
                "--learning-rate may help."
            ) from error
        step += 1
        run.log(step, {"epoch": epoch, "sequences": len(rows), **told})
        if step % training.every == 0 or step == planned:
            best = evaluated(step, best)
            over = step == planned or best.is_over(training.patience)
            save_checkpoint(step, best, over)
            if over:
                break


def _check(config: SftConfig, home: Path) -> None:
    """Finds what may have been mistyped before a folder is begun under these settings."""
    for path in config.data:
        read_pairs(home / path)
    if config.corpus is not None:
        training_theorems(_corpus(config.corpus, home))
    base = config.base if config.base == NEW else _existing(config.base, home)
    check_base(base, config.prompt, config.model, config.training.statement_loss)


def _read(run: Run, config: SftConfig, home: Path, say: Callable[[str], None]) -> tuple[list[Pair], tuple[Row, ...]]:
    """The pairs and the corpus, without what is held out, by its split or by what it says."""
    every = list(chain.from_iterable(read_pairs(home / path) for path in config.data))
    pairs = [pair for pair in every if pair.split not in HELD_OUT]
    if len(pairs) < len(every):
        count, splits = len(every) - len(pairs), {pair.split for pair in every} & set(HELD_OUT)
        told = f"{count} of {len(every)} pairs are held out, of the split {' and '.join(sorted(splits))}"
        if not config.drop_overlap:
            raise UserInputError(f"{told}; leave them out with --drop-overlap.")
        say(f"{told}, and left out")
    corpus = () if config.corpus is None else (_corpus(config.corpus, home),)
    theorems = tuple(chain.from_iterable(training_theorems(source) for source in corpus))
    others, names = held_out_theorems(corpus, config.against)
    kept: Sequence[Row] = (*theorems_of(pairs), *theorems)
    if others:
        kept = without_overlap(kept, others, run.folder / OVERLAP, " or ".join(names), config.drop_overlap)
    left = {row.hash for row in kept}
    return [pair for pair in pairs if pair.row.hash in left], tuple(row for row in theorems if row.hash in left)


def sentences(found: Examples, family: str, statement_weight: float) -> list[str]:
    """What a user is to know of the examples before the training begins."""
    statements = len(found.shares) - found.shares.count(1.0) if statement_weight < 1 else 0
    told = [
        f"{len(found.rows)} examples of {found.theorems} theorems to train on, {len(found.held_out)} of "
        f"{found.held_out_theorems} others held out"
    ]
    if statements:
        told.append(f"{statements} of the examples are statements")
    if not found.held_out:
        told.append("no theorem is held out: the training ends with its last step, and its last weights are kept")
    if found.too_long:
        told.append(f"{found.too_long} examples are longer than the model's context, and left out")
    if found.unwanted:
        told.append(f"{found.unwanted} pairs are left out: they are not of the kind that --learn names")
    if found.unasked:
        told.append(f"{found.unasked} pairs are left out: the prompts of {family} do not ask for their kind")
    if found.unproved:
        told.append(f"{found.unproved} pairs are left out: the judge has not accepted them")
    return told


def _base(
    run: Run,
    config: SftConfig,
    home: Path,
    latest: Checkpoint | None,
    pairs: Sequence[Pair],
    theorems: Sequence[Row],
) -> str:
    """The name of the model to begin with, which is made first where a new one is wanted."""
    if config.base != NEW:
        return _existing(config.base, home)
    if latest is None:
        # A run that nothing has come of takes other settings, and this model may have been made under those before.
        shutil.rmtree(run.folder / BASE, ignore_errors=True)
    new_model(run.folder / BASE, pairs, theorems, config.model, config.seed)
    return str(run.folder / BASE)


def _existing(base: str, home: Path) -> str:
    folder = home / Path(base).expanduser()
    return str(folder) if folder.is_dir() else base


def _corpus(name: str, home: Path) -> str:
    path = home / Path(name).expanduser()
    return str(path) if path.exists() else name


def _pad_id(tokenizer: Any) -> int:
    """What fills lines up; it is never looked at."""
    return int(tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id)


def _finished(run: Run) -> FineTuned:
    """What a training that is over came to; its best weights are put where they are looked for."""
    latest, best = run.latest(), run.marked(BEST)
    assert latest is not None
    best = best or latest
    model = run.folder / MODEL
    if not model.is_dir():
        with whole_folder(model) as unfinished:
            shutil.copytree(best.model, unfinished, dirs_exist_ok=True)
    state = latest.state()
    loss = state["best_loss"] if state["held_out"] else None
    return FineTuned(model, loss, best.step, latest.step, state["planned"])

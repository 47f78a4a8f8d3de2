"""The loop of expert iteration over its rounds: what is measured, kept and listed of each."""

import json
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lean_env import LeanPool
from prover.outputs import write_whole
from prover.runs.store import read_run
from prover.statistics import summarise
from rl.evaluation import Evaluation, evaluate, evaluation_of
from rl.expert_iteration.config import ExpertIterationConfig
from rl.expert_iteration.history import History
from rl.expert_iteration.rounds import VALID, Round, Rounds, perform_round
from rl.expert_iteration.theorems import Theorems, write_training
from rl.runs import Run
from rl.sft.train import MODEL
from rl.whole_folder import whole_folder

BASELINE, REFUTED, BEST = "baseline", "refuted.jsonl", "best"


@dataclass(frozen=True)
class Outcome:
    """After so many `rounds`: the `best` of them, from 0, what it proves of the `valid` theorems, and its `model`, all
    None if there was none, and what the `first` policy proves of them. `proved` of the training theorems have a proof,
    and `refuted` of them a proved negation."""

    rounds: int
    best: int | None
    valid: Evaluation | None
    first: Evaluation
    proved: int
    refuted: int
    model: Path | None

    def sentence(self, config: ExpertIterationConfig) -> str:
        """The best round in words, and the first policy beside it; empty if there was no round."""
        if self.valid is None:
            return ""
        return (
            f"round {self.best} with {config.policy} proves {self.valid.sentence()} of the valid ones (chosen on this "
            f"split), the first policy, {config.first_policy}, {self.first.sentence()}; its model is in {self.model}"
        )


def expert_iteration(
    run: Run,
    theorems: Theorems,
    pool: LeanPool,
    stop: threading.Event | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Outcome:
    """Performs the rounds that the run lacks, all of them on the caller's Lean workers.

    `run` is that of `open_iteration`. Step 0 of its metrics is the first policy on the valid theorems,
    step n + 1 what came of round n; the checkpoint of that step has the round's model. Killed at any time, the same
    call goes on: attempts that are finished are kept, and a training goes on from its last checkpoint.

    Raises:
        UserInputError: there is nothing to learn, or something cannot be used.
        JudgeLost: Lean did not come back; what is finished is kept.
        KeyboardInterrupt: `stop` was set, or Ctrl-C came; what is finished is kept. The pool may be closed then.
    """
    rounds = Rounds(run.config, run.folder, theorems, pool, stop or threading.Event(), say)
    write_training(theorems, run.folder)
    latest = run.latest()
    if latest is None:
        _baseline(rounds, run)
    best: tuple[float, int] | None = None
    if latest is not None and (kept := latest.state()["best"]) is not None:
        best = (kept[0], kept[1])
    done = latest.step if latest else 0
    while done < run.config.rounds:
        result = perform_round(rounds, done)
        if result is None:
            say("no theorem is left to attempt")
            break
        before, after = rounds.before(done), rounds.before(done + 1)
        is_best = best is None or result.valid.share.value > best[0]
        if is_best:
            best = (result.valid.share.value, done)
        _write_refuted(rounds, done + 1)
        run.log(done + 1, _metrics(result, before, after, len(theorems.training)))
        run.log_samples(done + 1, _samples(result, before))
        state = {"best": best, "proved": len(after.proved), "refuted": len(after.refuted)}
        run.save(done + 1, partial(_link_folder, result.trained.model), {}, state, [BEST] if is_best else [])
        say(f"round {done}: {len(after.proved)} of {len(theorems.training)} training theorems have a proof; "
            f"of the valid ones {run.config.policy} proves {result.valid.sentence()}")  # fmt: skip
        done += 1
    return _outcome(run, rounds, done, best)


def _baseline(rounds: Rounds, run: Run) -> None:
    """What the first policy proves of the valid theorems: the curve's beginning."""
    valid = rounds.theorems.valid
    rounds.say(f"evaluation of the first policy on {rounds.size(len(valid.rows))}")
    found = evaluate(
        rounds.home / BASELINE, valid, rounds.policy(0), rounds.config.searching.attempts_with(rounds.config.seed),
        rounds.pool, home=rounds.home, stop=rounds.stop, say=rounds.say,
    )  # fmt: skip
    run.log(0, _named("valid", found))
    rounds.say(f"of the valid theorems the first policy, {rounds.config.first_policy}, proves {found.sentence()}")


def _metrics(result: Round, before: History, after: History, training: int) -> dict[str, float]:
    """A round in numbers: shares are of theorems, from 0 to 1, seconds are wall clock but for Lean's own."""
    summary = summarise(result.search)
    counts, share = summary.counts, summary.solved_share
    found: dict[str, float] = {
        "train/attempted": counts.attempted,
        "train/proved": counts.proved,
        "train/share": share.value if share else 0.0,
        "train/unscored_attempts": counts.unscored_attempts,
        "train/new": len(after.proved - before.proved),
        "train/proved_in_all": len(after.proved),
        "train/share_in_all": len(after.proved) / training,
        "train/refuted": len(after.refuted - before.refuted),
        "train/broken": len(after.broken),
        "train/seconds": summary.session_seconds,
        "train/lean_seconds": float(summary.totals["lean_seconds"]),
        "data/pairs": result.pairs,
        "data/theorems": result.learned,
        "sft/steps": result.trained.steps,
        "sft/best_step": result.trained.best_step,
    }
    if result.negated is not None:
        found["train/negations_attempted"] = len({attempt.theorem for attempt in result.negated.attempts})
    if result.trained.loss is not None:
        found["sft/held_out_loss"] = result.trained.loss
    return found | _named("valid", result.valid)


def _named(name: str, found: Evaluation) -> dict[str, float]:
    return {f"{name}/{key}": value for key, value in found.metrics().items()}


def _samples(result: Round, before: History) -> list[dict[str, Any]]:
    """The theorems that had no proof before this round, each with the first that it found."""
    proofs: dict[str, dict[str, Any]] = {}
    for attempt in result.search.attempts:
        row = result.search.rows[attempt.theorem]
        if attempt.reward == 1 and row.name not in before.proved:
            proofs.setdefault(row.name, {"theorem": row.name, "statement": row.statement, "proof": attempt.proof})
    return list(proofs.values())


def _write_refuted(rounds: Rounds, done: int) -> None:
    """Lists the theorems whose negation is proved, with its proof; they are attempted no more."""
    statements = {row.name: row.statement for row in rounds.theorems.training}
    found: dict[str, dict[str, Any]] = {}
    for number, run in rounds.negated(done):
        for attempt in run.attempts:
            row = run.rows[attempt.theorem]
            if attempt.reward == 1:
                told = {"theorem": row.label, "statement": statements.get(row.label), "round": number}
                found.setdefault(row.label, told | {"negation": row.statement, "proof": attempt.proof})
    if found:
        lines = (json.dumps(each, ensure_ascii=False) + "\n" for each in found.values())
        write_whole(rounds.home / REFUTED, "".join(lines))


def _outcome(run: Run, rounds: Rounds, done: int, best: tuple[float, int] | None) -> Outcome:
    after = rounds.before(done)
    kept, model = run.marked(BEST), None
    if kept is not None:
        model = run.folder / MODEL
        with whole_folder(model) as unfinished:
            shutil.copytree(kept.model, unfinished, dirs_exist_ok=True, copy_function=_link)
    number = best[1] if best else None
    valid = None if number is None else evaluation_of(read_run(rounds.folder(number) / VALID))
    first = evaluation_of(read_run(rounds.home / BASELINE))
    return Outcome(done, number, valid, first, len(after.proved), len(after.refuted), model)


def _link_folder(model: Path, folder: Path) -> None:
    """The model once more, in no room of its own."""
    shutil.copytree(model, folder, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # not every file system has hard links
        shutil.copy2(source, target)

"""One round of expert iteration: search, harvest, train, evaluate. Each stage is durable; one that is over is left.

DeepSeek-Prover V1 (arXiv:2405.14333), sections 3.3 and 3.4. One round with a policy that samples whole proofs is online
rejection sampling fine-tuning (DeepSeekMath, arXiv:2402.03300, section 5.2 and appendix A.1).
"""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from lean_env import LeanPool
from prover.benchmarks.row import Benchmark, Row
from prover.duration import duration
from prover.policies.plan import PolicyPlan
from prover.policies.tactic_policy import seed_of
from prover.runs.run import Run
from prover.runs.store import begun, read_run
from prover.sources import UserInputError
from rl.data.harvest import harvest
from rl.data.overlap import overlap
from rl.data.pairs import ProofPair
from rl.data.pairs import theorems_of as learned_of
from rl.data.parquet import read_pairs, write_pairs
from rl.evaluation import Evaluation, evaluate
from rl.expert_iteration.config import ExpertIterationConfig
from rl.expert_iteration.drawing import drawn
from rl.expert_iteration.history import History, history
from rl.expert_iteration.negations import negations
from rl.expert_iteration.planning import SFT, has_learned_nothing, planned, round_folder
from rl.expert_iteration.theorems import LISTED, Theorems
from rl.search_run import search_run
from rl.sft.base import new_model
from rl.sft.config import NEW, SftConfig
from rl.sft.train import BASE, MODEL, FineTuned, fine_tune

SEARCH, NEGATIONS, PAIRS, VALID = "search", "negations", "pairs.parquet", "valid"


@dataclass(frozen=True)
class Rounds:
    """What the rounds have in common. `home` is the run's folder; `stop` ends a stage, see `search_run`."""

    config: ExpertIterationConfig
    home: Path
    theorems: Theorems
    pool: LeanPool
    stop: threading.Event
    say: Callable[[str], None]

    def folder(self, number: int) -> Path:
        """That of a round, from 0."""
        return round_folder(self.home, number)

    def policy(self, number: int) -> PolicyPlan:
        """What the round searches with. Raises UserInputError where there is no such policy."""
        if number:
            return self.policy_after(number - 1)
        return planned(self.config, self.config.first_policy, self.config.base)

    def policy_after(self, number: int) -> PolicyPlan:
        """What the round has come to, as it is evaluated."""
        return planned(self.config, self.config.policy, str(self.folder(number) / SFT / MODEL))

    def size(self, theorems: int) -> str:
        """So many theorems in words, with the most time that their attempts take."""
        searching = self.config.searching
        turns = ceil(theorems * searching.attempts / self.pool.size)
        return f"{theorems} theorems, at most {duration(turns * searching.budget_seconds)}"

    def before(self, number: int) -> History:
        """What the rounds before this one came to."""
        negated = (run for _, run in self.negated(number))
        return history((run for _, run in self._runs(number, SEARCH)), negated)

    def negated(self, number: int) -> Iterator[tuple[int, Run]]:
        """The rounds before this one that attempted negations, and those attempts."""
        return self._runs(number, NEGATIONS)

    def _runs(self, number: int, stage: str) -> Iterator[tuple[int, Run]]:
        for earlier in range(number):
            folder = self.folder(earlier) / stage
            if begun(folder) is not None:
                yield earlier, read_run(folder)


@dataclass(frozen=True)
class Round:
    """What a round came to. `search` and `negated` are its runs; `pairs` of `learned` theorems were trained on."""

    search: Run
    negated: Run | None
    pairs: int
    learned: int
    trained: FineTuned
    valid: Evaluation


def perform_round(rounds: Rounds, number: int) -> Round | None:
    """The round, or what is left of it; None if there is no theorem that it could attempt.

    Raises:
        UserInputError: no theorem was proved yet, so that there is nothing to learn; or what the stages raise.
        KeyboardInterrupt: `stop` was set.
    """
    config, folder = rounds.config, rounds.folder(number)
    before = rounds.before(number)
    rows = drawn(
        rounds.theorems.training, before.attempted, before.proved, before.dropped, config.theorems_per_round,
        config.proved_share, config.seed, number,
    )  # fmt: skip
    if not rows:
        return None
    policy = rounds.policy(number)
    rounds.say(f"round {number}: {rounds.size(len(rows))}, {policy.name}")
    search = _search(rounds, number, SEARCH, rows, policy)
    negated = _negated(rounds, number, search, policy) if config.negations else None
    pairs, learned = _harvested(rounds, number)
    trained = _trained(rounds, number)
    rounds.say(f"round {number}: evaluation on {rounds.size(len(rounds.theorems.valid.rows))}")
    valid = evaluate(
        folder / VALID, rounds.theorems.valid, rounds.policy_after(number), config.searching.attempts_with(config.seed),
        rounds.pool, home=rounds.home, stop=rounds.stop, say=rounds.say,
    )  # fmt: skip
    return Round(search, negated, pairs, learned, trained, valid)


def _search(rounds: Rounds, number: int, stage: str, rows: tuple[Row, ...], policy: PolicyPlan) -> Run:
    # A theorem that comes again is to be given other samples.
    attempts = rounds.config.searching.attempts_with(seed_of(rounds.config.seed, number))
    return search_run(
        rounds.folder(number) / stage, Benchmark(f"{stage} of round {number}", rows), policy, attempts, rounds.pool,
        home=rounds.home, stop=rounds.stop, say=rounds.say,
    )  # fmt: skip


def _negated(rounds: Rounds, number: int, search: Run, policy: PolicyPlan) -> Run | None:
    """Attempts at the negation of what the round has not proved, under the same budget; None if there is none."""
    folder = rounds.folder(number) / NEGATIONS
    if begun(folder) is not None:
        rows = read_run(folder).rows
    else:
        proved = {attempt.theorem for attempt in search.attempts if attempt.reward == 1}
        open_ones = [row for place, row in enumerate(search.rows) if place not in proved | search.problems.keys()]
        rounds.say(f"round {number}: the negations of {rounds.size(len(open_ones))}")
        rows = negations(open_ones, rounds.pool)
    return _search(rounds, number, NEGATIONS, rows, policy) if rows else None


def _harvested(rounds: Rounds, number: int) -> tuple[int, int]:
    """Writes what the round trains on, out of all rounds so far: how many pairs, and of how many theorems."""
    path = rounds.folder(number) / PAIRS
    if not path.exists():
        stages = [rounds.folder(each) / stage for each in range(number + 1) for stage in (SEARCH, NEGATIONS)]
        found = harvest([stage for stage in stages if begun(stage) is not None], keep=rounds.config.keep)
        for complaint in found.complaints:
            rounds.say(complaint)
        # A theorem's negation may say what a held-out one says, though the theorem does not.
        held_out = [each.training for each in overlap(learned_of(found.pairs), rounds.theorems.held_out)]
        if held_out:
            rounds.say(f"round {number}: held out, and not learned: {', '.join(row.name for row in held_out)}")
        hashes = {row.hash for row in held_out}
        allowed = [pair for pair in found.pairs if pair.row.hash not in hashes]
        if not allowed:
            raise UserInputError(
                f"Nothing was proved in {rounds.home} that may be learned; give easier theorems, a larger "
                "--budget-seconds, or another --first-policy, and a new folder."
            )
        write_pairs(path, allowed)
    pairs = list(read_pairs(path))
    proofs = sum(isinstance(pair, ProofPair) for pair in pairs)
    learned = len(learned_of(pairs))
    rounds.say(f"round {number}: {proofs} proofs of {learned} theorems, {len(pairs) - proofs} steps")
    return len(pairs), learned


def _trained(rounds: Rounds, number: int) -> FineTuned:
    """The model that has learned the round's pairs. Paths are noted within the run's folder."""
    config, home = rounds.config, rounds.home
    base = config.base
    if base == NEW:
        # Made once, for all rounds: of what the first round has to say, and of all the statements.
        new_model(
            home / BASE, read_pairs(rounds.folder(0) / PAIRS), rounds.theorems.training, config.model, config.seed
        )
        base = BASE
    if config.train_from == "last" and number:
        base = _within(home, rounds.folder(number - 1) / SFT / MODEL)
    settings = SftConfig(
        data=(Path(_within(home, rounds.folder(number) / PAIRS)),),
        out=Path(_within(home, rounds.folder(number) / SFT)),
        base=base,
        corpus=LISTED if config.training.statement_loss else None,
        against=(),
        learn=config.learn,
        prompt=config.prompt,
        seed=config.seed,
        device=config.device,
        training=config.training,
        peft=config.peft,
    )
    if has_learned_nothing(home, number):
        # So it is begun again, and its settings may be others now; nothing but an evaluation is lost.
        shutil.rmtree(home / settings.out, ignore_errors=True)
    return fine_tune(settings, home, lambda text: rounds.say(f"round {number}: {text}"), rounds.stop)


def _within(home: Path, path: Path) -> str:
    return path.relative_to(home).as_posix()

"""Episodes of tactics: state, one sampled tactic, Lean runs it, next state, until the proof is finished or cannot be.

All episodes take their turns together, in lockstep: the prompts of one turn are one call of the sampler, so that what
is sampled beside what hangs on nothing but what was sampled before, not on how fast Lean was.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from lean_env import (
    LeanEnvError,
    ProofFinished,
    ProofSession,
    StatementError,
    Step,
    TacticError,
    TacticState,
)
from lean_env.code_scan import runs_code
from prover.benchmarks.row import Row
from prover.prompts.family import TacticFamily
from prover.sampling.sampler import Settings
from rl.rollouts.asking import ask, turn_seed
from rl.rollouts.ending import Claim, Ending, cut_off, judged, lost_model
from rl.rollouts.lean import Lean
from rl.rollouts.rollout import Rollout, Turn
from rl.rollouts.weights import PolicySampler
from search import proof_text

Result = TacticState | TacticError | ProofFinished
Call = tuple[tuple[Step, ...], str]  # a state's path, and a tactic
BLANK = TacticError("the answer holds no tactic", "parse")


@dataclass
class Episode:
    """An episode in the making. `outcome` is there once it is over: how it ended, or a proof that wants a verdict."""

    row: Row
    place: int  # of its theorem
    number: int  # in its group
    state: TacticState
    turns: list[Turn] = field(default_factory=list)
    tactic: str = ""  # the last one
    failed: int = 0
    lean_seconds: float = 0.0
    outcome: Claim | Ending | None = None


def episodes(
    rows: Sequence[Row],
    count: int,
    sampler: PolicySampler,
    family: TacticFamily,
    settings: Settings,
    lean: Lean,
    seed: int,
    step: int,
) -> list[list[Ending]]:
    """`count` episodes of each theorem, in order. Tactics act on the first goal, as in a script.

    A tactic that may run code of its own is not run here: these workers judge, too. It is an episode's last, and the
    judge, who has such text run in a process that is thrown away, says what comes of it.

    Raises:
        CollectStopped, JudgeLost: as `Lean.each`.
    """
    opened = lean.each([partial(_open, row, lean) for row in rows])
    sessions = {place: each for place, each in enumerate(opened) if isinstance(each, ProofSession)}
    made = [
        Episode(rows[place], place, number, session.start)
        for place, session in sessions.items()
        for number in range(count)
    ]
    known: dict[tuple[int, Call], Result] = {}
    while live := [episode for episode in made if episode.outcome is None]:
        prompts = [family.prompt(episode.state, episode.row.theorem) for episode in live]
        seeds = [turn_seed(seed, step, each.row.name, each.number, len(each.turns)) for each in live]
        for episode, answer in zip(live, ask(sampler, prompts, seeds, settings), strict=True):
            if isinstance(answer, str):
                episode.outcome = lost_model(episode.turns, answer)
                continue
            turn, sample = answer
            if turn.finish == "length":
                episode.outcome = cut_off(episode.turns, turn, sample, episode.lean_seconds)
                continue
            episode.turns.append(turn)
            episode.tactic = family.tactic(sample).rstrip()
            if runs_code(episode.tactic):
                episode.outcome = _claim(episode, (*episode.state.tactics, episode.tactic), ran=False)
        before = [(episode.place, episode.state) for episode in live]
        _run_tactics([episode for episode in live if episode.outcome is None], sessions, known, lean)
        _forget([*before, *((episode.place, episode.state) for episode in live)], live, sessions)
    claims = [episode.outcome for episode in made if isinstance(episode.outcome, Claim)]
    verdicts = iter(judged(claims, lean))
    lean.each([partial(_close, session) for session in sessions.values()])
    endings: list[list[Ending]] = [[each] * count if isinstance(each, Ending) else [] for each in opened]
    for episode in made:
        outcome = episode.outcome
        endings[episode.place].append(outcome if isinstance(outcome, Ending) else next(verdicts))
    return endings


def _run_tactics(
    live: Sequence[Episode], sessions: dict[int, ProofSession], known: dict[tuple[int, Call], Result], lean: Lean
) -> None:
    """Takes every episode one tactic on. Equal tactics on the same state of a theorem are run once."""
    wanted: dict[int, dict[Call, TacticState]] = {}
    firsts: dict[tuple[int, Call], Episode] = {}
    for episode in live:
        call = (episode.state.path, episode.tactic)
        if episode.tactic and (episode.place, call) not in known:
            wanted.setdefault(episode.place, {}).setdefault(call, episode.state)
            firsts.setdefault((episode.place, call), episode)
    jobs = [partial(_run, sessions[place], calls, lean) for place, calls in wanted.items()]
    results = dict(known)
    for place, found in zip(wanted, lean.each(jobs), strict=True):
        for call, result in found.items():
            results[place, call] = result
            firsts[place, call].lean_seconds += result.seconds
            # What was lost may go well the next time.
            if not (isinstance(result, TacticError) and result.kind in ("lost", "timeout")):
                known[place, call] = result
    for episode in live:
        call = (episode.state.path, episode.tactic)
        _advance(episode, results[episode.place, call] if episode.tactic else BLANK, lean)


def _forget(
    states: Sequence[tuple[int, TacticState]], live: Sequence[Episode], sessions: dict[int, ProofSession]
) -> None:
    """Has Lean forget those of the states that no episode is in any more: it keeps many at once, and they are large."""
    needed = {(episode.place, episode.state.path) for episode in live if episode.outcome is None}
    for place, state in states:
        if state.path and (place, state.path) not in needed:
            sessions[place].drop(state)


def _run(session: ProofSession, calls: dict[Call, TacticState], lean: Lean) -> dict[Call, Result]:
    options = lean.options
    found: dict[Call, Result] = {}
    for call, state in calls.items():
        try:
            found[call] = session.run_tactic(state, call[1], options.heartbeats, options.tactic_seconds)
        except LeanEnvError as error:
            found[call] = TacticError(str(error), "lost")
    return found


def _advance(episode: Episode, result: Result, lean: Lean) -> None:
    if isinstance(result, ProofFinished):
        episode.outcome = _claim(episode, result.tactics, ran=True)
    elif isinstance(result, TacticState):
        episode.state = result
    elif result.kind in ("lost", "timeout"):
        rollout = Rollout(tuple(episode.turns), None, "lost", None, episode.lean_seconds, f"a tactic: {result.message}")
        episode.outcome = Ending(rollout, "lost" if result.kind == "lost" else "answered")
    else:
        episode.failed += 1
        if episode.failed > lean.options.retries:
            episode.outcome = _ended(episode, "error", answered=result is not BLANK)
    if episode.outcome is None and len(episode.turns) == lean.options.turns:
        episode.outcome = _ended(episode, "turns", answered=result is not BLANK)


def _claim(episode: Episode, tactics: Sequence[str], ran: bool) -> Claim:
    return Claim(episode.row.theorem, proof_text(tactics), tuple(episode.turns), episode.lean_seconds, ran)


def _ended(episode: Episode, why: Literal["error", "turns"], answered: bool) -> Ending:
    """An episode without a proof, which has no reward."""
    rollout = Rollout(tuple(episode.turns), 0, why, None, episode.lean_seconds)
    return Ending(rollout, "answered" if answered else "unasked")


def _open(row: Row, lean: Lean) -> ProofSession | Ending:
    try:
        return lean.session(row.theorem)
    except LeanEnvError as error:
        reason = f"the statement: {error}"
        answered = isinstance(error, StatementError)
        return Ending(Rollout((), None, "lost", reason=reason), "answered" if answered else "lost")


def _close(session: ProofSession) -> None:
    with suppress(LeanEnvError):  # a Lean that is lost has forgotten its states
        session.close()

"""Steps of proofs of which only the text is known: Lean runs them again, tactic by tactic, and says the states."""

import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from lean_env import LeanPool, ProofFinished, StatementError, TacticError, TacticState, WorkerLost
from lean_env.goal import focused, independent
from prover.runs.perform import by_header
from rl.data.pairs import Pair, ProofPair, TacticPair
from search.segments import segments

_OF_SEVERAL_GOALS = re.compile(r"[·.]|(all_goals|any_goals|case|next|rotate_left|rotate_right|swap|pick_goal)\b")


def without_steps(pairs: Iterable[Pair]) -> list[ProofPair]:
    """The proofs none of whose steps are among the pairs, in order."""
    pairs = list(pairs)
    known = {pair.proof_key for pair in pairs if isinstance(pair, TacticPair)}
    return [pair for pair in pairs if isinstance(pair, ProofPair) and pair.key not in known]


def replayed(proofs: Sequence[ProofPair], pool: LeanPool) -> Iterator[list[TacticPair] | None]:
    """The steps of each proof; none of one that does not run to its end so, or whose bullets are about other goals.
    None instead where Lean was lost: that says nothing of the proof.

    A step's state is the goals that its tactic is about: the first, and those that share metavariables with it.
    """
    order = by_header([proof.row for proof in proofs])
    with ThreadPoolExecutor(pool.size) as executor:
        try:
            done = dict(zip(order, executor.map(lambda place: _steps(proofs[place], pool), order), strict=True))
        except BaseException:
            executor.shutdown(cancel_futures=True)  # Ctrl-C waits for what is in work alone
            raise
    yield from (done[place] for place in range(len(proofs)))


def _steps(proof: ProofPair, pool: LeanPool) -> list[TacticPair] | None:
    found: list[TacticPair] = []
    try:
        with pool.session(proof.row.theorem) as session:
            state: TacticState | ProofFinished | TacticError = session.start
            for step, tactic in enumerate(segments(proof.proof)):
                if not isinstance(state, TacticState) or _OF_SEVERAL_GOALS.match(tactic):
                    return []
                asked = focused(state, independent(state.goals)[0])
                found.append(
                    TacticPair(
                        proof.theorem, proof.statement, proof.header, asked.pretty, tactic, None, proof.reward,
                        proof.key, step, proof.source, proof.policy, proof.split, proof.topic,
                    )
                )  # fmt: skip
                state = session.run_tactic(state, tactic)
                if isinstance(state, TacticError) and state.kind == "lost":
                    return None
    except StatementError:
        return []
    except WorkerLost:
        return None
    return found if isinstance(state, ProofFinished) else []

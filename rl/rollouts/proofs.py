"""Whole proofs: one answer each, the proof in it judged."""

from collections.abc import Sequence

from lean_env import TacticState
from prover.benchmarks.row import Row
from prover.prompts.family import ProofFamily
from prover.sampling.sampler import Sample, Settings
from rl.rollouts.asking import ask, turn_seed
from rl.rollouts.ending import Claim, Ending, cut_off, judged, lost_model
from rl.rollouts.lean import Lean
from rl.rollouts.rollout import Rollout, Turn
from rl.rollouts.weights import PolicySampler
from search import ProofPrompt, proof_text
from search.segments import segments


def whole_proofs(
    rows: Sequence[Row],
    count: int,
    sampler: PolicySampler,
    family: ProofFamily,
    settings: Settings,
    lean: Lean,
    seed: int,
    step: int,
) -> list[list[Ending]]:
    """`count` proofs of each theorem, in order.

    An answer that a limit of tokens cut off is not judged: it is no proof, whatever its first lines are.
    """
    asked = [
        ProofPrompt(row.theorem, TacticState(()), seed=turn_seed(seed, step, row.name, number, 0))
        for row in rows
        for number in range(count)
    ]
    answers = ask(sampler, [family.prompt(each) for each in asked], [each.seed for each in asked], settings)
    outcomes = [_outcome(each, answer, family) for each, answer in zip(asked, answers, strict=True)]
    verdicts = iter(judged([outcome for outcome in outcomes if isinstance(outcome, Claim)], lean))
    endings = [next(verdicts) if isinstance(outcome, Claim) else outcome for outcome in outcomes]
    return [endings[place * count : (place + 1) * count] for place in range(len(rows))]


def _outcome(asked: ProofPrompt, answer: tuple[Turn, Sample] | str, family: ProofFamily) -> Claim | Ending:
    if isinstance(answer, str):
        return lost_model((), answer)
    turn, sample = answer
    if turn.finish == "length":
        return cut_off((), turn, sample)
    script = "\n".join(segments(family.proof(sample, asked)))
    if not script:
        return Ending(Rollout((turn,), 0, "error"))
    return Claim(asked.theorem, proof_text([script]), (turn,))

"""Every proof of a run judged again, from its text and the whole statement, and compared with what the run says."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lean_env import Candidate, Theorem, Verdict, Verifier
from prover.benchmarks.row import Benchmark
from prover.runs.attempt import Attempt
from prover.runs.run import Run

WALL_SECONDS = 120.0
Told = Callable[[int, int], None]  # texts judged, and of how many


@dataclass(frozen=True)
class Difference:
    """An attempt of which the run says something else than is found now. `number` counts from 0; None: no attempt."""

    theorem: str
    number: int | None
    why: str

    def __str__(self) -> str:
        return f"{self.theorem}{'' if self.number is None else f', attempt {self.number + 1}'}: {self.why}"


@dataclass(frozen=True)
class Check:
    """`proofs` attempts have one; `judged` texts were judged: equal proofs of one statement once. `lean` judged."""

    proofs: int
    judged: int
    lean: str
    differences: tuple[Difference, ...]


def check(run: Run, verifier: Verifier | None, hashes: Sequence[str] = (), told: Told = lambda done, of: None) -> Check:
    """Judges all proofs of the run; where it has none, `verifier` may be None.

    A difference is a verdict that is not the stored reward (one that is not reached counts as such), an attempt that
    is said to be proved and has no proof, other axioms, another Lean, and a statement that is not the one whose hash
    was written down: in `hashes` of the rows in order, of all together in the settings. `told` is called as texts are
    judged.
    """
    proofs = [a for a in run.attempts if a.proof is not None and 0 <= a.theorem < len(run.rows)]
    texts = proof_texts(run)
    verdicts: dict[tuple[int, str], Verdict] = {}
    if texts and verifier is not None:
        told(0, len(texts))
        for index, verdict in verifier.stream(_pairs(run, texts), WALL_SECONDS):
            verdicts[texts[index]] = verdict
            told(len(verdicts), len(texts))
    judged = next((verdict.lean for verdict in verdicts.values() if verdict.lean), None)
    lean = f"{judged.road} {judged.version} {judged.commit[:8]}" if judged else ""
    found = [*_other_lean(run, lean), *_restated(run, hashes), *_attempts(run, verdicts)]
    return Check(len(proofs), len(verdicts), lean, tuple(found))


def proof_texts(run: Run) -> list[tuple[int, str]]:
    """(number of the row, proof) of every proof, equal ones once."""
    there = (a for a in run.attempts if a.proof is not None and 0 <= a.theorem < len(run.rows))
    return list(dict.fromkeys(map(_text, there)))


def _text(attempt: Attempt) -> tuple[int, str]:
    return attempt.theorem, attempt.proof or ""


def _pairs(run: Run, texts: Sequence[tuple[int, str]]) -> Iterator[tuple[Theorem, Candidate]]:
    for row, proof in texts:
        yield run.rows[row].theorem, Candidate(proof)


def _other_lean(run: Run, lean: str) -> Iterator[Difference]:
    stated = str(run.settings.get("lean", ""))
    if lean and stated and lean != stated:
        yield Difference("the run", None, f"was judged by {stated}, and now by {lean}")


def _restated(run: Run, hashes: Sequence[str]) -> Iterator[Difference]:
    """Statements that are not what they were when the run began. Of a shard, the settings' hash is of more rows."""
    changed = [row.name for row, known in zip(run.rows, hashes, strict=False) if row.hash != known]
    for name in changed:
        yield Difference(name, None, "its statement is not the one whose hash was written down")
    if len(hashes) not in (0, len(run.rows)):
        yield Difference("the run", None, f"it has {len(run.rows)} statements and {len(hashes)} hashes")
    whole = run.settings.get("shard", "1/1") == "1/1"
    if whole and not changed and run.settings.get("benchmark_hash") != Benchmark("", run.rows).hash:
        yield Difference("the run", None, "its statements are not those of the benchmark that it names by its hash")


def _attempts(run: Run, verdicts: dict[tuple[int, str], Verdict]) -> Iterator[Difference]:
    for attempt in run.attempts:
        there = 0 <= attempt.theorem < len(run.rows)
        why = _why(attempt, verdicts.get(_text(attempt))) if there else "has no statement"
        if why:
            name = run.rows[attempt.theorem].name if there else f"row {attempt.theorem + 1}"
            yield Difference(name, attempt.number, why)


def _why(attempt: Attempt, verdict: Verdict | None) -> str:
    if attempt.proof is None:
        return "is said to be proved, and has no proof" if attempt.reward == 1 else ""
    if verdict is None:
        return "has a proof that was not judged"
    if verdict.reward == attempt.reward:
        same = verdict.axioms == attempt.axioms
        return "" if same else f"rested on {_listed(attempt.axioms)}, and now rests on {_listed(verdict.axioms)}"
    why = " ".join(verdict.message.split())[:200]
    return f"the run says {_said(attempt.reward)}, and now it is {_said(verdict.reward)} ({verdict.stage}: {why})"


def _listed(axioms: Sequence[str]) -> str:
    return ", ".join(axioms) or "no axioms"


def _said(reward: int | None) -> str:
    return {None: "unscored", 0: "not proved", 1: "proved"}[reward]

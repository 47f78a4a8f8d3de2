"""Pairs from runs: of every proof that the judge accepted, its steps and the whole of it."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

from prover.benchmarks.row import Row
from prover.runs.store import read_tree
from prover.sources import UserInputError
from rl.data.pairs import Pair, ProofPair, TacticPair
from rl.data.path import accepted_path
from rl.data.runs import Proof, Source, read_sources
from search.graph.proof_graph import ProofGraph
from search.graph.stored import from_json
from search.segments import segments

HELD_OUT = ("valid", "test")  # splits of which nothing is learned unless it is said
NAMED = 10  # theorems that a sentence names


@dataclass(frozen=True)
class Taken:
    """What was taken of one run. `theorems` were attempted (see `Source`), and `proved` so many of them.

    `left_out` of the proved are of other splits. `proofs` were taken, `steps` of them; of `without_steps` of the proofs
    it is not known which states their tactics were run on: no tree was kept, or the proof ran in one piece.
    """

    folder: Path
    theorems: int
    proved: int
    left_out: int
    proofs: int
    steps: int
    without_steps: int


@dataclass(frozen=True)
class Harvest:
    """Pairs, each once; of a theorem the shortest proof first, and its steps behind it. `complaints` are sentences."""

    pairs: tuple[Pair, ...]
    taken: tuple[Taken, ...]
    complaints: tuple[str, ...] = ()


def harvest(folders: Sequence[Path], splits: Collection[str] | None = None, keep: int | None = None) -> Harvest:
    """What can be learned from these runs: of each theorem the `keep` shortest different proofs, or all of them.

    Shorter is what has fewer lines, then fewer characters; theorems with one statement and header are one theorem.
    With `splits` only theorems of these are taken. Without, a theorem that is held out (`HELD_OUT`) is refused.

    Raises:
        UserInputError: a folder holds no run, a held-out theorem was proved, or no run has any of the splits.
    """
    runs = read_sources(folders)
    found = [proof for run in runs for proof in run.proofs if tactics_of(proof.text) is not None]
    if splits is None:
        _refuse_held_out(found)
    else:
        _check_splits(runs, splits)
    allowed = [proof for proof in found if splits is None or proof.row.split in splits]
    pairs: dict[str, Pair] = {}
    proofs, steps, without = ({run.folder: 0 for run in runs} for _ in range(3))
    complaints: list[str] = []
    for same in _shortest(allowed, keep):
        chosen, these = _pairs_of(same, complaints)
        folder = chosen.folder
        new = [pair for pair in these if pair.key not in pairs]
        pairs.update((pair.key, pair) for pair in new)
        proofs[folder] += 1
        steps[folder] += sum(isinstance(pair, TacticPair) for pair in new)
        without[folder] += len(these) == 1
    taken = []
    for run in runs:
        proved = {proof.row for proof in found if proof.folder == run.folder}
        left = sum(splits is not None and row.split not in splits for row in proved)
        counts = (proofs[run.folder], steps[run.folder], without[run.folder])
        taken.append(Taken(run.folder, len(run.rows), len(proved), left, *counts))
    return Harvest(tuple(pairs.values()), tuple(taken), tuple(complaints))


def pairs_of_proof(
    row: Row, proof: str, graph: ProofGraph | None = None, source: str = "", policy: str = "", whole: bool = False
) -> list[Pair]:
    """The pairs of a proof that the judge has accepted: itself, and its steps as far as `graph` has them.

    `proof` is the text after `:=`. `whole`: the policy wrote whole proofs, of which it told no log-probabilities by
    tactic, and where several of its tactics ran in one piece, that piece is no step. Steps that only give goals other
    names, between two states that the search took for one, are not the policy's and no pairs. Empty for a term.
    """
    tactics = tactics_of(proof)
    if tactics is None:
        return []
    known: dict[str, Any] = {"source": source, "policy": policy, "split": row.split, "topic": row.topic}
    theorem = (row.name, row.statement, row.header)
    itself = ProofPair(*theorem, tactics, **known)
    path = accepted_path(graph, proof) if graph is not None else None
    steps = [
        TacticPair(
            *theorem,
            edge.node.state.pretty,
            edge.tactic,
            None if whole or edge.log_probability == float("-inf") else edge.log_probability,
            proof_key=itself.key,
            step=step,
            **known,
        )
        for step, edge in enumerate(path or ())
        if not (whole and len(segments(edge.tactic)) > 1)
    ]
    return [itself, *steps]


def tactics_of(proof: str) -> str | None:
    """The tactics of a proof (the text after `:=`), the first at column 0; None if it is a term, or empty."""
    match = re.match(r"by(?=\s)", proof)
    return (dedent(f"  {proof[2:]}").strip("\n").rstrip() or None) if match else None


def _shortest(found: Sequence[Proof], keep: int | None) -> list[list[Proof]]:
    """Theorem by theorem the different proofs that are kept, each with all attempts that came to it."""
    theorems: dict[str, dict[str, list[Proof]]] = {}
    for proof in found:
        theorems.setdefault(proof.row.hash, {}).setdefault(tactics_of(proof.text) or "", []).append(proof)
    return [proofs[text] for proofs in theorems.values() for text in sorted(proofs, key=_size)[:keep]]


def _size(tactics: str) -> tuple[int, int, str]:
    return sum(line.strip() != "" for line in tactics.split("\n")), len(tactics), tactics


def _pairs_of(same: Sequence[Proof], complaints: list[str]) -> tuple[Proof, list[Pair]]:
    """The pairs of one proof, from the first of the attempts that came to it that knows its steps."""
    first: list[Pair] = []
    for each in same:
        graph = _graph(each, complaints)
        pairs = pairs_of_proof(each.row, each.text, graph, str(each.folder), each.policy, each.whole)
        if len(pairs) > 1:
            return each, pairs
        first = first or pairs
    return same[0], first


def _graph(proof: Proof, complaints: list[str]) -> ProofGraph | None:
    if proof.attempt is None:
        return None
    text = read_tree(proof.folder, *proof.attempt)
    try:
        return from_json(text) if text else None
    except ValueError as error:
        complaints.append(f"{proof.folder}, {proof.row.name}, attempt {proof.attempt[1]}: {error}")
        return None


def _refuse_held_out(found: Sequence[Proof]) -> None:
    held_out = {proof.row.name: proof.row.split for proof in found if proof.row.split in HELD_OUT}
    if held_out:
        names, splits = list(held_out), " and ".join(sorted(set(held_out.values())))
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        count = "1 theorem that was proved is" if len(names) == 1 else f"{len(names)} theorems that were proved are"
        raise UserInputError(
            f"{count} held out, of the split {splits}: {', '.join(names[:NAMED])}{more}. Name the splits to learn from "
            "with --split; what is of others is left out."
        )


def _check_splits(runs: Sequence[Source], splits: Collection[str]) -> None:
    there = {row.split for run in runs for row in run.rows}
    if missing := [split for split in splits if split not in there]:
        known = ", ".join(sorted(split for split in there if split)) or "no split at all"
        raise UserInputError(f"No theorem of these runs is of the split `{missing[0]}`; they are of {known}.")

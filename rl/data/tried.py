"""Pairs of tactics that a search has tried and Lean has run, wherever they led: what tactics look like, for a start."""

from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path
from random import Random

from prover.runs.store import read_run, read_tree
from prover.sources import UserInputError
from rl.data.harvest import HELD_OUT
from rl.data.pairs import TacticPair
from rl.data.runs import searches, wrote_whole_proofs
from search.graph.proof_graph import Edge, Node
from search.graph.stored import from_json
from search.segments import segments


def tried(
    folders: Sequence[Path], each: int, splits: Collection[str] | None = None, seed: int = 0
) -> Iterator[TacticPair]:
    """Of every state in the searches' trees `each` tactics that ran without an error, of theorems of these splits,
    or of all that are not held out.

    Those that closed the goal come first, and others are drawn. The judge has seen none of this: `reward` is None. A
    model that has learned such pairs writes tactics that Lean can run; which of them prove something, `harvest` says.
    As there, several tactics that ran in one piece, where the policy wrote whole proofs, are no tactic.

    Raises:
        UserInputError: a folder holds no searches, or they cannot be read.
    """
    for folder in dict.fromkeys(chain.from_iterable(map(searches, folders))):
        run = read_run(folder)
        whole = wrote_whole_proofs(run)
        for attempt in run.attempts:
            row = run.rows[attempt.theorem]
            wanted = row.split not in HELD_OUT if splits is None else row.split in splits
            text = read_tree(folder, attempt.theorem, attempt.number) if wanted else None
            if not text:
                continue
            try:
                graph = from_json(text)
            except ValueError as error:
                raise UserInputError(f"{folder}, {row.name}, attempt {attempt.number}: {error}") from error
            random = Random(f"{seed} {row.hash}")
            for node in graph.nodes:
                for edge in _chosen(node, each, random, whole):
                    yield TacticPair(
                        row.name, row.statement, row.header, node.state.pretty, edge.tactic, reward=None,
                        source=str(folder), policy=run.settings["policy"], split=row.split, topic=row.topic,
                    )  # fmt: skip


def _chosen(node: Node, each: int, random: Random, whole: bool) -> list[Edge]:
    ran = [edge for edge in node.edges if edge.status == "done" and not (whole and len(segments(edge.tactic)) > 1)]
    random.shuffle(ran)
    return sorted(ran, key=lambda edge: not edge.settles)[:each]

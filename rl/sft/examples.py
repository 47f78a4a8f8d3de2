"""From pairs to what the learner is given: prompts and answers as token ids, and the theorems that are kept out."""

import hashlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lean_env.goal import Goal, TacticState
from prover.benchmarks.row import Row
from prover.model.formats import Example, proof_example, tactic_example
from prover.prompts.code import begun
from prover.prompts.own import proof_prompt
from prover.prompts.registry import family_named
from prover.sources import UserInputError
from rl.data.pairs import Pair, ProofPair, TacticPair
from rl.objective.rows import TokenRow
from rl.sft.config import Learn
from rl.sft.held_out import held_out, theorem_key
from search.policy import ProofPrompt

OWN = "own"  # both formats of `prover.prompts.own`
BFS, DEEPSEEK = "bfs-prover", "deepseek-prover-v1.5"
# Those whose prompt is a text, and whose answer nothing but the proof: what others think first is not in the pairs.
TRAINABLE = (OWN, BFS, DEEPSEEK)

Encode = Callable[[str], Sequence[int]]


@dataclass(frozen=True)
class Encoding:
    """A model's tokenizer. `prompt` puts before a text what the model wants there, `answer` does not; `end` is the
    token that ends an answer. `context` is in tokens, None where there is no limit."""

    prompt: Encode
    answer: Encode
    end: int
    context: int | None


@dataclass(frozen=True)
class Examples:
    """`rows` are trained on, each in the share `shares` of the epochs, and `held_out` are not, of other theorems.

    `theorems` and `held_out_theorems` count the theorems of either. Pairs were left out: `too_long` for the model's
    context (statements too), `unwanted` because only the other kind is to be learned, `unasked` because the prompt
    family asks nothing of the kind, `unproved` because the judge has not accepted them.
    """

    rows: tuple[TokenRow, ...]
    shares: tuple[float, ...]
    held_out: tuple[TokenRow, ...]
    theorems: int
    held_out_theorems: int
    too_long: int = 0
    unwanted: int = 0
    unasked: int = 0
    unproved: int = 0

    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of everything in it: a training is gone on with on what it was begun with."""
        digest = hashlib.sha256(repr((len(self.rows), len(self.held_out), self.shares)).encode())
        for row in (*self.rows, *self.held_out):
            for ids in (row.prompt_ids, row.answer_ids):
                digest.update(len(ids).to_bytes(8, "little") + array("q", ids).tobytes())
        return digest.hexdigest()


def examples(
    pairs: Iterable[Pair],
    statements: Iterable[Row],
    family: str,
    learn: Learn,
    encoding: Encoding,
    share: float,
    seed: int,
    statement_weight: float = 0.0,
    tried: bool = False,
) -> Examples:
    """What is learned of these pairs, and of the `statements` of theorems with `statement_weight`, in their order.

    Theorems are kept out, about `share` of those with pairs, and none of theirs is in what is trained on. A step that
    several proofs of a theorem have in common counts once. With `tried` pairs without a verdict are learned, too.

    Raises:
        UserInputError: no pair is left.
    """
    wanted = {"both": ("tactic", "proof"), "tactics": ("tactic",), "proofs": ("proof",)}[learn]
    keys: dict[str, str] = {}  # by statement: a theorem has many pairs, and its key takes a while
    found: dict[tuple[str, TokenRow], None] = {}
    too_long = unwanted = unasked = unproved = 0
    for pair in pairs:
        if pair.reward != 1 and not (tried and pair.reward is None):
            unproved += 1
        elif pair.kind not in wanted:
            unwanted += 1
        elif (row := _row(pair, family, encoding)) is None:
            unasked += 1
        elif encoding.context is not None and row.tokens > encoding.context:
            too_long += 1
        else:
            if pair.statement not in keys:
                keys[pair.statement] = theorem_key(pair.statement)
            found[keys[pair.statement], row] = None
    if not found:
        raise UserInputError(
            f"There is nothing to learn: {unwanted} pairs are not of the kind that --learn names, {unasked} are of "
            f"none that the prompts of {family} ask for, {unproved} are not accepted proofs, and {too_long} are longer "
            "than the model's context."
            + (" Pairs of `harvest --tried` are learned with --learn-tried." if unproved and not tried else "")
        )
    out = held_out((key for key, _ in found), share, seed)
    rows = [row for key, row in found if key not in out]
    shares = [1.0] * len(rows)
    if statement_weight and family == OWN:
        for theorem in statements:
            row = statement_row(theorem.statement, encoding)
            if encoding.context is not None and row.tokens > encoding.context:
                too_long += 1
            elif theorem_key(theorem.statement) not in out:
                rows.append(row)
                shares.append(statement_weight)
    kept_out = tuple(row for key, row in found if key in out)
    theorems = len({key for key, _ in found}) - len(out)
    return Examples(tuple(rows), tuple(shares), kept_out, theorems, len(out), too_long, unwanted, unasked, unproved)


def statement_row(statement: str, encoding: Encoding) -> TokenRow:
    """The prompt for a whole proof of the statement, all of it learned but for the marker that it begins with."""
    ids = tuple(encoding.answer(proof_prompt(statement)))
    return TokenRow(ids[:1], ids[1:])


def _row(pair: Pair, family: str, encoding: Encoding) -> TokenRow | None:
    """The pair as the family asks and answers it; None where it does not ask for such."""
    if family == OWN:
        if isinstance(pair, TacticPair):
            return _of_example(tactic_example(pair.state, pair.tactic, encoding.answer))
        return _of_example(proof_example(pair.statement, pair.proof, encoding.answer))
    theorem = pair.row.theorem
    if isinstance(pair, TacticPair) and family == BFS:
        state = TacticState((Goal("", pretty=pair.state),))
        prompt = family_named(BFS).prompt(state, theorem)  # type: ignore[call-arg, arg-type]
        answer = pair.tactic
    elif isinstance(pair, ProofPair) and family == DEEPSEEK:
        prompt = family_named(DEEPSEEK).prompt(ProofPrompt(theorem, TacticState(())))  # type: ignore[call-arg, arg-type]
        answer = f"{begun(pair.proof)}```"
    else:
        return None
    return TokenRow(tuple(encoding.prompt(prompt.text)), (*encoding.answer(answer), encoding.end))


def _of_example(example: Example) -> TokenRow:
    given = example.learned.count(False)  # the prompt comes first, and the answer is all that follows
    return TokenRow(example.token_ids[:given], example.token_ids[given:])

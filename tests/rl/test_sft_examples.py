"""What is learned of pairs: prompts and answers to the token, and theorems kept out whole."""

from dataclasses import replace

import pytest

from prover.benchmarks.row import Row
from prover.prompts.own import END, proof_prompt, tactic_prompt
from prover.sources import UserInputError
from rl.data.pairs import ProofPair, TacticPair
from rl.sft.examples import BFS, DEEPSEEK, OWN, Encoding, examples, statement_row
from rl.sft.held_out import theorem_key
from rl.sft.train import sentences

pytest.importorskip("tokenizers")

from prover.model.tokenizer import train

TOKENIZER = train(["theorem t (n : Nat) : n + 0 = n\nsimp\nomega", "⊢ n + 0 = n"], 300)
BOS, EOS = 1000, 1001


def ids(text):
    return TOKENIZER.encode(text).ids


PLAIN = Encoding(ids, ids, EOS, None)
FOREIGN = Encoding(lambda text: [BOS, *ids(text)], ids, EOS, None)


def step(number=0, tactic="simp", **more):
    statement = f"theorem t{number} (n : Nat) : n + {number} = {number} + n"
    return TacticPair(f"t{number}", statement, "", f"n : Nat\n⊢ n + {number} = {number} + n", tactic, **more)


def proof(number=0, text="intro h\nomega", **more):
    return ProofPair(f"t{number}", step(number).statement, "", text, **more)


def of(pairs, family=OWN, learn="both", encoding=PLAIN, share=0.0, statements=(), weight=0.0, seed=0):
    return examples(pairs, statements, family, learn, encoding, share, seed, weight)


def test_the_answer_alone_is_learned_and_ends():
    found = of([step(), proof()])
    assert [(list(row.prompt_ids), list(row.answer_ids)) for row in found.rows] == [
        (ids(tactic_prompt("n : Nat\n⊢ n + 0 = 0 + n")), ids(f"simp{END}")),
        (ids(proof_prompt("theorem t0 (n : Nat) : n + 0 = 0 + n")), ids(f"intro h\nomega{END}")),
    ]
    assert (found.theorems, found.held_out, found.shares) == (1, (), (1.0, 1.0))


def test_tactics_or_proofs_alone():
    both = of([step(), proof()]).rows
    tactics, proofs = of([step(), proof()], learn="tactics"), of([step(), proof()], learn="proofs")
    assert (tactics.rows, tactics.unwanted, tactics.unasked) == (both[:1], 1, 0)
    assert (proofs.rows, proofs.unwanted, proofs.unasked) == (both[1:], 1, 0)
    foreign = of([step(), proof()], BFS, encoding=FOREIGN)
    assert (foreign.unwanted, foreign.unasked) == (0, 1)
    told = " ".join(sentences(tactics, OWN, 0.0))
    assert "1 pairs are left out: they are not of the kind that --learn names" in told
    assert "prompts" not in told
    with pytest.raises(UserInputError, match="1 pairs are not of the kind that --learn names, 0 are of none"):
        of([step()], learn="proofs")


def test_prompts_of_others():
    (row,) = of([step(), proof()], BFS, encoding=FOREIGN).rows
    # As the family asks, with what the tokenizer puts before a text before the prompt alone.
    assert list(row.prompt_ids) == [BOS, *ids("n : Nat\n⊢ n + 0 = 0 + n:::")]
    assert list(row.answer_ids) == [*ids("simp"), EOS]
    (row,) = of([step(), replace(proof(), header="import Init")], DEEPSEEK, encoding=FOREIGN).rows
    asked = "Complete the following Lean 4 code:\n\n```lean4\nimport Init\n\n" + step().statement + " := by\n"
    assert list(row.prompt_ids) == [BOS, *ids(asked)]
    assert list(row.answer_ids) == [*ids("  intro h\n  omega\n```"), EOS]


def test_what_is_left_out_is_counted():
    long = step(1, "simp [" + "Nat.add_comm, " * 60 + "]")
    context = of([step(), proof()]).rows[1].tokens
    limited = Encoding(ids, ids, EOS, context)
    found = of([step(), proof(), long, step(2, reward=0), step(3, reward=None)], encoding=limited)
    assert (found.too_long, found.unproved, found.unasked, len(found.rows)) == (1, 2, 0, 2)
    given = [step(), proof(), step(2, reward=0), step(3, reward=None)]
    with_tried = examples(given, (), OWN, "both", PLAIN, 0.0, 0, tried=True)
    assert (with_tried.unproved, len(with_tried.rows)) == (1, 3)
    one_less = Encoding(ids, ids, EOS, context - 1)
    assert of([step(), proof()], encoding=one_less).too_long == 1
    with pytest.raises(UserInputError, match="1 are not accepted proofs, and 1 are longer"):
        of([long, step(2, reward=0)], encoding=limited)
    with pytest.raises(UserInputError, match="nothing to learn"):
        of([])


def test_a_step_that_two_proofs_of_a_theorem_share_counts_once():
    again = replace(step(), proof_key="other", log_probability=-1.0, source="elsewhere")
    other_name = replace(step(), theorem="same", statement="theorem same (m : Nat) : m + 0 = 0 + m")
    assert len(of([step(), again, other_name]).rows) == 1
    assert len(of([step(0, "simp"), step(0, "omega")]).rows) == 2


def test_a_theorem_is_kept_out_with_all_its_pairs():
    pairs = [each for number in range(40) for each in (step(number), step(number, "omega"), proof(number))]
    found = of(pairs, share=0.3)
    assert len(found.rows) + len(found.held_out) == 120
    assert found.held_out_theorems * 3 == len(found.held_out) > 0
    assert found.theorems + found.held_out_theorems == 40
    of_theorem = {row: theorem_key(pair.statement) for pair in pairs for row in of([pair]).rows}
    assert not {of_theorem[row] for row in found.rows} & {of_theorem[row] for row in found.held_out}
    # The same ones whatever else there is.
    assert set(of(pairs[:60], share=0.3).held_out) == {row for row in found.held_out if row in of(pairs[:60]).rows}


def test_statements_are_learned_but_for_their_marker_and_none_that_is_held_out():
    statements = [Row(f"s{number}", step(number).statement.replace("theorem t", "theorem s")) for number in range(40)]
    pairs = [step(number) for number in range(20)]
    found = of(pairs, share=0.3, statements=statements, weight=0.25)
    assert found.held_out_theorems > 0
    assert len(found.rows) == found.theorems + 40 - found.held_out_theorems
    assert found.shares == (1.0,) * found.theorems + (0.25,) * (40 - found.held_out_theorems)
    (last,) = found.rows[-1:]
    text = proof_prompt(statements[-1].statement)
    assert list(last.prompt_ids + last.answer_ids) == ids(text)
    assert len(last.prompt_ids) == 1
    assert statement_row(statements[-1].statement, PLAIN) == last
    assert of(pairs, share=0.3, statements=statements).rows == found.rows[: found.theorems]


def test_a_fingerprint_hangs_on_every_token():
    one, other = of([step(), proof()]), of([step(), proof(text="intro g\nomega")])
    assert one.fingerprint() == of([step(), proof()]).fingerprint()
    assert len({one.fingerprint(), other.fingerprint(), of([proof(), step()]).fingerprint()}) == 3

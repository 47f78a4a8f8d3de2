"""Two rounds of expert iteration with real Lean and a model of a hundred thousand parameters: `rl.expert_iteration`.

Budgets are in calls, so that what comes out does not depend on the clock.
"""

import json
import threading
from dataclasses import replace

import pytest
from transformers import AutoModelForCausalLM

from prover.runs.store import read_run
from prover.statistics.intervals import share
from rl.data.pairs import ProofPair, TacticPair
from rl.data.parquet import read_pairs
from rl.expert_iteration.config import ExpertIterationConfig, Searching
from rl.expert_iteration.loop import expert_iteration
from rl.expert_iteration.planning import open_iteration
from rl.sft.config import NewModel, Training

TRAIN = {
    "swap": "(p q : Prop) : p ∧ q → q ∧ p",
    "add_two": "(n : Nat) : n + 2 = 2 + n",
    "wrong": ": 2 + 2 = 5",
    "or_self'": "(p : Prop) : p ∨ p ↔ p",
    "nil_ne": "(a : Nat) (l : List Nat) : a :: l ≠ []",
    "misspelt": "(n : Nat) : Nat.sucd n = n + 1",
    "hard": "(n : Nat) (h : 2 < n) : ∃ p, n < p ∧ p < 2 * n ∧ ∀ d, d ∣ p → d = 1 ∨ d = p",
}
VALID = {
    "and_left": "(p q : Prop) (h : p ∧ q) : p",
    "add_three": "(n : Nat) : n + 3 = 3 + n",
    "under_six": "(n : Nat) : n < 6",
}
PROVED = {"swap", "add_two", "or_self'", "nil_ne"}


def source(path, theorems):
    path.write_text(
        "".join(
            json.dumps({"name": name, "formal_statement": f"theorem {name} {rest} := by sorry"}) + "\n"
            for name, rest in theorems.items()
        )
    )
    return str(path)


def settings(folder, **given):
    return ExpertIterationConfig(
        theorems=(source(folder / "train.jsonl", TRAIN),),
        valid=source(folder / "valid.jsonl", VALID),
        out=folder / "run",
        rounds=1,
        negations=True,
        proved_share=0.5,
        against=(),
        device="cpu",
        searching=Searching(budget_seconds=300.0, budget_calls=20, samples=2, max_tokens=24),
        training=Training(learning_rate=5e-3, batch_tokens=600, every=10, steps=20, held_out=0.2),
        model=NewModel(
            vocabulary=400, hidden=64, layers=2, heads=2, key_value_heads=1, intermediate=128, context=1024
        ),
        **given,
    )  # fmt: skip


def perform(config, pool, **given):
    with open_iteration(config) as (run, theorems):
        return expert_iteration(run, theorems, pool, **given)


def metrics(folder):
    """The rows of metrics.jsonl by step, without what the clock says."""
    rows = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return {
        row["step"]: {key: value for key, value in row.items() if not key.endswith("seconds") and key != "time"}
        for row in rows
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, pool):
    folder = tmp_path_factory.mktemp("expert")
    config = settings(folder)
    return config, perform(config, pool)


def test_a_round(undisturbed):
    config, done = undisturbed
    folder = config.out / "rounds" / "00"
    search = read_run(folder / "search")
    assert [row.name for row in search.rows] == list(TRAIN)
    assert {search.rows[attempt.theorem].name for attempt in search.attempts if attempt.reward == 1} == PROVED
    assert list(search.problems) == [5]
    # What Lean has accepted of those theorems, and of the negation that it could prove.
    pairs = list(read_pairs(folder / "pairs.parquet"))
    assert {pair.theorem for pair in pairs} == {*PROVED, "wrong_negation"}
    proofs = {pair.key for pair in pairs if isinstance(pair, ProofPair)}
    steps = [pair for pair in pairs if isinstance(pair, TacticPair)]
    assert len(proofs) == 5 <= len(steps)
    assert all(pair.reward == 1 and pair.proof_key in proofs and "⊢" in pair.state for pair in steps)
    # Tied embeddings of at most 400 tokens; two layers of 4096 * 2 + 64 * 64 + 3 * 64 * 128 + 128, and a norm.
    model = AutoModelForCausalLM.from_pretrained(done.model)
    assert 2 * 36_992 + 64 < model.num_parameters() <= 2 * 36_992 + 64 + 400 * 64
    assert (done.rounds, done.best, done.proved, done.refuted) == (1, 0, 4, 1)


def test_what_is_refuted_is_listed_with_its_proof(undisturbed):
    config, _ = undisturbed
    (row,) = map(json.loads, (config.out / "refuted.jsonl").read_text().splitlines())
    proof = row.pop("proof")
    assert row == {
        "theorem": "wrong", "statement": "theorem wrong : 2 + 2 = 5", "round": 0,
        "negation": "theorem wrong_negation : ¬ (2 + 2 = 5)",
    }  # fmt: skip
    assert proof.startswith("by")
    negated = read_run(config.out / "rounds" / "00" / "negations")
    assert [row.label for row in negated.rows] == [
        "wrong",
        "hard",
    ]  # neither what is proved nor what is no theorem


def test_its_figures(undisturbed):
    config, done = undisturbed
    found = metrics(config.out)
    assert list(found) == [0, 1]
    baseline = read_run(config.out / "baseline")
    assert [row.name for row in baseline.rows] == list(VALID)
    # The portfolio proves the two that hold.
    two = share(2, 3)
    assert two is not None
    assert found[0] == {
        "step": 0, "valid/proved": 2, "valid/theorems": 3, "valid/unscored": 0,
        "valid/share": two.value, "valid/low": two.low, "valid/high": two.high,
    }  # fmt: skip
    told = {key: value for key, value in found[1].items() if key.startswith("train/")}
    assert told == {
        "train/attempted": 6, "train/proved": 4, "train/share": pytest.approx(4 / 7), "train/unscored_attempts": 0,
        "train/new": 4, "train/proved_in_all": 4, "train/share_in_all": pytest.approx(4 / 7), "train/refuted": 1,
        "train/broken": 1, "train/negations_attempted": 2,
    }  # fmt: skip
    assert found[1]["data/theorems"] == 5
    assert found[1]["sft/steps"] <= 20
    assert done.valid is not None
    assert (done.first.proved, done.valid.theorems) == (2, 3)
    assert done.valid.share.value == found[1]["valid/share"] >= two.value
    samples = [json.loads(line) for line in (config.out / "samples.jsonl").read_text().splitlines()]
    assert {row["theorem"] for row in samples} == PROVED


def test_a_round_more(undisturbed, pool):
    config, _ = undisturbed
    first = config.out / "rounds" / "00" / "search" / "run.sqlite"
    before, at = first.read_bytes(), metrics(config.out)
    done = perform(replace(config, rounds=2), pool)
    assert done.rounds == 2
    assert first.read_bytes() == before
    search = read_run(config.out / "rounds" / "01" / "search")
    names = {row.name for row in search.rows}
    # The one that is neither proved, refuted nor broken, and half of the four that are proved.
    assert "hard" in names
    assert len(names & PROVED) == 2
    assert len(names) == 3
    model = "hf:rounds/00/sft/model (own-tactic, temperature 1, at most 24 tokens, 2 samples)"
    assert search.settings["policy"] == f"{model}+portfolio"
    found = metrics(config.out)
    assert {step: found[step] for step in at} == at
    assert (found[2]["train/new"], found[2]["train/refuted"], found[2]["train/attempted"]) == (0, 0, 3)
    later = {pair.theorem for pair in read_pairs(config.out / "rounds" / "01" / "pairs.parquet")}
    assert later == {*PROVED, "wrong_negation"}
    # Nothing is left to do, and nothing is done.
    assert perform(replace(config, rounds=2), pool) == done


@pytest.mark.parametrize("where", ["round 0: 7 theorems", "the negations of", "step 10 of", "evaluation on"])
def test_stopped_anywhere_it_goes_on_and_comes_to_the_same(undisturbed, tmp_path, pool, where):
    config, done = undisturbed
    stop = threading.Event()

    def say(text):
        if where in text:
            stop.set()

    stopped = settings(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        perform(stopped, pool, stop=stop, say=say)
    assert len(metrics(stopped.out)) <= 1
    again = perform(stopped, pool)
    weights = [each.out / "rounds" / "00" / "sft" / "model" / "model.safetensors" for each in (config, stopped)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert metrics(stopped.out) == {step: row for step, row in metrics(config.out).items() if step < 2}
    assert again.valid is not None
    assert again.valid.share.value == metrics(config.out)[1]["valid/share"]
    assert (again.proved, again.refuted) == (done.proved, done.refuted)


def test_online_rejection_sampling(undisturbed, tmp_path, pool):
    """One round in which whole proofs are sampled, with a model that is there already, and that is trained on."""
    _, done = undisturbed
    config = replace(
        settings(tmp_path, first_policy="portfolio", learn="proofs"),
        first_policy="0.2*model+0.8*portfolio",
        base=str(done.model),
        model=NewModel(),
        negations=False,
        searching=Searching("sample", budget_seconds=300.0, budget_samples=12, max_tokens=24),
        training=Training(batch_tokens=600, every=2, steps=2, held_out=0.3),
    )
    again = perform(config, pool)
    search = read_run(config.out / "rounds" / "00" / "search")
    model = f"hf:{done.model} (own-proof, temperature 1, at most 24 tokens)"
    assert search.settings["policy"] == f"0.2*{model}+0.8*portfolio"
    proved = {search.rows[attempt.theorem].name for attempt in search.attempts if attempt.reward == 1}
    assert len(proved) >= 2
    proofs = [pair for pair in read_pairs(config.out / "rounds" / "00" / "pairs.parquet") if pair.kind == "proof"]
    assert {pair.theorem for pair in proofs} == proved
    # It is that model which learns: no new one was made for these theorems.
    before, after = (AutoModelForCausalLM.from_pretrained(each).state_dict() for each in (done.model, again.model))
    assert {name: each.shape for name, each in before.items()} == {name: each.shape for name, each in after.items()}
    assert not (config.out / "base").exists()
    assert metrics(config.out)[1]["sft/steps"] == 2

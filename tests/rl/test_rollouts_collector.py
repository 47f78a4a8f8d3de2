"""Groups of a real model on real Lean: mixed rewards, and the same ones again whatever Lean's workers do."""

from contextlib import closing

import pytest

from lean_env import LeanPool
from prover.benchmarks.row import Row
from prover.model.config import ModelConfig
from prover.prompts.own import END, OwnProof, OwnTactic, proof_prompt, tactic_prompt
from prover.sampling.sampler import Settings
from rl.rollouts.ahead import Ahead
from rl.rollouts.collector import Collector
from rl.rollouts.options import RolloutOptions
from rl.rollouts.rollout import unscored

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

SWAP = Row("swap", "theorem swap (p q : Prop) (h : p ∧ q) : q ∧ p")
KEEP = Row("keep", "theorem keep (p q : Prop) : p → q → p")
NEVER = Row("never", "theorem never (p : Prop) : p")
ROWS = [SWAP, KEEP, NEVER]
TERM = "exact ⟨h.2, h.1⟩"
SIZES = ModelConfig(vocabulary=600, hidden=64, layers=2, heads=2, key_value_heads=1, intermediate=128, context=512)
SETTINGS = Settings(max_tokens=24)
OPTIONS = RolloutOptions(group_size=8, turns=4)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, pool):
    """A model that says what helps and what does not, each about half of the time; and its tokenizer."""
    from prover.model.create import create

    with pool.session(SWAP.theorem) as session:
        swap = session.start.pretty
    with pool.session(KEEP.theorem) as session:
        keep, after = session.start, session.run_tactic(session.start, "intro hp hq")
    with pool.session(NEVER.theorem) as session:
        never = session.start.pretty
    pairs = [
        (tactic_prompt(swap), TERM),
        (tactic_prompt(swap), "exact h"),
        (tactic_prompt(keep.pretty), "intro hp hq"),
        (tactic_prompt(after.pretty), "exact hp"),
        (tactic_prompt(after.pretty), "exact hq"),
        (tactic_prompt(never), "assumption"),
        (proof_prompt(SWAP.statement), TERM),
        (proof_prompt(SWAP.statement), "exact h"),
        (proof_prompt(KEEP.statement), "intro hp hq\nexact hp"),
        (proof_prompt(KEEP.statement), "intro hp hq\nexact hq"),
        (proof_prompt(NEVER.statement), "assumption"),
    ]
    place = tmp_path_factory.mktemp("model")
    create(place, [prompt + answer for prompt, answer in pairs], SIZES)
    tokenizer = transformers.AutoTokenizer.from_pretrained(place)
    model = transformers.AutoModelForCausalLM.from_pretrained(place)
    given = [tokenizer(prompt)["input_ids"] for prompt, _ in pairs]
    wanted = [tokenizer(answer + END)["input_ids"] for _, answer in pairs]
    longest = max(len(a) + len(b) for a, b in zip(given, wanted, strict=True))
    ids = torch.full((len(pairs), longest), tokenizer.pad_token_id)
    labels = torch.full((len(pairs), longest), -100)
    for row, (prompt, answer) in enumerate(zip(given, wanted, strict=True)):
        ids[row, : len(prompt) + len(answer)] = torch.tensor([*prompt, *answer])
        labels[row, len(prompt) : len(prompt) + len(answer)] = torch.tensor(answer)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    model.train()
    for _ in range(120):
        loss = model(input_ids=ids, attention_mask=(ids != tokenizer.pad_token_id).long(), labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if loss.item() < 0.14:  # 0.10 is the least: which of two answers it is to be cannot be known
            break
    return model.eval(), tokenizer


@pytest.fixture
def policy(trained):
    from rl.rollouts.weights import TransformersPolicy

    return TransformersPolicy(*trained, copied=False)


@pytest.fixture(scope="module")
def single():
    """One worker, where the shared pool has two: only so can their number be told to make no difference."""
    with LeanPool(workers=1, spare=False) as pool:
        yield pool


def collect(pool, policy, family=None, seed=0, step=0, rows=ROWS, options=OPTIONS):
    with Collector(pool, policy, family or OwnTactic(), SETTINGS, options, seed) as collector:
        return collector.collect(rows, step)


@pytest.mark.parametrize("family", [OwnTactic(), OwnProof()], ids=["episodes", "proofs"])
def test_groups_of_mixed_reward_and_the_same_again_on_other_workers(pool, single, policy, family):
    groups = collect(pool, policy, family)
    assert [group.row for group in groups] == ROWS
    swap, keep, never = groups
    assert set(swap.rewards) == set(keep.rewards) == {0, 1}
    assert set(never.rewards) == {0}
    assert unscored(groups) == {}
    turns = {len(each.turns) for each in keep.rollouts if each.reward == 1}
    assert turns == ({2} if family.name == "own-tactic" else {1})
    for rollout in (*swap.rollouts, *keep.rollouts):
        assert rollout.reward == (rollout.proof in (f"by\n  {TERM}", "by\n  intro hp hq\n  exact hp"))
        for turn in rollout.turns:
            assert len(turn.token_ids) == len(turn.log_probabilities) > 0
            assert max(turn.log_probabilities) <= 0
    assert collect(pool, policy, family) == groups
    assert collect(single, policy, family) == groups
    # Another seed, or another step, draws other rollouts.
    assert collect(pool, policy, family, seed=1) != groups
    assert collect(pool, policy, family, step=1) != groups


def test_a_group_hangs_on_neither_the_others_nor_their_order(pool, policy):
    """But for the last bits of what the model says in a batch of another size, which change no token here."""
    texts = [[[turn.text for turn in each.turns] for each in group.rollouts] for group in collect(pool, policy)]
    turned = collect(pool, policy, rows=ROWS[::-1])
    assert [[[turn.text for turn in each.turns] for each in group.rollouts] for group in turned[::-1]] == texts


def test_the_next_batch_in_a_thread_is_the_same_batch(pool, policy):
    with Collector(pool, policy, OwnTactic(), SETTINGS, OPTIONS) as collector:
        expected = [collector.collect(ROWS[:2], step) for step in range(3)]
        with closing(Ahead(lambda step: ROWS[:2], collector.collect, 1, 3, collector.stop)) as ahead:
            assert [ahead.take(step) for step in range(3)] == expected


def test_a_prompt_that_does_not_fit_is_a_failure_and_the_run_goes_on(pool, policy):
    many = " ".join(f"h{i}" for i in range(200))
    long = Row("long", f"theorem long (p : Prop) ({many} : p) : p")
    groups = collect(pool, policy, rows=[long, SWAP])
    assert groups[0].rewards == (0,) * 8
    assert {(each.ended, each.turns) for each in groups[0].rollouts} == {("length", ())}
    assert set(groups[1].rewards) == {0, 1}
    assert unscored(groups) == {}
    (reason,) = {each.reason for each in groups[0].rollouts}
    assert reason.startswith("the prompt has ")
    assert reason.endswith("tokens, the model's context 512")

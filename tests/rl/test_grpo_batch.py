"""From groups to rows and figures, with numbers worked out by hand."""

import json
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.benchmarks.row import Row
from prover.sources import UserInputError
from rl.command_line import options_of
from rl.grpo.batch import Batch, batch_from_json, batch_to_json, parts, rows
from rl.grpo.config import Choosing, Course, GRPOConfig
from rl.grpo.metrics import of_batch, of_groups, of_updates, shown
from rl.learner.config import LearnerConfig
from rl.objective.policy_loss import PolicyObjective
from rl.objective.rows import TokenRow
from rl.objective.weights import token_weights
from rl.rollouts.options import RolloutOptions
from rl.rollouts.rollout import Group, Rollout, Turn
from rl.runs.settings import flat
from rl.shaping import Shaping


def turn(*ids, finish="stop", prompt=(7, 8)):
    return Turn(prompt, ids, tuple(-0.1 * number for number in ids), finish, " ".join(map(str, ids)))


PROVED = Rollout((turn(1), turn(2, 3)), 1, "proved", "by simp", lean_seconds=0.25)
REFUSED = Rollout((turn(4),), 0, "refused", "by x")
CUT = Rollout((turn(5, 6, finish="length"),), 0, "length")
LOST = Rollout((turn(9),), None, "lost", reason="gone")
MIXED = Group(Row("mixed", "theorem mixed : True"), (PROVED, REFUSED, CUT, LOST), 4)
FAILED = Group(Row("failed", "theorem failed : False"), (REFUSED, CUT), 4)


def test_each_answer_of_a_scored_rollout_is_a_row_with_its_rollouts_advantage():
    found = rows([MIXED], Shaping(), normalise_std=False)
    # Rewards 1, 0, 0 of three scored: their mean is 1/3.
    assert [(row.answer_ids, row.sequence, round(row.advantage, 6), row.truncated) for row in found] == [
        ((1,), 0, 0.666667, False),
        ((2, 3), 0, 0.666667, False),
        ((4,), 1, -0.333333, False),
        ((5, 6), 2, -0.333333, True),
    ]
    assert found[1].sampler_log_probs == turn(2, 3).log_probabilities
    assert found[1].prompt_ids == (7, 8)
    # Their standard deviation, over n - 1: sqrt((4 + 1 + 1) / 9 / 2) = sqrt(1/3).
    assert rows([MIXED], Shaping(), normalise_std=True)[0].advantage == pytest.approx(2 / 3 * 3**0.5)


def test_sequences_of_different_groups_are_different():
    found = rows([MIXED, MIXED], Shaping(), normalise_std=False)
    assert [row.sequence for row in found] == [0, 0, 1, 2, 3, 3, 4, 5]


def test_all_of_an_episode_that_a_prompt_too_long_has_ended_is_truncated():
    # Its last turn could not begin: it has no tokens, and no row.
    cut = Rollout((turn(5), turn(6, 7)), 0, "length", reason="the prompt has 9 tokens, the model's context 8")
    found = rows([Group(MIXED.row, (PROVED, cut), 0)], Shaping(), normalise_std=False)
    assert [(row.answer_ids, row.truncated) for row in found] == [
        ((1,), False), ((2, 3), False), ((5,), True), ((6, 7), True),
    ]  # fmt: skip
    weights = token_weights(found, "token_mean", mask_truncated=True)
    assert weights == [(1 / 3,), (1 / 3, 1 / 3), (0,), (0, 0)]


def test_an_answer_without_a_token_has_no_row():
    empty = Rollout((turn(),), 0, "length")
    found = rows([Group(MIXED.row, (PROVED, empty), 0)], Shaping(), normalise_std=False)
    assert [row.sequence for row in found] == [0, 0]
    assert found[0].advantage == 0.5


def test_shaping_moves_advantages_and_not_the_logged_reward():
    shaping = Shaping(length_weight=0.3, length_free=0, length_most=3)
    # Penalties 0.3, 0.1, 0.2 for 3, 1, 2 tokens: rewards 0.7, -0.1, -0.2, whose mean is 0.4 / 3.
    found = rows([MIXED], shaping, normalise_std=False)
    assert [row.advantage for row in found][1:] == pytest.approx([0.7 - 0.4 / 3, -0.1 - 0.4 / 3, -0.2 - 0.4 / 3])
    told = of_batch(Batch((MIXED,), (), 0, 1.0), 4, shaping)
    assert told["reward"] == pytest.approx(1 / 3)
    assert told["shaping_length"] == pytest.approx(-0.2)
    assert told["learner_reward"] == pytest.approx(0.4 / 3)


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 5), st.integers())
def test_parts_are_of_whole_rollouts_even_and_all_there(sequences, count, seed):
    batch = [TokenRow((1,), (number,), sequence=sequence) for number, sequence in enumerate(sequences)]
    found = parts(batch, count, seed)
    assert sorted(row.answer_ids for part in found for row in part) == sorted(row.answer_ids for row in batch)
    held = [{row.sequence for row in part} for part in found]
    assert all(count == 1 for count in Counter(sequence for part in held for sequence in part).values())
    if found:
        assert len(found) == min(count, len(set(sequences)))
        assert max(map(len, held)) - min(map(len, held)) <= 1
    assert parts(batch, count, seed) == found


def test_figures_of_what_was_sampled():
    told = of_batch(Batch((MIXED,), (FAILED,), 1, 2.0), 5, Shaping())
    assert told["reward"] == pytest.approx(1 / 5)
    assert told["pass_rate"] == 1 / 2
    assert told["unscored"] == pytest.approx(1 / 6)
    assert told["unscored_claims"] == 0  # what was lost had claimed nothing
    assert told["length"] == pytest.approx((3 + 1 + 2 + 1 + 1 + 2) / 6)
    assert told["turns"] == pytest.approx(7 / 6)
    assert (told["ended_proved"], told["ended_length"], told["ended_lost"]) == pytest.approx((1 / 6, 1 / 3, 1 / 6))
    assert told["lean_seconds"] == 0.25
    assert (told["groups_kept"], told["groups_dropped"], told["refills"], told["replayed"]) == (1, 1, 1, 0)
    assert (told["sampled_tokens"], told["sampled_tokens_per_second"]) == (10, 5)
    assert told["lag"] == 1  # weights of 4 updates, for the step after the fifth
    assert "learner_reward" not in told


def test_what_is_given_again_is_not_counted_as_sampled():
    again = Rollout((turn(1, 2, 3),), 1, "proved", "by simp", version=0)
    told = of_batch(Batch((Group(FAILED.row, (*FAILED.rollouts, again), 4),), (), 0, 1.0), 4, Shaping())
    assert (told["reward"], told["pass_rate"], told["replayed"], told["sampled_tokens"]) == (0, 0, 1, 3)


def test_claims_without_a_verdict_are_told():
    claim = Rollout((turn(1),), None, "lost", "by simp", reason="the judge: timeout")
    told = of_groups([MIXED, Group(MIXED.row, (claim, REFUSED, claim, claim), 0)])
    assert (told["unscored"], told["unscored_claims"]) == (4 / 8, 3 / 8)


def test_rows_know_what_is_given_again():
    again = Rollout((turn(2, 3),), 1, "proved", "by simp", version=0)
    assert [row.again for row in rows([Group(FAILED.row, (REFUSED, again), 4)], Shaping(), False)] == [False, True]


def test_nothing_scored_has_no_reward():
    told = of_groups([Group(MIXED.row, (LOST,), 0)])
    assert "reward" not in told
    assert told["unscored"] == 1
    assert of_groups([])["rollouts"] == 0


def test_updates_of_a_step_together():
    told = of_updates([
        {"loss": 1.0, "ratio_max": 1.5, "tokens": 10, "seconds": 0.5},
        {"loss": 3.0, "ratio_max": 1.2, "tokens": 30, "seconds": 0.25, "kl": 0.5},
    ])  # fmt: skip
    assert told == {
        "updates": 2, "loss": 2.0, "ratio_max": 1.5, "learned_tokens": 40, "learning_seconds": 0.75, "kl": 0.5,
    }  # fmt: skip
    assert of_updates([]) == {"updates": 0}


def test_people_are_shown_the_best_of_each_group_first():
    batch = Batch((MIXED,), (FAILED,), 0, 1.0)
    found = shown(batch, 3, Shaping(), normalise_std=False)
    assert [(each["theorem"], each["reward"]) for each in found] == [("mixed", 1), ("failed", 0), ("mixed", 0)]
    assert found[0]["answers"] == ["1", "2 3"]
    assert found[0]["advantage"] == pytest.approx(2 / 3)
    assert json.dumps(shown(batch, 99, Shaping(), normalise_std=False))


def test_a_batch_goes_through_a_file_unchanged():
    batch = Batch((MIXED,), (FAILED,), 2, 0.1)
    assert batch_from_json(json.loads(json.dumps(batch_to_json(batch)))) == batch


@pytest.mark.parametrize(
    ("make", "given"),
    [
        (partial(GRPOConfig, base="m", theorems=("b",), out=Path("o")), {"rollouts": RolloutOptions(group_size=1)}),
        (RolloutOptions, {"turns": 0}),
        (Choosing, {"theorems_per_step": 0}),
        (Choosing, {"refills": -1}),
        (Choosing, {"theorems_per_header": 0}),
        (Choosing, {"replay_share": 1.5}),
        (Choosing, {"replay_share": 0.1, "theorems_per_step": 4}),
        (Course, {"steps": 0}),
        (Course, {"lag": 2}),
        (Course, {"reference_reset": 3}),
        (Course, {"lag": 1, "objective": PolicyObjective(importance_cap=None)}),
        (Course, {"choosing": Choosing(replay_share=0.5), "objective": PolicyObjective(importance_cap=None)}),
    ],
)
def test_settings_that_make_no_sense_are_refused(make, given):
    with pytest.raises(UserInputError):
        make(**given)


def test_a_schedule_has_to_have_an_end_after_its_warm_up(tmp_path):
    learner = LearnerConfig(schedule="cosine", warmup_steps=12)
    course = Course(steps=3, updates=2, minibatches=2)
    with pytest.raises(UserInputError, match="more updates than the 12 of warmup_steps; there are 12"):
        GRPOConfig("model", ("core.jsonl",), tmp_path, learner=learner, course=course)
    GRPOConfig("model", ("core.jsonl",), tmp_path, learner=learner, course=replace(course, steps=4))


def test_nothing_is_learned_of_a_split_that_is_held_out(tmp_path):
    with pytest.raises(UserInputError, match="valid"):
        GRPOConfig("model", ("core.jsonl",), tmp_path, split="valid")


def test_the_settings_are_options_each_with_a_name_of_its_own(tmp_path):
    options_of(GRPOConfig)
    names = flat(GRPOConfig("model", ("core.jsonl",), tmp_path))
    assert {"group_size", "clip_high", "kl", "importance_cap", "learning_rate", "lora_rank", "format_weight"} <= set(
        names
    )

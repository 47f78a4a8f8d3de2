"""Which theorems are drawn: numbers by hand, and what a draw hangs on."""

import copy
import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.sources import UserInputError
from rl.grpo.curriculum import Curriculum, CurriculumOptions
from tests.rl.made_groups import group, rollout, row

NAMES = ["a", "b", "c", "d", "e"]
ROWS = [row(name) for name in NAMES]


def test_pass_rates_by_hand():
    curriculum = Curriculum(ROWS, CurriculumOptions(optimism=2.0, memory=0.5))
    assert (curriculum.pass_rate("a"), curriculum.weight("a")) == (0.5, 0.25)
    unclaimed = replace(rollout(None), proof=None)
    curriculum.record([replace(group("a", []), rollouts=(rollout(1), rollout(0), rollout(0), unclaimed))])
    # (1 + 1) / (3 + 2), the unscored one left out
    assert curriculum.pass_rate("a") == pytest.approx(0.4)
    assert curriculum.weight("a") == pytest.approx(0.24)
    curriculum.record([group("a", [1, 1])])
    # Half of the older counts: proved 0.5 + 2, scored 1.5 + 2; (2.5 + 1) / (3.5 + 2)
    assert curriculum.pass_rate("a") == pytest.approx(3.5 / 5.5)
    assert curriculum.pass_rate("b") == 0.5


def test_what_is_always_or_never_proved_weighs_less_and_less_but_never_nothing():
    curriculum = Curriculum(ROWS, CurriculumOptions(optimism=1.0, memory=1.0))
    weights = []
    for _ in range(50):
        curriculum.record([group("a", [1] * 8), group("b", [0] * 8), group("c", [1, 0] * 4)])
        weights.append([curriculum.weight(name) for name in "abc"])
    # After 8: p = 8.5 / 9 and 0.5 / 9, whose p(1 - p) is 4.25 / 81.
    assert weights[0] == pytest.approx([4.25 / 81, 4.25 / 81, 0.25])
    assert [each[0] for each in weights] == sorted((each[0] for each in weights), reverse=True)
    assert 0 < weights[-1][0] < 0.003
    assert weights[-1][2] == 0.25


def test_rollouts_given_again_and_groups_of_other_theorems_are_not_counted():
    curriculum = Curriculum(ROWS)
    given_again = replace(rollout(1), version=3)
    mixed = replace(group("a", [0, 0]), rollouts=(rollout(0), rollout(0), given_again))
    curriculum.record([mixed, group("elsewhere", [1, 1]), group("b", [None, None])])
    assert curriculum.pass_rate("a") == pytest.approx(0.5 / 3)
    assert curriculum.state() == {"counts": {"a": [0.0, 2.0]}, "unscored": {"b": 1}}


def lost(name):
    """A group whose rollouts claimed nothing, and have no score."""
    return replace(group(name, []), rollouts=(replace(rollout(None), proof=None),) * 2)


def test_what_is_never_scored_weighs_less_and_less():
    curriculum = Curriculum(ROWS)
    weights = []
    for _ in range(4):
        weights.append(curriculum.weight("a"))
        curriculum.record([lost("a")])
    assert weights == pytest.approx([1 / 4, 1 / 8, 1 / 12, 1 / 16])
    assert curriculum.pass_rate("a") == 0.5  # nothing is known of it
    assert Curriculum(ROWS, CurriculumOptions(even=True)).weight("a") == 0.25
    # A score takes that back: one of two rollouts and the optimism's half of one.
    curriculum.record([group("a", [1, 0])])
    assert curriculum.weight("a") == 0.25


def test_theorems_of_a_header_are_drawn_together():
    rows = [replace(row(f"{header}{number}"), header=header) for number in range(6) for header in "xyz"]
    alone, together = (Curriculum(rows, CurriculumOptions(together=size)).draw(18, 0) for size in (1, 4))
    assert sorted(each.name for each in together) == sorted(each.name for each in rows)
    # Four of one, four of another, and so on in the order that they are drawn in.
    lead = [each.header for each in together]
    assert all(len(set(lead[start : start + 4])) == 1 for start in (0, 4))
    assert together[0] == alone[0]
    for header in "xyz":
        assert [e for e in together if e.header == header] == [e for e in alone if e.header == header]
    assert Curriculum(rows, CurriculumOptions(together=4)).draw(5, 0) == together[:5]
    with pytest.raises(UserInputError, match="draws 0 theorems together"):
        CurriculumOptions(together=0)


def test_theorems_of_much_less_weight_wait_for_their_own_turn():
    rows = [replace(row(f"{header}{number}"), header=str(header)) for header in range(40) for number in range(5)]
    middling = {each.name for each in rows if each.name.endswith(("0", "1"))}
    shares = []
    for together in (1, 4):
        curriculum = Curriculum(rows, CurriculumOptions(together=together, memory=1.0))
        curriculum.record([group(each.name, [1, 0] * 4 if each.name in middling else [0] * 40) for each in rows])
        drawn = [curriculum.draw(16, step) for step in range(40)]
        shares.append(sum(each.name in middling for batch in drawn for each in batch) / (40 * 16))
        headers = sum(len({each.header for each in batch}) for batch in drawn) / 40
    assert shares[1] == pytest.approx(shares[0], abs=0.05)
    assert headers < 11  # of 16 theorems, two of each that are worth it


def test_what_is_never_scored_does_not_fill_the_batches():
    rows = [row(str(number)) for number in range(200)]
    never = {each.name for each in rows[:6]}  # 3 %
    curriculum = Curriculum(rows)
    shares = []
    for step in range(200):
        drawn = curriculum.draw(10, step)
        shares.append(sum(each.name in never for each in drawn) / 10)
        curriculum.record([lost(each.name) if each.name in never else group(each.name, [0] * 8) for each in drawn])
    # With the whole weight it was a half of each batch.
    assert sum(shares[100:]) / 100 < 0.15


def test_a_group_with_claims_that_were_not_judged_says_nothing_of_the_pass_rate():
    curriculum = Curriculum(ROWS)
    curriculum.record([group("a", [0, 0])])
    before = curriculum.pass_rate("a")
    curriculum.record([group("a", [0, 0, None])])  # the third claims a proof
    assert curriculum.pass_rate("a") == before
    assert curriculum.state() == {"counts": {"a": [0.0, 2.0]}, "unscored": {"a": 1}}
    curriculum.record([replace(group("a", []), rollouts=(rollout(0), replace(rollout(None), proof=None)))])
    assert curriculum.state() == {"counts": {"a": [0.0, 0.9 * 2 + 1]}, "unscored": {}}


def test_a_copy_goes_on_apart():
    one = Curriculum(ROWS)
    one.record([group("a", [1, 0])])
    before, other = one.state(), copy.copy(one)
    other.record([group("a", [1, 1]), lost("b")])
    assert one.state() == before
    assert other.state() != before


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 1000), st.integers(0, 8))
def test_no_theorem_twice_and_the_same_draw_again(seed, step, count):
    drawn = Curriculum(ROWS, seed=seed).draw(count, step)
    assert len(drawn) == len({each.name for each in drawn}) == min(count, 5)
    assert set(drawn) <= set(ROWS)
    assert Curriculum(ROWS, seed=seed).draw(count, step) == drawn
    # A longer draw begins with the shorter one: refills come behind.
    assert Curriculum(ROWS, seed=seed).draw(5, step)[:count] == drawn


def test_another_seed_or_step_draws_others():
    first = [Curriculum(ROWS, seed=0).draw(5, step) for step in range(10)]
    assert len({tuple(each) for each in first}) > 5
    assert [Curriculum(ROWS, seed=1).draw(5, step) for step in range(10)] != first


def test_theorems_are_drawn_in_proportion_to_their_weights():
    curriculum = Curriculum(ROWS[:3], CurriculumOptions(optimism=1.0, memory=1.0))
    curriculum.record([group("a", [0] * 8), group("b", [1, 0] * 4)])
    # Weights 4.25 / 81, 0.25, 0.25: the first drawn is `a` in 0.0525 / 0.5525 = 9.5 % of the draws.
    firsts = Counter(curriculum.draw(1, step)[0].name for step in range(4000))
    assert firsts["a"] / 4000 == pytest.approx(0.095, abs=0.02)
    assert firsts["b"] / 4000 == pytest.approx(0.4525, abs=0.03)
    # Then, without `b`, in 0.0525 / 0.3025 = 17.4 %.
    seconds = Counter(pair[1].name for step in range(4000) if (pair := curriculum.draw(2, step))[0].name == "b")
    assert seconds["a"] / seconds.total() == pytest.approx(0.174, abs=0.04)


def test_all_alike_if_asked():
    curriculum = Curriculum(ROWS[:2], CurriculumOptions(even=True))
    curriculum.record([group("a", [0] * 100)])
    firsts = Counter(curriculum.draw(1, step)[0].name for step in range(2000))
    assert firsts["a"] / 2000 == pytest.approx(0.5, abs=0.05)


def test_the_state_goes_through_json_and_says_all():
    one = Curriculum(ROWS, seed=3)
    for step in range(20):
        one.record([group(each.name, [step % 2, each.name == "c", 0]) for each in one.draw(2, step)])
        one.record([lost("d")] * (step % 3))
    other = Curriculum(ROWS, seed=3)
    other.load(json.loads(json.dumps(one.state())))
    assert other.state() == one.state()
    assert [other.draw(3, step) for step in range(20, 60)] == [one.draw(3, step) for step in range(20, 60)]
    assert other.metrics() == one.metrics()


def test_metrics_by_hand():
    curriculum = Curriculum(ROWS, CurriculumOptions(memory=1.0))
    assert curriculum.metrics() == {"theorems_seen": 0, "theorems_middling": 0, "theorems_mean_pass_rate": 0}
    curriculum.record([group("a", [1, 0, 0, 0]), group("b", [1, 1]), group("c", [0])])
    assert curriculum.metrics() == {
        "theorems_seen": 3, "theorems_middling": 1, "theorems_mean_pass_rate": pytest.approx(1.25 / 3),
    }  # fmt: skip


def test_bad_input_is_one_sentence():
    with pytest.raises(UserInputError, match=r"^a comes twice among the training theorems\.$"):
        Curriculum([*ROWS, row("a")])
    for optimism, memory in ((0.0, 0.9), (float("nan"), 0.9), (1.0, 1.5), (1.0, -0.1)):
        with pytest.raises(UserInputError):
            CurriculumOptions(optimism, memory)

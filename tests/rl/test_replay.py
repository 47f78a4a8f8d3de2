"""Proved rollouts that are kept and given again."""

import copy
import json
from dataclasses import replace

import pytest

from prover.sources import UserInputError
from rl.grpo.replay import Replay, ReplayOptions
from tests.rl.made_groups import group, rollout


def proved(name, proof, version, log_probability=-0.5):
    return replace(group(name, [0]), rollouts=(rollout(0), rollout(1, proof, log_probability)), version=version)


def given(replay, name, version=9):
    """What a group of failures gets."""
    return replay.fill(group(name, [0, 0], version=version)).rollouts[2:]


def test_a_group_without_success_gets_a_proved_rollout_as_it_was_sampled():
    replay = Replay()
    kept = proved("a", "by\n  simp", version=3, log_probability=-1.25)
    replay.keep([kept])
    unclaimed = replace(rollout(None), proof=None)
    filled = replay.fill(replace(group("a", [0, 0, 0], version=9), rollouts=(rollout(0), unclaimed, rollout(0))))
    assert filled.rewards == (0, None, 0, 1)
    assert filled.version == 9
    again = filled.rollouts[-1]
    # The weights that sampled it, and what they said of its tokens: the importance weight is made of these.
    assert again == replace(kept.rollouts[1], version=3)
    assert again.turns[0].log_probabilities == (-1.25, 0.0)
    assert [each.version for each in filled.rollouts[:-1]] == [None] * 3


@pytest.mark.parametrize("rewards", [[0, 1], [1, 1], [None, None], [1, None], [0, None], []])
def test_a_group_with_success_or_without_failure_stays_as_it_is(rewards):
    replay = Replay()
    replay.keep([proved("a", "by\n  simp", 0)])
    whole = group("a", rewards)
    assert replay.fill(whole) is whole
    assert replay.fill(group("b", [0, 0])).rewards == (0, 0)


def test_kept_ones_take_turns():
    replay = Replay(ReplayOptions(each=2))
    replay.keep([proved("a", "one", 0), proved("a", "two", 1)])
    assert [given(replay, "a", version)[0].proof for version in range(5)] == ["one", "two", "one", "two", "one"]
    # To be asked changes nothing: a step that is made again is given the same.
    assert [given(replay, "a", 3)[0].proof for _ in range(2)] == ["two", "two"]


def test_the_newest_are_kept_and_of_one_proof_the_newest():
    replay = Replay(ReplayOptions(each=2))
    replay.keep([proved("a", "one", 0), proved("a", "two", 1)])
    replay.keep([proved("a", "three", 2)])
    assert [given(replay, "a", version)[0].proof for version in range(2)] == ["two", "three"]
    replay.keep([proved("a", "two", 7, log_probability=-3.0)])
    found = {
        each.proof: (each.version, each.turns[0].log_probabilities[0])
        for version in range(2)
        for each in given(replay, "a", version)
    }
    assert found == {"two": (7, -3.0), "three": (2, -0.5)}
    assert len(replay) == 2


def test_theorems_proved_last_are_kept():
    replay = Replay(ReplayOptions(each=1, theorems=2))
    replay.keep([proved("a", "x", 0), proved("b", "x", 0), proved("a", "y", 1), proved("c", "x", 1)])
    assert [bool(given(replay, name)) for name in "abc"] == [True, False, True]


def test_what_was_given_again_is_not_kept_again():
    replay = Replay()
    replay.keep([proved("a", "x", 2)])
    filled = replay.fill(group("a", [0, 0], version=9))
    replay.keep([filled])
    assert [each.version for each in given(replay, "a")] == [2]
    assert len(replay) == 1


def test_nothing_is_kept_if_nothing_is_to_be():
    for options in (ReplayOptions(each=0), ReplayOptions(theorems=0)):
        replay = Replay(options)
        replay.keep([proved("a", "x", 2)])
        assert (len(replay), given(replay, "a")) == (0, ())
    with pytest.raises(UserInputError):
        ReplayOptions(each=-1)


def test_the_state_goes_through_json_and_says_all():
    one = Replay(ReplayOptions(each=3, theorems=3))
    for version in range(12):
        one.keep([proved("abcd"[version % 4], f"proof {version % 5}", version)])
    other = Replay(ReplayOptions(each=3, theorems=3))
    other.load(json.loads(json.dumps(one.state())))
    assert other.state() == one.state()
    for version in range(12, 24):
        for replay in (one, other):
            replay.keep([proved("abcd"[version % 4], f"proof {version % 5}", version)])
        assert [given(one, name, version) for name in "abcd"] == [given(other, name, version) for name in "abcd"]


def test_a_copy_goes_on_apart():
    one = Replay(ReplayOptions(each=2))
    one.keep([proved("a", "x", 0)])
    before, other = one.state(), copy.copy(one)
    other.keep([proved("a", "y", 1), proved("b", "z", 1)])
    assert one.state() == before
    assert (len(one), len(other)) == (1, 3)

"""A task whose optimum is known, through the very loop that Lean's verdicts go through."""

import json

import pytest

torch = pytest.importorskip("torch")

from rl.benchmark.bandit import ARMS, MACHINES, PAYS, chance, course, expected_reward, figures, play  # noqa: E402


def test_one_arm_of_each_machine_pays_always_and_the_others_seldom():
    for machine in MACHINES:
        pays = [chance(machine, arm) for arm in ARMS]
        assert sorted(pays) == sorted(PAYS)
        assert pays.count(1.0) == 1
        assert chance(machine, "red blue") == chance(machine, "") == 0
    best = [[chance(machine, arm) for arm in ARMS].index(1.0) for machine in MACHINES]
    assert len(set(best)) == len(MACHINES)  # so the prompt has to be read


def test_the_best_arms_are_found_within_a_hundred_steps_by_three_seeds_of_three():
    (figure,) = figures()
    assert figure.value >= 0.95


def test_it_begins_with_next_to_nothing_and_rises(tmp_path):
    first = play(tmp_path / "one", course(0, 1))
    # Sixteen tokens, about evenly: an arm and the end come with a probability of about 1/256 each.
    assert expected_reward(first.learner) < 0.05
    loop = play(tmp_path / "run", course(0, 60))
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    rewards = [row["reward"] for row in rows]
    assert sum(rewards[-10:]) / 10 > sum(rewards[:10]) / 10 + 0.3
    assert rows[0]["entropy"] > 2 * rows[-1]["entropy"]
    # On policy: what the sampler says of a token is what the learner says.
    assert all(row["sampler_ratio"] == pytest.approx(1, abs=1e-3) for row in rows if "sampler_ratio" in row)
    assert all(row["lag"] == 0 for row in rows)
    # What was logged last is what the policy has come to, but for what it drew.
    assert rewards[-1] == pytest.approx(expected_reward(loop.learner), abs=0.2)


def test_a_step_behind_it_learns_too_and_the_ratio_says_so(tmp_path):
    loop = play(tmp_path / "run", course(0, 100, lag=1))
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [row["lag"] for row in rows] == [0, *[1] * 99]
    assert rows[0]["sampler_ratio"] == pytest.approx(1, abs=1e-3)
    assert max(row.get("sampler_ratio_max", 1) for row in rows[1:]) > 1.05
    assert expected_reward(loop.learner) > 0.5

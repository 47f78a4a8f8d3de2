"""A task whose optimum is known, through the very loop that Lean's verdicts go through."""

import json
from dataclasses import replace
from math import exp

import pytest

torch = pytest.importorskip("torch")

from rl.benchmark import bandit  # noqa: E402
from rl.benchmark.bandit import ARMS, MACHINES, PAYS, chance, course, expected_reward, figures, play  # noqa: E402
from rl.grpo.loop import EVALUATION, Evaluated  # noqa: E402
from rl.learner.learner import Learner  # noqa: E402
from rl.shaping import Shaping  # noqa: E402


def test_one_arm_of_each_machine_pays_always_and_the_others_seldom():
    for machine in MACHINES:
        pays = [chance(machine, arm) for arm in ARMS]
        assert sorted(pays) == sorted(PAYS)
        assert pays.count(1.0) == 1
        assert chance(machine, "red blue") == chance(machine, "") == 0
    best = [[chance(machine, arm) for arm in ARMS].index(1.0) for machine in MACHINES]
    assert len(set(best)) == len(MACHINES)  # so the prompt has to be read


def test_the_best_arms_are_found_within_a_hundred_steps():
    (figure,) = figures((4, 9))  # with each of which groups of 64 answers leave a machine at a worse arm
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


def test_a_step_behind_tokens_are_weighted_by_how_much_likelier_they_are_now(tmp_path, monkeypatch):
    update = Learner.update
    losses: list[tuple[float, float, float]] = []

    def watched(self, rows, objective):
        now = self.log_probs(rows)
        told = update(self, rows, objective)
        tokens = [
            (row.advantage, min(exp(new - old), 2.0))
            for row, found in zip(rows, now, strict=True)
            for new, old in zip(found, row.sampler_log_probs, strict=True)
        ]
        # Of a mean over tokens: the importance weight, truncated at 2, times the advantage; and without the weight.
        plain = -sum(advantage for advantage, _ in tokens) / len(tokens)
        losses.append((told["loss"], -sum(advantage * weight for advantage, weight in tokens) / len(tokens), plain))
        return told

    monkeypatch.setattr(Learner, "update", watched)
    play(tmp_path / "run", course(0, 12, lag=1))
    assert len(losses) == 12
    assert [told for told, _, _ in losses] == pytest.approx([weighted for _, weighted, _ in losses], abs=1e-5)
    assert losses[0][0] == pytest.approx(losses[0][2], abs=1e-5)  # nothing was learned yet
    assert all(abs(told - plain) > 1e-4 for told, _, plain in losses[2:])


def failing(step):
    """An environment in which every answer of this step fails."""

    def around(environment):
        def collect(rows, asked, version):
            groups = environment.collect(rows, asked, version)
            if asked != step:
                return groups
            failed = [tuple(replace(one, reward=0) for one in group.rollouts) for group in groups]
            return [replace(group, rollouts=rollouts) for group, rollouts in zip(groups, failed, strict=True)]

        return replace(environment, collect=collect)

    return around


def test_a_rate_comes_to_0_with_the_last_step_whatever_steps_had_no_update(tmp_path, monkeypatch):
    monkeypatch.setattr(bandit, "LEARNER", replace(bandit.LEARNER, learning_rate=0.008, schedule="linear"))
    play(tmp_path / "run", course(0, 4, updates=2), failing(1))
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    # Of 8 updates the rates are 8, 7, ... 1 thousandths; a step's is the mean of its two.
    assert [row.get("learning_rate") for row in rows] == [
        pytest.approx(0.0075), None, pytest.approx(0.0035), pytest.approx(0.0015),
    ]  # fmt: skip


def test_equal_verdicts_teach_nothing_whatever_shaping_adds(tmp_path):
    shaping = Shaping(length_weight=0.5, length_free=0, length_most=2)
    play(tmp_path / "run", course(0, 2, shaping=shaping), failing(1))
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert rows[0]["groups_kept"] > 0
    assert -0.5 < rows[1]["learner_reward"] < -0.25  # some have one token, and some two
    assert (rows[1]["groups_kept"], rows[1]["groups_dropped"], rows[1]["updates"]) == (0, 4, 0)


def test_an_evaluation_that_is_hardly_scored_is_not_the_best(tmp_path):
    """One rollout proved and the rest out of time, and then all scored, a quarter of them proved."""
    count = len(MACHINES) * 8

    def around(environment):
        def collect(rows, asked, version):
            groups = environment.collect(rows, asked, version)
            if asked != EVALUATION:
                return groups
            rewards = iter([1, *[None] * (count - 1)] if version == 0 else [1, 0, 0, 0] * (count // 4))
            return [
                replace(group, rollouts=tuple(replace(one, reward=next(rewards)) for one in group.rollouts))
                for group in groups
            ]

        return replace(environment, collect=collect)

    loop = play(tmp_path / "run", course(0, 1, evaluation_every=1), around, group=8)
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [row["valid_reward"] for row in rows if "valid_reward" in row] == [1, 0.25]
    assert loop.best == loop.last == Evaluated(1, 0.25)

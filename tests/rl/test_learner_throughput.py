"""The benchmark against trl runs, with a model of no size."""

import pytest

from prover.model.config import ModelConfig
from rl.benchmark import throughput

SHAPE = ModelConfig(vocabulary=4096, hidden=16, layers=1, heads=1, key_value_heads=1, intermediate=16, context=512)


def test_lengths_are_those_that_it_says():
    groups = throughput.batch(8, 8)
    assert {len(group.answers) for group in groups} == {8}
    assert all(30 <= len(group.prompt) <= 300 for group in groups)
    assert all(5 <= len(answer) <= 80 for group in groups for answer in group.answers)
    assert all(set(group.rewards) == {0, 1} for group in groups)


def test_figures():
    pytest.importorskip("trl")
    shared, padded, alone = throughput.figures(rounds=1, groups=2, size=2, config=SHAPE)
    assert shared.goal == "1.3"
    assert min(shared.value, padded.value, alone.value) > 0

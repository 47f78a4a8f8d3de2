"""The benchmark of sampling runs, on the smallest model; its times say nothing here."""

from prover.benchmark.sampling import figures
from prover.model.config import ModelConfig


def test_every_figure_is_measured():
    small = ModelConfig(hidden=32, layers=2, heads=2, key_value_heads=1, intermediate=64)
    found = figures(rounds=1, config=small, tokens=4)
    assert len(found) == 5
    assert all(figure.value > 0 for figure in found)
    (error,) = [figure.value for figure in found if figure.name.startswith("log-prob")]
    assert error < 1e-4

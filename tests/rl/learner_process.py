"""One of several processes that learn together; `python -m tests.rl.learner_process FILE` writes what it came to."""

import sys
from typing import Any

import torch

from rl.learner.config import LearnerConfig
from rl.learner.learner import Learner, NonFiniteLoss
from rl.objective.policy_loss import PolicyObjective
from rl.objective.rows import TokenRow
from rl.objective.supervised import Supervised
from tests.rl.learning import PAD, batch, llama, weights


def learned() -> dict[str, Any]:
    """Two updates on one batch, one on a single row, and one that fails; then log-probabilities and a loss."""
    learner = Learner(llama(), PAD, LearnerConfig(learning_rate=1e-2, weight_decay=0.1, micro_tokens=40))
    objective = PolicyObjective(kl="k3", kl_coefficient=0.1, aggregation="sequence_mean")
    told = [learner.update(batch(), objective) for _ in range(2)]
    told.append(learner.update([TokenRow((3, 4), (5, 6))], Supervised()))
    failed = [*batch()[:3], TokenRow((3, 4), (5, 6), float("nan"), sequence=100)]
    rows = [TokenRow(row.prompt_ids, row.answer_ids, row.advantage, row.sequence) for row in failed]
    refused = False
    try:
        learner.update(rows, PolicyObjective(importance_cap=None))
    except NonFiniteLoss:
        refused = True
    return {
        "told": [{name: value for name, value in each.items() if "second" not in name} for each in told],
        "refused": refused,
        "weights": weights(learner.model).tolist(),
        "log_probs": learner.log_probs(batch()),
        "loss": learner.evaluate(batch(), Supervised()),
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.save(learned(), sys.argv[1])

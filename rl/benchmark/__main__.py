"""`python -m rl.benchmark [PART...] [--json]`: all parts if none is named.

bandit: the reward of GRPO on a task whose optimum is known.
throughput: tokens a second of the learner, against `trl.GRPOTrainer`.
"""

from collections.abc import Callable

from lean_env.benchmark.figures import Figure, run_parts
from rl.benchmark import bandit, throughput

PARTS: dict[str, Callable[[], list[Figure]]] = {
    "bandit": bandit.figures,
    "throughput": throughput.figures,
}

if __name__ == "__main__":
    run_parts("rl", __doc__ or "", PARTS)

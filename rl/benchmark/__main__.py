"""`python -m rl.benchmark [PART...] [--json]`: all parts if none is named.

bandit: the reward of GRPO on a task whose optimum is known.
throughput: tokens a second of the learner, against `trl.GRPOTrainer`.
"""

import argparse
from collections.abc import Callable, Mapping

from lean_env.benchmark.figures import Figure, show
from rl.benchmark import bandit, throughput

PARTS: Mapping[str, Callable[[], list[Figure]]] = {
    "bandit": bandit.figures,
    "throughput": throughput.figures,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rl.benchmark", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    figures = [figure for part in options.parts or PARTS for figure in PARTS[part]()]
    show("rl", figures, options.json)


if __name__ == "__main__":
    main()

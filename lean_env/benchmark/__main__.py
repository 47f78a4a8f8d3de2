"""`python -m lean_env.benchmark [--judge] [--json] [--theorems 800] [--checks 5000]`."""

import argparse

from lean_env.benchmark import judging, speed
from lean_env.benchmark.figures import show


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m lean_env.benchmark", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--theorems", type=int, default=800, help="how many small theorems to judge for a throughput")
    parser.add_argument("--checks", type=int, default=5000, help="how many checks the memory is watched over")
    parser.add_argument("--judge", action="store_true", help="how right the judge is, instead of how fast")
    parser.add_argument("--proofs", type=int, default=2000, help="--judge: how many honest proofs")
    parser.add_argument("--fire", type=int, default=1000, help="--judge: how many rows while workers are killed")
    parser.add_argument("--orders", type=int, default=20, help="--judge: how many random orders")
    parser.add_argument("--rows", type=int, help="--judge: a sample of so many rows of the corpus, not all of them")
    options = parser.parse_args()
    if options.judge:
        show("judge", judging.measure(options.proofs, options.fire, options.orders, options.rows), options.json)
        return
    show("lean_env", speed.measure(options.theorems, options.checks), options.json)


if __name__ == "__main__":
    main()

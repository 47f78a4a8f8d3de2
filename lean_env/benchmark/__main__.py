"""`python -m lean_env.benchmark [--judge] [--json] [--theorems 800] [--checks 5000]`."""

import argparse

from lean_env.benchmark import speed
from lean_env.benchmark.figures import show


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m lean_env.benchmark", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--theorems", type=int, default=800, help="how many small theorems to judge for a throughput")
    parser.add_argument("--checks", type=int, default=5000, help="how many checks the memory is watched over")
    options = parser.parse_args()
    show("lean_env", speed.measure(options.theorems, options.checks), options.json)


if __name__ == "__main__":
    main()

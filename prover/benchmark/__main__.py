"""`python -m prover.benchmark [PART...] [--json]`: all parts if none is named.

report: the time that a report over 100,000 attempts takes, and the size of its page.
kill: a run that is killed 20 times, against one that is not.
sampling: language models in this process, against `generate` of transformers, and onnxruntime against PyTorch.
serving: what Python adds to each request of a server, with 32 of them on their way.
"""

import argparse
from collections.abc import Callable, Mapping

from lean_env.benchmark.figures import Figure, show
from prover.benchmark import killing, reports, sampling, serving

PARTS: Mapping[str, Callable[[], list[Figure]]] = {
    "report": reports.figures,
    "kill": killing.figures,
    "sampling": sampling.figures,
    "serving": serving.figures,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m prover.benchmark", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    figures = [figure for part in options.parts or PARTS for figure in PARTS[part]()]
    show("prover", figures, options.json)


if __name__ == "__main__":
    main()

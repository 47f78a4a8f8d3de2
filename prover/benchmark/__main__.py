"""`python -m prover.benchmark [PART...] [--json]`: all parts if none is named.

report: the time that a report over 100,000 attempts takes, and the size of its page.
kill: a run that is killed 20 times, against one that is not.
sampling: language models in this process, against `generate` of transformers, and onnxruntime against PyTorch.
serving: what Python adds to each request of a server, with 32 of them on their way.
"""

from collections.abc import Callable

from lean_env.benchmark.figures import Figure, run_parts
from prover.benchmark import killing, reports, sampling, serving

PARTS: dict[str, Callable[[], list[Figure]]] = {
    "report": reports.figures,
    "kill": killing.figures,
    "sampling": sampling.figures,
    "serving": serving.figures,
}

if __name__ == "__main__":
    run_parts("prover", __doc__ or "", PARTS)

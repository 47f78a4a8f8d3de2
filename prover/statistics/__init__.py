"""Statistics of a run of a benchmark: `summarise` for one run, `compare` for two, `as_json` for either."""

from prover.statistics.comparison import Comparison, compare
from prover.statistics.curves import Curve
from prover.statistics.intervals import Estimate
from prover.statistics.passes import PassAtK
from prover.statistics.summary import Counts, Summary, as_json, summarise
from prover.statistics.tally import RESOURCES
from prover.statistics.topics import Group

__all__ = [
    "RESOURCES",
    "Comparison",
    "Counts",
    "Curve",
    "Estimate",
    "Group",
    "PassAtK",
    "Summary",
    "as_json",
    "compare",
    "summarise",
]

"""The shares that runs prove, with 95 % intervals, as JSON and PNG: `python curve.py OUT NAME=RUN...`.

OUT has no suffix. Ratios are of the first run.
"""

import json
import sys
from pathlib import Path

from matplotlib.figure import Figure

from prover.runs.store import read_run
from prover.statistics.comparison import mcnemar
from prover.statistics.intervals import share

out = Path(sys.argv[1])
found = []
first: set[int] | None = None
for argument in sys.argv[2:]:
    name, _, folder = argument.partition("=")
    run = read_run(Path(folder))
    proved = {each.theorem for each in run.attempts if each.reward == 1}
    estimate = share(len(proved), len(run.rows))
    assert estimate is not None
    first = proved if first is None else first
    ratio = len(proved) / max(1, len(first))
    found.append(
        {
            "name": name,
            "policy": run.settings["policy"],
            "proved": len(proved),
            "of": len(run.rows),
            "share": round(estimate.value, 4),
            "interval": [round(estimate.low, 4), round(estimate.high, 4)],
            "ratio": round(ratio, 3),
            "only_here": len(proved - first),
            "only_in_the_first": len(first - proved),
            "mcnemar": round(mcnemar(len(first - proved), len(proved - first)), 5),
            "unscored": sum(each.reward is None for each in run.attempts),
            "seconds": round(sum(each.spent.seconds for each in run.attempts)),
        }
    )
out.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
figure = Figure((6.4, 3.2), layout="constrained")
axes = figure.subplots()
places = range(len(found))
values = [100 * each["share"] for each in found]
errors = [[100 * abs(each["share"] - each["interval"][side]) for each in found] for side in (0, 1)]
axes.errorbar(places, values, errors, fmt="o", capsize=4, color="#0b62a4")
axes.set_xticks(list(places), [each["name"] for each in found])
axes.set_ylabel("theorems proved, %")
axes.set_ylim(0)
axes.grid(axis="y", color="#dddddd")
axes.spines[["top", "right"]].set_visible(False)
for place, value, each in zip(places, values, found, strict=True):
    axes.annotate(str(each["proved"]), (place, value), (6, 4), textcoords="offset points")
figure.savefig(out.with_suffix(".png"), dpi=150, metadata={"Software": None})
print("\n".join(f"{each['name']}: {each['proved']} of {each['of']}, {each['ratio']} times the first" for each in found))

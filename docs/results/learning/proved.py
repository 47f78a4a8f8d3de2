"""The train theorems of which there are proofs: `python proved.py core.jsonl OUT PAIRS.parquet...`."""

import json
import sys
from pathlib import Path

from rl.data.parquet import read_pairs

names = {pair.theorem for path in sys.argv[3:] for pair in read_pairs(Path(path)) if pair.reward == 1}
rows = [line for line in Path(sys.argv[1]).read_text("utf-8").splitlines() if json.loads(line)["name"] in names]
assert all(json.loads(row)["split"] == "train" for row in rows)
Path(sys.argv[2]).write_text("\n".join(rows) + "\n", "utf-8")
print(f"{len(rows)} theorems")

"""Of each module of the core corpus at most 100 train theorems, drawn by seed 0: `python capped.py core.jsonl OUT`.

A third of the train split are the machine integers of nine types, which say the same nine times.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from random import Random

EACH = 100

by_module = defaultdict(list)
for line in Path(sys.argv[1]).read_text("utf-8").splitlines():
    row = json.loads(line)
    if row["split"] == "train":
        by_module[row["module"]].append(row)
random = Random(0)
drawn = []
for module in sorted(by_module):
    drawn += random.sample(by_module[module], min(EACH, len(by_module[module])))
random.shuffle(drawn)
Path(sys.argv[2]).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in drawn), "utf-8")
print(f"{len(drawn)} theorems of {len(by_module)} modules")

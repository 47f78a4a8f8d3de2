"""The mean of two models' weights (Wortsman et al., arXiv 2109.01903): `python average.py ONE ANOTHER OUT`."""

import shutil
import sys
from pathlib import Path

from safetensors.torch import load_file, save_file

one, another, out = map(Path, sys.argv[1:])
name = "model.safetensors"
weights, others = load_file(one / name), load_file(another / name)
assert weights.keys() == others.keys()
shutil.copytree(one, out)
save_file({key: (weights[key] + others[key]) / 2 for key in weights}, out / name, metadata={"format": "pt"})

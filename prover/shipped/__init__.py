"""The model that comes with the package, in the form that `prover export-onnx` writes; README.md is its model card."""

from pathlib import Path

FOLDER = Path(__file__).parent
VERSION = "core-4m-1"  # another model is another version: runs keep it among their settings

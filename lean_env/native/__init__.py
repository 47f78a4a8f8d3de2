"""A native Lean: found through elan or PATH, run inside `lake-project/`, with Mathlib where that is built."""

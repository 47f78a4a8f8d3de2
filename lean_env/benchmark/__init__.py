"""Timings of the Lean environment: `python -m lean_env.benchmark` (figures of speed), `--judge` (of the judge)."""

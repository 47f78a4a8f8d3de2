"""Runs of a benchmark: their settings, their store, and what performs the attempts."""

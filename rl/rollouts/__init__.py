"""Rollouts: what a policy samples for a theorem, and the judge's reward for it."""

"""Supervised fine-tuning: a model learns the answers of pairs that Lean has accepted."""

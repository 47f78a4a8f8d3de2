"""Benchmarks: rows of theorems with their lineage, and the catalogue of those that are known by name."""

"""Policies, the command line and the benchmarks of the prover. Importing this costs no model library."""

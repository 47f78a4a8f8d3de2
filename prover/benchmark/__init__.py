"""What the prover's own parts cost: `python -m prover.benchmark`."""

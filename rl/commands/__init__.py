"""The commands of `prover-rl`, a file each."""

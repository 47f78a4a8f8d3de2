"""Learning from Lean's verdicts: data, the cold start, expert iteration, GRPO; and the command `prover-rl`."""

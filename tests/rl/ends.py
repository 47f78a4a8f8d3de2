"""How commands that are gone on with end before their end: what ends them, the exit code, what is said of OUT."""

from rl.rollouts.lost import JudgeLost

ENDS = [
    (KeyboardInterrupt(), 130, "interrupted; the same command goes on with OUT\n"),
    (JudgeLost("Lean is lost."), 3, "Lean is lost. What is finished is kept; the same command goes on with OUT.\n"),
]

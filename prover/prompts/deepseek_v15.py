"""DeepSeek-Prover-V1.5 (arXiv 2408.08152): completes an open code block, with truncate-and-resume.

Source of the format: deepseek-ai/DeepSeek-Prover-V1.5, prover/utils.py (prompts, what is cut off an answer) and
prover/lean/proof.py (state comments). There is no doc comment before the statement, as in rows without an
`informal_prefix`, unless the statement brings one.
"""

from dataclasses import dataclass

from prover.prompts.code import begun, stated
from prover.prompts.extraction import continuation_of
from prover.sampling.sampler import Prompt, Sample
from search.policy import ProofPrompt

NON_COT = "Complete the following Lean 4 code:"
COT = "Complete the following Lean 4 code with explanatory comments preceding each line of code:"


@dataclass
class DeepSeekProverV15:
    """`instruction` is the first line of the prompt: `NON_COT`, or `COT` for comments before each line of the proof."""

    name: str
    instruction: str
    stop: tuple[str, ...] = ("```",)  # theirs cut the answer there

    def prompt(self, asked: ProofPrompt) -> Prompt:
        """After the tactics of the prefix stands the tactic state that they lead to, as a comment."""
        resumed = begun(asked.prefix) + state_comment(asked.state.pretty) if asked.prefix.strip() else ""
        return Prompt(f"{self.instruction}\n\n```lean4\n{stated(asked.theorem)} := by\n{resumed}")

    def proof(self, sample: Sample, asked: ProofPrompt) -> str:
        return continuation_of(sample.text, indent=2, truncated=sample.finish == "length")


def state_comment(goals: str) -> str:
    """Goals as Lean prints them, as the comment that the model was trained on, at the column of the tactics."""
    shown = goals.replace("\n", "\n    ")
    return f"  /- tactic state:\n    {shown}\n  -/\n"

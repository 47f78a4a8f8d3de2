"""Published provers that write one tactic: ReProver (arXiv 2306.15626) and BFS-Prover (arXiv 2502.03438, 2509.06493).

Sources of the formats: lean-dojo/ReProver, README.md, prover/tactic_generator.py (the goals go in as they are) and
common.py (the marks around premises); the model card of ByteDance-Seed/BFS-Prover and BFS-Prover-V2,
src/search/prover_manager.py (the goals followed by `:::`). ReProver with retrieval, which wants premises before the
goals, is not here: there is nothing to retrieve them from.
"""

from dataclasses import dataclass

from lean_env.goal import TacticState
from lean_env.theorem import Theorem
from prover.prompts.extraction import one_tactic
from prover.sampling.sampler import Prompt, Sample


@dataclass
class GoalsIn:
    """`after` is what the goals are followed by, `marks` what is taken out of a tactic."""

    name: str
    after: str = ""
    marks: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()

    def prompt(self, state: TacticState, theorem: Theorem) -> Prompt:
        """All goals, as Lean prints them, a blank line between two."""
        return Prompt(state.pretty + self.after)

    def tactic(self, sample: Sample) -> str:
        text = sample.text
        for mark in self.marks:
            text = text.replace(mark, "")
        return one_tactic(text, truncated=sample.finish == "length")

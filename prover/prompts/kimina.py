"""Kimina-Prover (arXiv 2504.11354): a chat that thinks in `<think>`, then proves, and can fix errors.

Sources of the formats: the quick start on the model card of AI-MO/Kimina-Prover-Distill-1.7B (read in a copy of it);
for the error-fixing turn kimina_prover_demo/error_fix.py and utils.py of MoonshotAI/Kimina-Prover-Preview. Of the RL
models' cards only second-hand word was found: their system turn says "mathematics and proving theorems in Lean 4".

The card gives the problem in words. Here it is the statement's doc comment; without one, the statement itself, as the
authors of Goedel-Prover-V2 ran this model. Nothing was published on going on with a proof: after a prefix its tactics
stand below the statement, and an answer counts if it repeats them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lean_env.theorem import Theorem
from prover.prompts.code import Error, begun, refused, stated
from prover.prompts.extraction import proof_of
from prover.prompts.tactics import after_prefix
from prover.sampling.sampler import Message, Prompt, Sample
from search.policy import FailedProof, ProofPrompt

SYSTEM = "You are an expert in mathematics and Lean 4."
FIXING_SYSTEM = "You are an expert programmer and mathematician who helps formalizing mathematical problems in Lean 4."
SHOWN_ERRORS = 3
_DOCUMENTED = re.compile(r"\s*/--(.*?)-/", re.DOTALL)
_IMPORTS = re.compile(r"(?:import[^\n]*\n)*")


@dataclass
class Kimina:
    name: str = "kimina"
    stop: tuple[str, ...] = ()

    def prompt(self, asked: ProofPrompt) -> Prompt:
        statement = f"{stated(asked.theorem)} := by\n{begun(asked.prefix)}"
        question = (
            "Think about and solve the following problem step by step in Lean 4."
            f"\n# Problem:{_problem(asked.theorem)}\n# Formal statement:\n```lean4\n{statement}\n```\n"
        )
        return Prompt(messages=(Message("system", SYSTEM), Message("user", question)))

    def proof(self, sample: Sample, asked: ProofPrompt) -> str:
        proof = proof_of(sample.text, asked.theorem.name, sample.finish == "length")
        return after_prefix(proof, asked.prefix)

    def correction(self, theorem: Theorem, failed: FailedProof) -> Prompt:
        """The question as their error-fixing asks it, the last attempt as its answer, and Lean's first three errors.

        Theirs repeats the whole last answer, thoughts included, and shows the goals at an error; here it is the code
        alone, and no goals, which are left out there too where Lean gives none. Theirs corrects once; a second
        correction here shows the last attempt as if it were the first.
        """
        code, errors = refused(theorem, failed)
        asked = f"Think about and solve the following problems step by step in Lean 4.\n\n{stated(theorem)} := by sorry"
        return Prompt(
            messages=(
                Message("system", FIXING_SYSTEM),
                Message("user", asked),
                Message("assistant", f"```lean4\n{code}\n```"),
                Message("user", shown_errors(code, errors)),
            )
        )


def shown_errors(code: str, errors: Sequence[Error]) -> str:
    """The errors in the words of Kimina-Prover, with two lines above and below; lines are counted below the imports."""
    imports = _IMPORTS.match(code)
    above = imports[0].count("\n") if imports else 0
    rows = code.split("\n")[above:]
    shown = []
    for number, error in enumerate(errors[:SHOWN_ERRORS], 1):
        at = error.line - above
        near = range(max(0, at - 2), min(len(rows), at + 3))
        snippet = "".join(f"{i + 1:03d}{' >' if i == at else '  '}| {rows[i]}\n" for i in near)
        shown.append(
            f"# Error {number}:\nError message: \n{error.message.strip()}\n\n"
            f"Lean 4 code snippet with error:\n```lean4\n{snippet}```\n"
        )
    return "".join(shown)


def _problem(theorem: Theorem) -> str:
    documented = _DOCUMENTED.match(theorem.statement)
    return documented[1].strip() if documented else f"{theorem.statement.strip()} := by"

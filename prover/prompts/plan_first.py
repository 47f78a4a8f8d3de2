"""DeepSeek-Prover-V2 (arXiv 2504.21801) and Goedel-Prover-V2 (arXiv 2508.03613): a chat that plans, then proves.

Sources of the formats: the quick starts in README.md of deepseek-ai/DeepSeek-Prover-V2 and Goedel-LM/Goedel-Prover-V2;
the error-fixing turns in src/utils.py and src/inference.py of the latter (read in forks of it), which keep all earlier
turns. The two questions differ in one line break before the closing fence. Goedel's own scripts write `:= by sorry` in
one line, its README in two, as here.

Nothing was published on going on with a proof. After a prefix its tactics stand before the `sorry`, and an answer
counts if it repeats them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lean_env.theorem import Theorem
from prover.prompts.code import Error, begun, refused, stated
from prover.prompts.extraction import proof_of
from prover.prompts.tactics import after_prefix
from prover.sampling.sampler import Message, Prompt, Sample
from search.policy import FailedProof, ProofPrompt

_PLAN = """\
Before producing the Lean 4 code to formally prove the given theorem, provide a detailed proof plan outlining the main \
proof steps and strategies.
The plan should highlight key ideas, intermediate lemmas, and proof structures that will guide the construction of the \
final formal proof."""
_REFUSED = """\
The proof (Round {round}) is not correct. Following is the compilation error message, where we use <error></error> to \
signal the position of the error.

{errors}

Before producing the Lean 4 code to formally prove the given theorem, provide a detailed analysis of the error \
message."""
SHOWN_ERRORS = 8


@dataclass
class PlanFirst:
    """`before_fence` is what stands between `sorry` and the fence that closes the code."""

    name: str
    before_fence: str
    stop: tuple[str, ...] = ()

    def prompt(self, asked: ProofPrompt) -> Prompt:
        return Prompt(messages=(Message("user", self._question(asked.theorem, asked.prefix)),))

    def proof(self, sample: Sample, asked: ProofPrompt) -> str:
        proof = proof_of(sample.text, asked.theorem.name, sample.finish == "length")
        return after_prefix(proof, asked.prefix)

    def _question(self, theorem: Theorem, prefix: str = "") -> str:
        code = f"{stated(theorem)} := by\n{begun(prefix)}  sorry{self.before_fence}"
        return f"Complete the following Lean 4 code:\n\n```lean4\n{code}```\n\n{_PLAN}"


@dataclass
class GoedelProverV2(PlanFirst):
    """Goedel-Prover-V2, which corrects its proofs as well."""

    def correction(self, theorem: Theorem, failed: FailedProof) -> Prompt:
        """The question, then each attempt since the fresh sample as an answer, with Lean's errors; 8 at most are shown.

        Theirs repeats whole answers, plans included; here it is their code alone, as only that is known. An error is
        marked from its column to the end of its line, as theirs does where Lean gives no end.
        """
        turns = [Message("user", self._question(theorem))]
        for attempt in failed.history():
            code, errors = refused(theorem, attempt)
            told = _REFUSED.format(round=attempt.round, errors=shown_errors(code, errors))
            turns += [Message("assistant", f"```lean4\n{code}\n```"), Message("user", told)]
        return Prompt(messages=tuple(turns))


def shown_errors(code: str, errors: Sequence[Error]) -> str:
    """The errors in the words of Goedel-Prover-V2: each with its line, four lines above it and one below."""
    rows = code.split("\n")
    shown = []
    for number, error in enumerate(errors[:SHOWN_ERRORS], 1):
        row = rows[error.line]
        marked = f"{row[: error.column]}<error>{row[error.column :]}</error>"
        near = [*rows[max(0, error.line - 4) : error.line], marked, *rows[error.line + 1 : error.line + 2]]
        snippet = "".join(f"{each}\n" for each in near)
        shown.append(
            f"\nError {number}:\n\nCorresponding Code:\n```lean4\n{snippet}\n```\n\nError Message: {error.message}\n"
        )
    if len(errors) > SHOWN_ERRORS:
        shown.append(f"\n... [Omitted {len(errors) - SHOWN_ERRORS} more errors] ...\n")
    return "".join(shown)

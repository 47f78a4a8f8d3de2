"""Every family's prompt against the template that its authors published, written down here as it stands there."""

from typing import Any

import pytest

from lean_env import Verdict
from lean_env.goal import Goal, TacticState
from lean_env.theorem import Theorem
from prover.policies.answers import Answers
from prover.policies.correction import ModelCorrectionPolicy
from prover.policies.proof_policy import ModelProofPolicy
from prover.prompts.plan_first import GoedelProverV2
from prover.prompts.registry import FAMILIES, Kind, correction_named, family_named, guessed, kinds
from prover.sampling.sampler import Message, Prompt, Sample, Settings
from prover.sources import UserInputError
from search import Budget, Correct, prove
from search.policy import FailedProof, ProofPrompt
from tests.search.graph_session import THEOREM as GRAPH_THEOREM
from tests.search.graph_session import GraphSession

# The header and a theorem of quick_start.py in deepseek-ai/DeepSeek-Prover-V1.5.
HEADER = """import Mathlib
import Aesop

set_option maxHeartbeats 0

open BigOperators Real Nat Topology Rat"""
V15 = Theorem(
    "amc12b_2003_p6",
    "theorem amc12b_2003_p6 (a r : ℝ) (u : ℕ → ℝ) (h₀ : ∀ k, u k = a * r ^ k) (h₁ : u 1 = 2)\n"
    "  (h₂ : u 3 = 6) : u 0 = 2 / Real.sqrt 3 ∨ u 0 = -(2 / Real.sqrt 3)",
    HEADER,
)


def asked(theorem: Theorem, prefix: str = "", goals: str = "") -> ProofPrompt:
    return ProofPrompt(theorem, TacticState((Goal("", pretty=goals),)), prefix)


def family(name: str) -> Any:
    return family_named(name)


def proof_prompt(name: str, *args: Any) -> Prompt:
    prompt = family(name).prompt(asked(*args))
    assert isinstance(prompt, Prompt)
    return prompt


def proof_of(name: str, text: str, ask: ProofPrompt, finish: Any = "stop") -> str:
    return str(family(name).proof(Sample(text, finish=finish), ask))


@pytest.mark.parametrize(
    ("name", "first_line"),
    [
        # prover/utils.py there: non_cot_prompt and cot_prompt.
        ("deepseek-prover-v1.5", "Complete the following Lean 4 code:"),
        (
            "deepseek-prover-v1.5-cot",
            "Complete the following Lean 4 code with explanatory comments preceding each line of code:",
        ),
    ],
)
def test_deepseek_prover_v15(name, first_line):
    # quick_start.py: `prompt + code_prefix`, without the doc comment, which is the row's `informal_prefix`.
    published = (
        first_line
        + r"""

```lean4
import Mathlib
import Aesop

set_option maxHeartbeats 0

open BigOperators Real Nat Topology Rat

theorem amc12b_2003_p6 (a r : ℝ) (u : ℕ → ℝ) (h₀ : ∀ k, u k = a * r ^ k) (h₁ : u 1 = 2)
  (h₂ : u 3 = 6) : u 0 = 2 / Real.sqrt 3 ∨ u 0 = -(2 / Real.sqrt 3) := by
"""
    )
    assert proof_prompt(name, V15) == Prompt(published)
    # LEAN4_DEFAULT_HEADER in prover/utils.py, for rows without one.
    assert proof_prompt(name, Theorem(V15.name, V15.statement)) == Prompt(published)
    # The answer that quick_start.py expects, from its second line on shortened.
    answer = (
        "  simp_all only [Nat.one_eq_succ_zero,\n    Nat.succ_add]\n  have h₃ : r ^ 2 = 3 := by\n    nlinarith\n```\n"
    )
    assert proof_of(name, answer, asked(V15)) == (
        "simp_all only [Nat.one_eq_succ_zero,\n  Nat.succ_add]\nhave h₃ : r ^ 2 = 3 := by\n  nlinarith"
    )
    assert family(name).stop == ("```",)


def test_deepseek_prover_v15_resumes_after_the_state_as_a_comment():
    # prover/lean/proof.py, `segmentation`, at indent_len 2: the tactics' lines, then
    # '\n  '.join(['  /- tactic state:', '  ' + goal.replace('\n', '\n    '), '-/\n'])
    goal = "case inl\na : ℝ\n⊢ a = 1\n\ncase inr\n⊢ a = 2"
    published = "\n  ".join(["  /- tactic state:", "  " + goal.replace("\n", "\n    "), "-/\n"])
    assert published == (
        "  /- tactic state:\n    case inl\n    a : ℝ\n    ⊢ a = 1\n    \n    case inr\n    ⊢ a = 2\n  -/\n"
    )
    begun = proof_prompt("deepseek-prover-v1.5", V15).text
    resumed = proof_prompt("deepseek-prover-v1.5", V15, "intro h\nrcases h with\n  a | a", goal).text
    assert resumed == begun + "  intro h\n  rcases h with\n    a | a\n" + published
    assert proof_of("deepseek-prover-v1.5", "  · simp\n  · omega", asked(V15, "intro h")) == "· simp\n· omega"
    assert proof_of("deepseek-prover-v1.5", "  · simp\n  · ome", asked(V15, "intro h"), "length") == "· simp"


MATHD = Theorem(
    "mathd_algebra_10",
    "/-- What is the positive difference between $120\\%$ of 30 and $130\\%$ of 20? Show that it is 10.-/\n"
    "theorem mathd_algebra_10 : abs ((120 : ℝ) / 100 * 30 - 130 / 100 * 20) = 10",
    HEADER,
)


def test_deepseek_prover_v2():
    # deepseek-ai/DeepSeek-Prover-V2, README.md, quick start.
    published = r"""
Complete the following Lean 4 code:

```lean4
import Mathlib
import Aesop

set_option maxHeartbeats 0

open BigOperators Real Nat Topology Rat

/-- What is the positive difference between $120\%$ of 30 and $130\%$ of 20? Show that it is 10.-/
theorem mathd_algebra_10 : abs ((120 : ℝ) / 100 * 30 - 130 / 100 * 20) = 10 := by
  sorry
```

Before producing the Lean 4 code to formally prove the given theorem, provide a detailed proof plan outlining the main proof steps and strategies.
The plan should highlight key ideas, intermediate lemmas, and proof structures that will guide the construction of the final formal proof.
""".strip()  # noqa: E501
    assert proof_prompt("deepseek-prover-v2", MATHD) == Prompt(messages=(Message("user", published),))
    answer = f"### Plan\n```lean4\n{MATHD.statement} := by\n  sorry\n```\n### Proof\n```lean4\n{HEADER}\n\n"
    answer += f"{MATHD.statement} := by\n  norm_num\n  linarith\n```"
    assert proof_of("deepseek-prover-v2", answer, asked(MATHD)) == "norm_num\nlinarith"
    assert proof_of("deepseek-prover-v2", answer, asked(MATHD, "norm_num")) == "linarith"
    assert proof_of("deepseek-prover-v2", answer, asked(MATHD, "simp")) == ""
    resumed = proof_prompt("deepseek-prover-v2", MATHD, "norm_num").messages[0].text
    assert resumed == published.replace(":= by\n", ":= by\n  norm_num\n")


SQUARE = Theorem(
    "square_equation_solution",
    "theorem square_equation_solution {x y : ℝ} (h : x^2 + y^2 = 2*x - 4*y - 5) : x + y = -1",
    HEADER,
)
# Goedel-LM/Goedel-Prover-V2, README.md, quick start (which has one more blank line above the theorem).
GOEDEL = """
Complete the following Lean 4 code:

```lean4
import Mathlib
import Aesop

set_option maxHeartbeats 0

open BigOperators Real Nat Topology Rat

theorem square_equation_solution {x y : ℝ} (h : x^2 + y^2 = 2*x - 4*y - 5) : x + y = -1 := by
  sorry```

Before producing the Lean 4 code to formally prove the given theorem, provide a detailed proof plan outlining the main proof steps and strategies.
The plan should highlight key ideas, intermediate lemmas, and proof structures that will guide the construction of the final formal proof.
""".strip()  # noqa: E501


def test_goedel_prover_v2():
    assert proof_prompt("goedel-prover-v2", SQUARE) == Prompt(messages=(Message("user", GOEDEL),))
    answer = f"<think>\nLet us see\n</think>\n```lean4\n{SQUARE.statement} := by\n  nlinarith\n```"
    assert proof_of("goedel-prover-v2", answer, asked(SQUARE)) == "nlinarith"


def test_goedel_prover_v2_corrects():
    proof = "by\n  have h1 : x = 1 := by\n    nlinarith [h]\n  have h2 : y = -2 := by\n    nlinarith [h]\n  linarit"
    messages = (
        {"severity": "error", "line": 3, "column": 4, "message": "linarith failed"},
        {"severity": "warning", "line": 1, "column": 0, "message": "unused"},
        {"severity": "error", "line": 6, "column": 2, "message": "unknown tactic"},
    )
    prompt = correction_named("goedel-prover-v2").correction(SQUARE, FailedProof(proof, messages))
    question, answer, told = prompt.messages
    assert question == Message("user", GOEDEL)
    assert answer == Message("assistant", f"```lean4\n{HEADER}\n\n{SQUARE.statement} := {proof}\n```")
    # src/utils.py, `get_error_str` with an `endPos` of None, and `generate_correction_prompt` in round 1. Error 1 is in
    # line 11 of the code (8 to the statement's, and the proof's third is two below): lines 7 to 10 stand above it.
    assert told == Message(
        "user",
        """The proof (Round 0) is not correct. Following is the compilation error message, where we use <error></error> to signal the position of the error.


Error 1:

Corresponding Code:
```lean4
open BigOperators Real Nat Topology Rat

theorem square_equation_solution {x y : ℝ} (h : x^2 + y^2 = 2*x - 4*y - 5) : x + y = -1 := by
  have h1 : x = 1 := by
    <error>nlinarith [h]</error>
  have h2 : y = -2 := by

```

Error Message: linarith failed

Error 2:

Corresponding Code:
```lean4
  have h1 : x = 1 := by
    nlinarith [h]
  have h2 : y = -2 := by
    nlinarith [h]
  <error>linarit</error>

```

Error Message: unknown tactic


Before producing the Lean 4 code to formally prove the given theorem, provide a detailed analysis of the error message.""",  # noqa: E501
    )


def test_goedel_prover_v2_keeps_all_turns():
    # src/utils.py, `generate_correction_dialog`: the messages of the round before, its answer, and what is said of it,
    # `Round {current_correction_round_num - 1}`; src/inference.py, which keeps the messages of every round.
    correct = correction_named("goedel-prover-v2").correction
    first = FailedProof("by\n  simp", ({"line": 2, "column": 2, "message": "simp made no progress"},))
    second = FailedProof("by\n  omega", ({"line": 2, "column": 2, "message": "omega failed"},), 1, first)
    third = FailedProof("by\n  ring", ({"line": 2, "column": 2, "message": "ring failed"},), 2, second)
    messages = correct(SQUARE, third).messages
    assert [message.role for message in messages] == ["user", *["assistant", "user"] * 3]
    assert messages[:3] == correct(SQUARE, first).messages
    assert messages[:5] == correct(SQUARE, second).messages
    for number, (turn, error) in enumerate([(2, "simp made no progress"), (4, "omega failed"), (6, "ring failed")]):
        assert messages[turn].text.startswith(f"The proof (Round {number}) is not correct. Following is ")
        assert messages[turn].text.count("Error Message: ") == 1
        assert f"Error Message: {error}\n\n\nBefore producing the Lean 4 code " in messages[turn].text
    assert [messages[i].text.split(" := by\n")[1] for i in (1, 3, 5)] == ["  simp\n```", "  omega\n```", "  ring\n```"]
    # Kimina's demonstration corrects once: a second correction is asked for as the first is.
    kimina = correction_named("kimina").correction
    assert kimina(SQUARE, second) == kimina(SQUARE, FailedProof(second.text, second.messages))


def test_a_search_shows_the_family_all_attempts_since_the_fresh_sample():
    class Wrong:
        """Answers each prompt with a wrong proof of its own, and keeps the prompts."""

        name = "wrong"

        def __init__(self) -> None:
            self.prompts: list[Prompt] = []

        def sample(self, requests):
            self.prompts += [request.prompt for request in requests]
            answer = f"```lean4\n{GRAPH_THEOREM.statement} := by\n  wrong{len(self.prompts)}\n```"
            return [Sample(answer, tokens=1) for _ in requests]

    def judge(theorem, proof, seconds):
        return Verdict(0, "elaboration", "no", messages=({"line": 2, "column": 2, "message": f"no {proof[5:]}"},))

    sampler, family = Wrong(), GoedelProverV2("goedel-prover-v2", "")
    policy = ModelCorrectionPolicy(ModelProofPolicy(Answers(sampler), family, Settings()), family)
    session = GraphSession(["A"], {})
    prove(
        GRAPH_THEOREM, policy, session.open, Correct(rounds=2), Budget(samples=4, seconds=None), judge=judge,
        clock=session.clock,
    )  # fmt: skip
    # A sample, two corrections, and a new sample, which sees none of them.
    assert [len(prompt.messages) for prompt in sampler.prompts] == [1, 3, 5, 1]
    _, one, about_one, two, about_two = (message.text for message in sampler.prompts[2].messages)
    assert ("wrong1" in one, "wrong2" in two) == (True, True)
    for said, number, message in ((about_one, 0, "no wrong1"), (about_two, 1, "no wrong2")):
        assert (f"(Round {number})" in said, f"Error Message: {message}\n" in said) == (True, True)


def test_goedel_prover_v2_shows_eight_errors_and_places_outside_are_moved_inside():
    messages = tuple({"line": 99 * i, "column": -5 + 90 * i, "message": f"m{i}"} for i in range(10))
    told = correction_named("goedel-prover-v2").correction(SQUARE, FailedProof("by simp", messages)).messages[-1].text
    assert [f"\nError {i}:\n" in told for i in range(1, 10)] == [True] * 8 + [False]
    assert told.count("... [Omitted 2 more errors] ...") == 1
    # Line 0 and column -5 are the proof's first character; later ones are past its end.
    assert ":= <error>by simp</error>" in told
    assert told.count("by simp<error></error>") == 7


CONE = Theorem(
    "mathd_algebra_478",
    "/-- The volume of a cone is $V = \\frac{1}{3}Bh$. Show that it is 65.-/\n"
    "theorem mathd_algebra_478 (b h v : ℝ) (h₀ : 0 < b ∧ 0 < h ∧ 0 < v) (h₁ : v = 1 / 3 * (b * h))\n"
    "    (h₂ : b = 30) (h₃ : h = 13 / 2) : v = 65",
    HEADER,
)


def test_kimina():
    # The model card of AI-MO/Kimina-Prover-Distill-1.7B, quick start; its problem shortened.
    problem = "The volume of a cone is $V = \\frac{1}{3}Bh$. Show that it is 65."
    formal_statement = f"""import Mathlib
import Aesop

set_option maxHeartbeats 0

open BigOperators Real Nat Topology Rat

/-- {problem}-/
theorem mathd_algebra_478 (b h v : ℝ) (h₀ : 0 < b ∧ 0 < h ∧ 0 < v) (h₁ : v = 1 / 3 * (b * h))
    (h₂ : b = 30) (h₃ : h = 13 / 2) : v = 65 := by
"""
    published = "Think about and solve the following problem step by step in Lean 4."
    published += f"\n# Problem:{problem}"
    published += f"\n# Formal statement:\n```lean4\n{formal_statement}\n```\n"
    assert proof_prompt("kimina", CONE) == Prompt(
        messages=(Message("system", "You are an expert in mathematics and Lean 4."), Message("user", published))
    )
    # Without words the statement stands for them: Goedel-Prover-V2, src/utils.py, KiminaCoTHandler.
    assert f"\n# Problem:{SQUARE.statement} := by\n# Formal" in proof_prompt("kimina", SQUARE).messages[1].text
    answer = f"<think>\n```tactics\nsubst h₂\n```\n</think>\n\n```lean4\n{formal_statement}  subst h₂\n  linarith\n```"
    assert proof_of("kimina", answer, asked(CONE)) == "subst h₂\nlinarith"


def test_kimina_corrects():
    # MoonshotAI/Kimina-Prover-Preview, kimina_prover_demo/error_fix.py (SYSTEM, the first turn) and utils.py
    # (create_tool_message). Lines are counted without the imports: `theorem` is line 2 there.
    theorem = Theorem("five", "theorem five : ∀ (E : ℕ), 4 ≤ E → (5 ^ E) % 10000 = 3125", "import Mathlib")
    messages = ({"line": 2, "column": 2, "message": " omega could not \n", "severity": "error"},)
    prompt = correction_named("kimina").correction(theorem, FailedProof("by\n  omega\n  simp", messages))
    assert prompt.messages == (
        Message(
            "system",
            "You are an expert programmer and mathematician who helps formalizing mathematical problems in Lean 4.",
        ),
        Message(
            "user",
            "Think about and solve the following problems step by step in Lean 4.\n\n"
            "import Mathlib\n\ntheorem five : ∀ (E : ℕ), 4 ≤ E → (5 ^ E) % 10000 = 3125 := by sorry",
        ),
        Message("assistant", f"```lean4\nimport Mathlib\n\n{theorem.statement} := by\n  omega\n  simp\n```"),
        Message(
            "user",
            """# Error 1:
Error message: 
omega could not

Lean 4 code snippet with error:
```lean4
001  | 
002  | theorem five : ∀ (E : ℕ), 4 ≤ E → (5 ^ E) % 10000 = 3125 := by
003 >|   omega
004  |   simp
```
""",  # noqa: W291
        ),
    )


STATE = TacticState((Goal("", pretty="n : ℕ\n⊢ gcd n n = n"), Goal("", pretty="case b\n⊢ p")))


def test_tactics_one_at_a_time():
    # lean-dojo/ReProver, README.md: state = "n : ℕ\n⊢ gcd n n = n" is tokenized as it is; the tactic it gives.
    reprover = family("reprover")
    assert reprover.prompt(TacticState(STATE.goals[:1]), V15) == Prompt("n : ℕ\n⊢ gcd n n = n")
    assert (
        reprover.tactic(Sample("rw [<a>nat.gcd</a>, <a>nat.gcd_self_right</a>]")) == "rw [nat.gcd, nat.gcd_self_right]"
    )
    # The model card of ByteDance-Seed/BFS-Prover: "{state}:::"; BFS-Prover-V2, src/search/prover_manager.py, gives it
    # all goals (`pp`) and strips the answer.
    bfs = family("bfs-prover")
    assert bfs.prompt(STATE, V15) == Prompt("n : ℕ\n⊢ gcd n n = n\n\ncase b\n⊢ p:::")
    assert bfs.tactic(Sample("simp [h] \n")) == "simp [h]"
    assert bfs.tactic(Sample("simp [h", finish="length")) == ""


def test_the_registry():
    kinds_wanted: dict[str, tuple[Kind, ...]] = {
        "deepseek-prover-v1.5": ("proof",),
        "deepseek-prover-v1.5-cot": ("proof",),
        "deepseek-prover-v2": ("proof",),
        "goedel-prover-v2": ("proof", "correction"),
        "kimina": ("proof", "correction"),
        "reprover": ("tactic",),
        "bfs-prover": ("tactic",),
        "own-tactic": ("tactic",),
        "own-proof": ("proof",),
    }
    assert {name: kinds(name) for name in FAMILIES} == kinds_wanted
    assert all(each.name == name for name, each in FAMILIES.items())


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("deepseek-ai/DeepSeek-Prover-V2-7B", "deepseek-prover-v2"),
        ("deepseek-ai/DeepSeek-Prover-V1.5-RL", "deepseek-prover-v1.5"),
        ("/models/models--Goedel-LM--Goedel-Prover-V2-8B/snapshots/0f3a", "goedel-prover-v2"),
        ("Goedel-LM/Goedel-Prover-SFT", "deepseek-prover-v1.5-cot"),
        ("AI-MO/Kimina-Prover-Preview-Distill-7B", "kimina"),
        ("kaiyuy/leandojo-lean4-tacgen-byt5-small", "reprover"),
        ("ByteDance-Seed/BFS-Prover-V2-32B", "bfs-prover"),
        ("goedel-prover-v2/tuned-from-DeepSeek_Prover_V2", "deepseek-prover-v2"),
    ],
)
def test_a_model_s_name_says_its_family(model, name):
    assert guessed(model) == name


def test_unknown_names_are_told_what_there_is():
    listed = ", ".join(FAMILIES)
    with pytest.raises(
        UserInputError, match=r"^No prompt family is known for `Qwen3-8B`; name one with --prompt: "
    ) as told:
        guessed("Qwen3-8B")
    assert str(told.value).endswith(f": {listed}.")
    with pytest.raises(UserInputError, match=r"^There is no prompt family `kimi`; there are ") as told:
        family_named("kimi")
    assert listed in str(told.value)
    with pytest.raises(
        UserInputError, match=r"`deepseek-prover-v2` corrects no proofs; goedel-prover-v2 and kimina do"
    ):
        correction_named("deepseek-prover-v2")

"""From `--policy` to what is opened: families, defaults, what a run keeps, and sentences for what does not fit."""

import json
import subprocess
import sys

import pytest

from prover.algorithms import SEARCHES, plan_named, wanted_of
from prover.policies.plan import plan_policy
from prover.policies.spec import Options
from prover.portfolio import PortfolioPolicy
from prover.portfolio.grammar import GrammarPolicy
from prover.prompts.own import MARKERS
from prover.sources import UserInputError

STEPS, WHOLE, CORRECT = plan_named("best-first"), plan_named("sample"), plan_named("correct")
V15 = "hf:deepseek-ai/DeepSeek-Prover-V1.5-RL"


def test_what_the_searches_want():
    wanted = {name: wanted_of(plan) for name, plan in SEARCHES.items()}
    assert wanted == {
        "best-first": "tactic", "mcts": "tactic", "beam": "tactic", "deepening": "tactic",
        "rmaxts": "proof", "sample": "proof", "correct": "correction",
    }  # fmt: skip


def test_the_portfolio_is_of_the_kind_that_is_wanted_and_keeps_its_name():
    for plan, kind in ((STEPS, PortfolioPolicy), (WHOLE, GrammarPolicy)):
        planned = plan_policy("portfolio", Options(), plan)
        assert (planned.text, planned.name) == ("portfolio", "portfolio")
        with planned.open() as opened:
            assert isinstance(opened.make(0), kind)
            assert opened.lost() == []


def test_all_that_answers_hang_on_is_in_the_text():
    def text(policy, plan=WHOLE, **options):
        return plan_policy(policy, Options(**options), plan).text

    assert text(V15) == f"{V15} (deepseek-prover-v1.5, temperature 1, at most 2048 tokens)"
    assert text(V15, prompt="deepseek-prover-v1.5-cot", temperature=0.8, max_tokens=4096) == (
        f"{V15} (deepseek-prover-v1.5-cot, temperature 0.8, at most 4096 tokens)"
    )
    assert text("hf:x/Goedel-Prover-V2-8B", CORRECT).endswith("(goedel-prover-v2, temperature 1, at most 32768 tokens)")
    assert text("0.7*portfolio+0.3*openai:BFS-Prover-V2", STEPS, base_url="http://localhost:8000/v1") == (
        "0.7*portfolio+0.3*openai:BFS-Prover-V2 "
        "(bfs-prover, temperature 1, at most 256 tokens, 8 samples, http://localhost:8000/v1)"
    )
    assert text("2*portfolio+2*onnx:m", STEPS, prompt="own-tactic", samples=3).startswith("portfolio+onnx:m (own-")
    texts = {text("hf:m", STEPS, prompt="own-tactic", **more) for more in (
        {}, {"samples": 4}, {"temperature": 0.5}, {"max_tokens": 5},
    )}  # fmt: skip
    assert len(texts) == 4


def test_a_folder_of_the_project_s_own_format_needs_no_prompt(tmp_path):
    tokens = [{"id": i, "content": marker} for i, marker in enumerate(MARKERS)]
    (tmp_path / "tokenizer.json").write_text(json.dumps({"added_tokens": tokens}))
    assert plan_policy(f"hf:{tmp_path}", Options(), STEPS).families == ("own-tactic",)
    assert plan_policy(f"portfolio+onnx:{tmp_path}", Options(), WHOLE).families == ("", "own-proof")
    for damaged in ("{", "[]", '{"added_tokens": 3}', '{"added_tokens": [{"content": "<|state|>"}]}'):
        (tmp_path / "tokenizer.json").write_text(damaged)
        with pytest.raises(UserInputError, match="No prompt family is known"):
            plan_policy(f"hf:{tmp_path}", Options(), STEPS)


@pytest.mark.parametrize(
    ("policy", "options", "plan", "said"),
    [
        (V15, Options(), STEPS, "for whole proofs, and this search wants tactics; choose --search rmaxts, sample, or"),
        (
            "hf:x/BFS-Prover-V2",
            Options(),
            WHOLE,
            "wants whole proofs; choose --search best-first, mcts, beam, deepening",
        ),
        (V15, Options(), CORRECT, "this search wants corrected proofs; choose --search rmaxts, sample, or another"),
        ("hf:model", Options(), WHOLE, "No prompt family is known for `model`; name one with --prompt: "),
        ("hf:model", Options(prompt="qed"), WHOLE, "There is no prompt family `qed`"),
        ("portfolio", Options(), CORRECT, "--search correct wants one model"),
        ("portfolio+hf:x/Goedel-Prover-V2-8B", Options(), CORRECT, "--search correct wants one model"),
        ("portfolio", Options(prompt="kimina"), WHOLE, "--prompt is for a model"),
    ],
)
def test_what_does_not_fit_is_one_sentence(policy, options, plan, said):
    with pytest.raises(UserInputError) as error:
        plan_policy(policy, options, plan)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_model_that_cannot_be_opened_is_one_sentence(tmp_path):
    for policy, prompt in ((f"hf:{tmp_path}/none", "own-tactic"), (f"onnx:{tmp_path}", "own-tactic")):
        with pytest.raises(UserInputError) as error:
            plan_policy(f"portfolio+{policy}", Options(prompt=prompt), STEPS).open()
        assert str(tmp_path) in str(error.value)


def test_the_portfolio_costs_no_torch():
    program = """
import sys
from prover.cli import app
from prover.policies.plan import plan_policy
from prover.policies.spec import Options
from search import BestFirst
plan_policy("portfolio", Options(), BestFirst()).open().make(0)
print([name for name in ("torch", "transformers", "onnxruntime", "vllm", "tokenizers") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("[]\n", "")

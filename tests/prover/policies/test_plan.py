"""From `--policy` to what is opened: families, defaults, what a run keeps, and sentences for what does not fit."""

import json
import re
import subprocess
import sys

import pytest

from prover.algorithms import SEARCHES, plan_named, wanted_of
from prover.policies.plan import plan_policy
from prover.policies.spec import Options
from prover.portfolio import PortfolioPolicy
from prover.portfolio.grammar import GrammarPolicy
from prover.prompts.own import MARKERS
from prover.prompts.registry import FAMILIES, kinds
from prover.shipped import FOLDER, VERSION
from prover.sources import UserInputError
from search import Correct

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
    assert text("2*portfolio+2*vllm:m", STEPS, prompt="own-tactic", samples=3).startswith("portfolio+vllm:m (own-")
    texts = {text("hf:m", STEPS, prompt="own-tactic", **more) for more in (
        {}, {"samples": 4}, {"temperature": 0.5}, {"max_tokens": 5}, {"top_p": 0.9},
    )}  # fmt: skip
    assert len(texts) == 5
    assert text(V15, top_p=0.95) == f"{V15} (deepseek-prover-v1.5, temperature 1, top-p 0.95, at most 2048 tokens)"
    assert text(V15, top_p=1.0) == text(V15)
    assert {each.top_p for each in plan_policy(V15, Options(top_p=0.95), WHOLE).settings} == {0.95}


def test_what_is_asked_where_nothing_is_said():
    steps = plan_policy(None, Options(), STEPS)
    assert (steps.name, steps.families) == ("shipped+portfolio", ("own-tactic", ""))
    assert steps.text == (
        f"shipped ({VERSION}, own-tactic, temperature 1, at most 256 tokens, 8 samples, 4 redraws)+portfolio"
    )
    assert (
        "0.5, at most 9 tokens, 4 samples, 2 redraws"
        in plan_policy(None, Options(None, None, 0.5, 9, 4, None, 2), STEPS).text
    )
    assert "redraws" not in plan_policy(None, Options(redraws=0), STEPS).text
    assert plan_policy(None, Options(), WHOLE).text == "portfolio"
    with pytest.raises(UserInputError, match="wants one model that corrects"):
        plan_policy(None, Options(), CORRECT)


def test_a_shipped_model_that_cannot_be_loaded_says_what_does_without(tmp_path, monkeypatch):
    monkeypatch.setattr("prover.policies.spec.FOLDER", tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((FOLDER / "tokenizer.json").read_bytes())
    (tmp_path / "model.onnx").write_bytes(b"cut off")
    with pytest.raises(UserInputError, match=r"cannot be loaded: .*\. `--policy portfolio` needs no model\."):
        plan_policy(None, Options(), STEPS).open()


def test_the_shipped_model_proposes_without_torch():
    program = r"""
import sys
from lean_env.goal import Goal, TacticState
from lean_env.theorem import Theorem
from prover.policies.plan import plan_policy
from prover.policies.spec import Options
from search import BestFirst
state = TacticState((Goal("p ∧ q", pretty="p q : Prop\n⊢ p ∧ q"),))
with plan_policy("shipped", Options(), BestFirst()).open() as opened:
    first, again = (opened.make(0).propose(state, Theorem("t", "theorem t : True")) for _ in range(2))
print(first == again, len({each.text for each in first if each.text}), "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["True", "8", "False"], done.stderr


def test_a_folder_of_the_project_s_own_format_needs_no_prompt(tmp_path):
    tokens = [{"id": i, "content": marker} for i, marker in enumerate(MARKERS)]
    (tmp_path / "tokenizer.json").write_text(json.dumps({"added_tokens": tokens}))
    assert plan_policy(f"hf:{tmp_path}", Options(), STEPS).families == ("own-tactic",)
    assert plan_policy(f"portfolio+onnx:{tmp_path}", Options(), WHOLE).families == ("", "own-proof")
    for damaged in ("{", "[]", '{"added_tokens": 3}', '{"added_tokens": [{"content": "<|state|>"}]}'):
        (tmp_path / "tokenizer.json").write_text(damaged)
        with pytest.raises(UserInputError, match="No prompt family is known"):
            plan_policy(f"hf:{tmp_path}", Options(), STEPS)


def test_an_adapter_is_asked_as_what_it_adapts(tmp_path):
    adapter, base = tmp_path / "adapter", tmp_path / "base"
    adapter.mkdir()
    base.mkdir()
    config = adapter / "adapter_config.json"
    config.write_text(json.dumps({"base_model_name_or_path": str(base)}))
    with pytest.raises(UserInputError, match=f"No prompt family is known for `{base}`"):
        plan_policy(f"hf:{adapter}", Options(), STEPS)
    tokens = [{"id": i, "content": marker} for i, marker in enumerate(MARKERS)]
    (base / "tokenizer.json").write_text(json.dumps({"added_tokens": tokens}))
    assert plan_policy(f"hf:{adapter}", Options(), STEPS).families == ("own-tactic",)
    config.write_text(json.dumps({"base_model_name_or_path": "AI-MO/Kimina-Prover-Distill-1.7B"}))
    assert plan_policy(f"hf:{adapter}", Options(), WHOLE).families == ("kimina",)
    # With a model of its own it is none.
    (adapter / "config.json").write_text("{}")
    with pytest.raises(UserInputError, match=f"No prompt family is known for `{adapter}`"):
        plan_policy(f"hf:{adapter}", Options(), WHOLE)


def test_every_family_and_every_search():
    """They fit, or one sentence names searches and each of those fits."""
    assert len(FAMILIES) >= 9
    for family in FAMILIES:
        for name, plan in SEARCHES.items():
            asked = f"hf:m asked as {family} by {name}"
            if wanted_of(plan) in kinds(family):
                assert plan_policy("hf:m", Options(prompt=family), plan).families == (family,), asked
                continue
            with pytest.raises(UserInputError) as error:
                plan_policy("hf:m", Options(prompt=family), plan)
            (said,) = str(error.value).splitlines()
            assert f"`{family}`" in said, asked
            found = re.search(r"choose --search ([a-z0-9, -]+), or another family with --prompt\.$", said)
            assert found, asked
            for other in found[1].split(", "):
                plan_policy("hf:m", Options(prompt=family), SEARCHES[other])


def test_rounds_are_the_correction_s_own():
    assert [plan_named("correct", rounds) for rounds in (5, 0, None)] == [Correct(5), Correct(0), Correct(2)]
    assert SEARCHES["correct"] == Correct(2)
    with pytest.raises(UserInputError, match="--rounds is for --search correct; `sample` corrects no proofs"):
        plan_named("sample", 2)


@pytest.mark.parametrize("prompt", [None, "own-tactic"])
@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("hf:/no/such/model", "There is no folder /no/such/model."),
        ("onnx:/no/x", "There is no folder /no/x."),
        ("onnx:x", "There is no folder x."),
        ("portfolio+vllm:~/no-such-model", "There is no folder ~/no-such-model."),
        ("hf:./x", "There is no folder ./x."),
        ("hf:a/b/c", "There is no folder a/b/c."),
        (f"hf:{__file__}", f"{__file__} is a file; name the folder that it lies in."),
    ],
)
def test_a_folder_that_is_not_there(policy, said, prompt):
    with pytest.raises(UserInputError) as error:
        plan_policy(policy, Options(prompt=prompt), STEPS)
    assert str(error.value) == said


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

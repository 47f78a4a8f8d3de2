"""`prover prove --policy hf:FOLDER` from end to end, with every search: a tiny model, real torch, real Lean.

The model is trained here, in seconds, to know one theorem by heart; another one stays as it was initialised.
"""

import json
import re
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

import prover.commands.bench
import prover.commands.prove
from lean_env import Candidate
from prover.algorithms import SEARCHES
from prover.cli import app
from prover.model.config import ModelConfig
from prover.policies.plan import plan_policy
from prover.policies.spec import Options
from prover.prompts.own import END, proof_prompt, proof_text, tactic_prompt, tactic_text
from prover.prompts.plan_first import GoedelProverV2
from prover.proving import prove
from prover.runs.store import read_run
from prover.sampling.sampler import Prompt
from prover.sampling.transformers_sampler import transformers_sampler
from prover.sources import UserInputError, from_text
from search import Budget, FailedProof, ProofPrompt, to_json

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

TEXT = "theorem t (p q : Prop) (h : p ∧ q) : q ∧ p"
TACTIC = "exact ⟨h.2, h.1⟩"
WRONG = "```lean4\ntheorem t (p q : Prop) (h : p ∧ q) : q ∧ p := by\n  exact h\n```"
RIGHT = WRONG.replace("exact h", TACTIC)
CHAT = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
SIZES = ModelConfig(vocabulary=600, hidden=64, layers=2, heads=2, key_value_heads=1, intermediate=128, context=2048)


@pytest.fixture(scope="module")
def theorem():
    return from_text(TEXT, "<text>")[0].theorem


@pytest.fixture(scope="module")
def folder(tmp_path_factory, pool, verifier, theorem):
    """A model that knows a tactic for the theorem, a proof, and, asked as Goedel-Prover-V2, a wrong one and a cure."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from prover.model.create import create

    place = tmp_path_factory.mktemp("model")
    with pool.session(theorem) as session:
        start = session.start
    verdict = verifier.verify(theorem, Candidate("by\n  exact h"))
    assert verdict.reward == 0
    goedel = GoedelProverV2("goedel-prover-v2", "")
    pairs = [
        (Prompt(tactic_prompt(start.pretty)), TACTIC),
        (Prompt(proof_prompt(TEXT)), TACTIC),
        (goedel.prompt(ProofPrompt(theorem, start)), WRONG),
        (goedel.correction(theorem, FailedProof("by\n  exact h", verdict.messages)), RIGHT),
    ]
    said = [message.text for prompt, _ in pairs for message in prompt.messages]
    create(place, [tactic_text(start.pretty, TACTIC), proof_text(TEXT, TACTIC), *said, RIGHT], SIZES)
    tokenizer = AutoTokenizer.from_pretrained(place)
    tokenizer.chat_template = CHAT
    tokenizer.save_pretrained(place)
    model = AutoModelForCausalLM.from_pretrained(place)
    encode = transformers_sampler(model, tokenizer).vocabulary.encode
    rows = []
    for prompt, answer in pairs:
        given, wanted = encode(prompt), encode(Prompt(answer + END))
        rows.append((torch.tensor([[*given, *wanted]]), torch.tensor([[*[-100] * len(given), *wanted]])))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(200):
        losses = [model(input_ids=ids, labels=labels).loss for ids, labels in rows]
        sum(losses).backward()
        optimizer.step()
        optimizer.zero_grad()
        if max(loss.item() for loss in losses) < 0.003:
            break
    model.save_pretrained(place)
    return place


@pytest.fixture
def run(pool, monkeypatch):
    """Runs the command line in this process, on the shared pool."""

    @contextmanager
    def shared(lean, workers, tasks):
        yield pool

    monkeypatch.setattr(prover.commands.prove, "open_pool", shared)
    monkeypatch.setattr(prover.commands.bench, "open_pool", shared)

    def call(*arguments):
        result = CliRunner().invoke(app, list(map(str, arguments)))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    return call


@pytest.mark.parametrize("search", [name for name in SEARCHES if name != "correct"])
def test_every_search_proves_with_a_model(run, folder, search):
    options = ["--search", search, "--samples", 2, "--budget-samples", 10, "--json", "--no-shorten"]
    options = options if search not in ("rmaxts", "sample") else [o for o in options if o not in ("--samples", 2)]
    result = run("prove", TEXT, "--policy", f"hf:{folder}", "--max-tokens", 40, *options)
    (row,) = map(json.loads, result.stdout.splitlines())
    assert (row["proved"], row["proof"], result.exit_code) == (True, f"by\n  {TACTIC}", 0), result.output
    assert row["verdict"]["stage"] == "proved"
    # The tactic has some tokens, and each answer the end as one more.
    assert row["spent"]["tokens"] >= 2 * row["spent"]["samples"]


def test_a_proof_is_corrected_after_lean_s_words(run, folder):
    result = run(
        "prove", TEXT, "--policy", f"hf:{folder}", "--prompt", "goedel-prover-v2", "--search", "correct",
        "--temperature", 0, "--max-tokens", 150, "--budget-samples", 6, "--json", "--no-shorten",
    )  # fmt: skip
    (row,) = map(json.loads, result.stdout.splitlines())
    assert (row["proved"], row["proof"]) == (True, f"by\n  {TACTIC}"), result.output
    # Two workers: each has written the wrong proof before one corrects it.
    assert row["spent"]["lean_calls"] <= row["spent"]["samples"] <= 6


def test_a_mixture_with_the_portfolio(run, folder):
    options = ["--max-tokens", 40, "--samples", 2, "--budget-samples", 10, "--json", "--no-shorten"]
    result = run("prove", TEXT, "--policy", f"0.1*portfolio+0.9*hf:{folder}", *options)
    (row,) = map(json.loads, result.stdout.splitlines())
    # The model's one tactic has nine tenths of the whole, and goes first; the other worker tries the portfolio's best.
    assert row["proof"] == f"by\n  {TACTIC}"
    assert row["spent"]["samples"] <= 2


def test_a_benchmark_run_keeps_how_the_model_was_asked(run, folder, tmp_path):
    rows = tmp_path / "one.jsonl"
    rows.write_text(json.dumps({"name": "t", "formal_statement": TEXT}))
    options = ["--policy", f"hf:{folder}", "--samples", 2, "--budget-samples", 4, "--out", tmp_path / "run"]
    result = run("bench", rows, *options)
    assert "1 of 1 theorems proved" in result.stdout, result.output
    said = f"hf:{folder} (own-tactic, temperature 1, at most 256 tokens, 2 samples)"
    assert read_run(tmp_path / "run").settings["policy"] == said
    again = run("bench", rows, *options, "--temperature", 0.5)
    assert again.exit_code == 2
    assert f"the policy was {said} and is hf:{folder} (own-tactic, temperature 0.5, " in again.stderr


@pytest.mark.parametrize("search", ["best-first", "sample"])
def test_the_same_seed_gives_the_same_search(pool, theorem, folder, search):
    def graph(seed):
        # Hot enough for the model to say other things than what it knows.
        options = Options(temperature=3.0, max_tokens=12, samples=4 if search == "best-first" else None)
        with plan_policy(f"hf:{folder}", options, SEARCHES[search]).open() as opened:
            budget = Budget(samples=4, lean_calls=8, seconds=None)
            result = prove(theorem, pool, opened.make(seed), budget, algorithm=SEARCHES[search], seed=seed)
        assert result.graph is not None
        return re.sub(r'"seconds": [^,}]*', "", to_json(result.graph)), result.spent.tokens

    first = graph(5)
    assert first == graph(5)
    assert len({graph(seed) for seed in range(5, 9)}) > 1
    assert first[1] > 0


def test_prompts_that_do_not_fit_are_failures_of_the_prover_s_and_are_told(run, tmp_path):
    from prover.model.create import create

    create(tmp_path, ["theorem"], ModelConfig(300, 32, 1, 1, 1, 32, context=24))
    result = run("prove", TEXT, "--policy", f"hf:{tmp_path}", "--budget-samples", 5)
    assert result.exit_code == 1
    assert "-- t: not proved: " in result.stdout
    assert "policy" not in result.stdout
    told = "8 of 8 answers are empty, as the prompt is longer than the model's context"
    assert f"prover: hf:{tmp_path}: {told}\n" in result.stderr


def test_a_model_that_cannot_be_asked_so_is_found_at_the_start(run, tmp_path):
    from transformers import AutoTokenizer

    from prover.model.create import create

    pytest.importorskip("onnx")
    from prover.model.onnx_export import export

    create(tmp_path / "base", ["theorem"], ModelConfig(300, 32, 1, 1, 1, 32, context=2048))
    export(tmp_path / "base", tmp_path / "onnx", int8=False)
    for policy, why in (
        (f"hf:{tmp_path}/base", "the model has no chat template"),
        (f"onnx:{tmp_path}/onnx", "an exported model has no chat template"),
    ):
        for search in ("sample", "correct"):
            result = run("prove", TEXT, "--policy", policy, "--prompt", "kimina", "--search", search)
            assert (result.exit_code, result.stdout) == (2, "")
            (line,) = result.stderr.splitlines()
            assert line.startswith(f"prover: {policy} cannot be asked as `kimina`: {why}")
    # The turns of a correction may be what does not suit a template.
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "base")
    tokenizer.chat_template = "{% if messages | length > 3 %}{{ raise_exception('one question only') }}{% endif %}x"
    tokenizer.save_pretrained(tmp_path / "base")

    def planned(search):
        return plan_policy(f"hf:{tmp_path}/base", Options(prompt="kimina"), SEARCHES[search])

    with planned("sample").open() as opened:
        assert opened.lost() == []
    with pytest.raises(UserInputError, match=r"as `kimina`: the model's chat template refuses .* one question only\.$"):
        planned("correct").open()


@pytest.mark.parametrize(
    ("policy", "more", "said"),
    [
        ("hf:/no/such/model", [], "prover: There is no folder /no/such/model."),
        ("portfolio", ["--rounds", "3"], "prover: --rounds is for --search correct"),
        ("portfolio", ["--top-p", "0.5"], "prover: --top-p is for a model"),
        ("oracle", [], "prover: --policy is `portfolio`, `templates`, `shipped`, `hf:PATH`"),
        ("portfolio", ["--redraws", "3"], "prover: --redraws is for a model"),
        ("templates", ["--search", "sample"], "prover: `templates` proposes tactics for a state"),
        ("portfolio", ["--search", "correct"], "prover: --search correct wants one model"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(run, policy, more, said):
    result = run("prove", TEXT, "--policy", policy, *more)
    assert result.exit_code == 2
    assert result.stderr.startswith(said)
    assert len(result.stderr.strip().splitlines()) == 1

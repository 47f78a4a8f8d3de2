"""The small model: its size, its tokenizer, and what it learns from."""

import ast
import filecmp
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prover.sampling
from prover.model.config import DEFAULT, ModelConfig, parameter_count
from prover.model.formats import proof_example, tactic_example
from prover.prompts.own import END, MARKERS

pytest.importorskip("tokenizers")

from prover.model.tokenizer import LEAST, PAD, as_transformers, train

TEXTS = ("theorem t (n : Nat) : n + 0 = n\nsimp\nomega\ninduction n with", "⊢ ∀ x ∈ s, x = x ∧ True\nintro x hx")
TOKENIZER = train(TEXTS, 340)


def ids(text):
    return TOKENIZER.encode(text).ids


def test_the_size_of_the_default_by_hand():
    # A layer: queries and output 2 * 256 * 256, keys and values 2 * 256 * 128, three of 256 * 704, two norms of 256.
    layer = 131_072 + 65_536 + 540_672 + 512
    assert parameter_count(DEFAULT) == 4096 * 256 + 8 * layer + 256 == 6_951_168


def test_sizes_that_do_not_divide():
    with pytest.raises(ValueError, match="divide"):
        ModelConfig(hidden=100, heads=3)


def test_sampling_knows_nothing_of_this_package():
    files = list(Path(prover.sampling.__path__[0]).rglob("*.py"))
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8")))]
    imported = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    assert "prover.sampling.sampler" in imported
    assert not [name for name in imported if name.startswith("prover.model")]


def test_a_created_folder_is_an_ordinary_one(tmp_path):
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    from prover.model.create import create

    config = ModelConfig(vocabulary=340, hidden=32, layers=2, heads=2, key_value_heads=1, intermediate=48, context=64)
    state = torch.random.get_rng_state()
    create(tmp_path / "a", TEXTS, config)
    create(tmp_path / "b", iter(TEXTS), config)
    assert torch.equal(torch.random.get_rng_state(), state)
    names = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == names
    assert filecmp.cmpfiles(tmp_path / "a", tmp_path / "b", names, shallow=False) == (names, [], [])
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "a")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "a")
    assert model.config.vocab_size == len(tokenizer) <= 340
    sized = ModelConfig(len(tokenizer), hidden=32, layers=2, heads=2, key_value_heads=1, intermediate=48, context=64)
    assert model.num_parameters() == parameter_count(sized)
    assert model.generation_config.eos_token_id == model.config.eos_token_id == tokenizer.eos_token_id
    assert tokenizer.convert_ids_to_tokens(tokenizer.eos_token_id) == END
    assert tokenizer.pad_token == PAD
    text = "⊢ ℝ𝔽 12\n<|tactic|>\nsimp<|end|>"
    assert tokenizer(text)["input_ids"] == ids(text)
    assert tokenizer.decode(ids(text)) == text


@given(st.text(max_size=30))
@settings(deadline=None)
def test_no_text_is_unknown(text):
    assert TOKENIZER.decode(ids(text), skip_special_tokens=False) == text


def test_markers_are_tokens_and_digits_are_apart():
    assert [TOKENIZER.id_to_token(i) for i in ids("".join(MARKERS))] == list(MARKERS)
    assert [TOKENIZER.id_to_token(i) for i in ids("2024")] == ["2", "0", "2", "4"]
    assert len(ids("induction")) < len("induction")  # it was in the texts


def test_the_same_texts_give_the_same_tokenizer():
    assert train(iter(TEXTS), 340).to_str() == TOKENIZER.to_str()
    assert train((), 5000).get_vocab_size() == LEAST
    with pytest.raises(ValueError, match="no room"):
        train(TEXTS, LEAST - 1)


def test_a_tokenizer_for_transformers_adds_nothing_to_a_prompt():
    pytest.importorskip("transformers")
    tokenizer = as_transformers(TOKENIZER, 64)
    assert tokenizer("n : Nat")["input_ids"] == ids("n : Nat")
    assert tokenizer.model_max_length == 64


@pytest.mark.parametrize(
    ("example", "prompt", "answer"),
    [
        (
            tactic_example("n : Nat\n⊢ n + 0 = n", "simp", ids),
            "<|state|>\nn : Nat\n⊢ n + 0 = n\n<|tactic|>\n",
            "simp<|end|>",
        ),
        (
            proof_example("theorem t : p ∧ q", "constructor\n· simp\n· omega", ids),
            "<|theorem|>\ntheorem t : p ∧ q\n<|proof|>\n",
            "constructor\n· simp\n· omega<|end|>",
        ),
    ],
)
def test_the_answer_alone_is_learned(example, prompt, answer):
    given: list[int] = []
    learned: list[int] = []
    for token, wanted in zip(example.token_ids, example.learned, strict=True):
        (learned if wanted else given).append(token)
    assert given == ids(prompt)  # as it is encoded when the model is asked
    assert learned == ids(answer)
    assert list(example.token_ids) == given + learned

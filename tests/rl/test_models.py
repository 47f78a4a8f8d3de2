"""Models are opened for training and saved, and `hf:FOLDER` opens what was saved."""

import os
import shutil
from pathlib import Path

import pytest
import torch

from prover.model.config import ModelConfig
from prover.model.create import create
from prover.sampling.sampler import Prompt, Request, Settings
from prover.sampling.transformers_sampler import load, open_transformers
from prover.sources import UserInputError
from rl.models import PeftOptions, open_trainable, save
from tests.rl.learning import bits

IDS = torch.tensor([[5, 17, 101, 42, 9, 250]])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "base"
    create(folder, ["theorem t : 1 + 1 = 2 := by decide"], ModelConfig(320, 32, 2, 2, 1, 48, context=64), seed=3)
    return folder


def logits(model) -> torch.Tensor:
    model.eval()
    with torch.inference_mode():
        return model(IDS).logits


def disturb(model, seed: int = 0) -> None:
    """Moves every weight that is trained, as an update does."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight += 0.05 * torch.randn(weight.shape, generator=generator)


def test_a_trained_model_is_saved_and_opens_with_hf(base, tmp_path):
    model, tokenizer = open_trainable(str(base))
    assert model.dtype == torch.float32
    assert all(weight.requires_grad for weight in model.parameters())
    disturb(model)
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, 7]  # a second end must not be lost
    save(model, tokenizer, tmp_path / "model")
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json"} <= names
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    again, _ = open_trainable(str(tmp_path / "model"))
    for (name, before), after in zip(model.named_parameters(), again.parameters(), strict=True):
        assert torch.equal(before, after), name
    sampler = open_transformers(str(tmp_path / "model"))
    assert sampler.vocabulary.ends == {tokenizer.eos_token_id, 7}
    sample = sampler.sample([Request(Prompt("theorem t"), Settings(max_tokens=4), seed=1)])[0]
    prompt = tokenizer("theorem t")["input_ids"]
    whole = torch.tensor([[*prompt, *sample.token_ids]])
    with torch.inference_mode():
        said = torch.log_softmax(model.eval()(whole).logits[0].float(), -1)
    expected = [said[len(prompt) - 1 + i, token].item() for i, token in enumerate(sample.token_ids)]
    assert sample.token_log_probabilities == pytest.approx(expected, abs=1e-4)


def test_saving_again_replaces(base, tmp_path):
    model, tokenizer = open_trainable(str(base))
    save(model, tokenizer, tmp_path / "model")
    first = logits(open_trainable(str(tmp_path / "model"))[0])
    assert torch.equal(first, logits(model))
    disturb(model)
    save(model, tokenizer, tmp_path / "model")
    second = logits(open_trainable(str(tmp_path / "model"))[0])
    assert torch.equal(second, logits(model))
    assert not torch.equal(first, second)


def test_weights_in_bfloat16(base, tmp_path):
    model, tokenizer = open_trainable(str(base), dtype="bfloat16")
    assert model.dtype == torch.bfloat16
    save(model, tokenizer, tmp_path / "model")
    again, _ = open_trainable(str(tmp_path / "model"), dtype="bfloat16")
    assert torch.equal(model.lm_head.weight, again.lm_head.weight)


def test_lora_trains_beside_the_weights_and_opens_with_hf(base, tmp_path, monkeypatch):
    monkeypatch.chdir(base.parent)
    peft = PeftOptions(lora_rank=4, lora_alpha=8)
    model, tokenizer = open_trainable("base", peft=peft)  # a relative path
    trained = [name for name, weight in model.named_parameters() if weight.requires_grad]
    # A and B for the 7 linear layers of each of 2 blocks; the head, which is the embedding, has none.
    assert len(trained) == 2 * 7 * 2
    assert all("lora_" in name for name in trained)
    plain, _ = load(str(base), "cpu", "float32")
    assert torch.equal(logits(model), logits(plain))  # the product begins as 0
    disturb(model)
    changed = logits(model)
    assert (changed - logits(plain)).abs().max() > 0.01
    save(model, tokenizer, tmp_path / "adapter")
    names = {path.name for path in (tmp_path / "adapter").iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json"} <= names
    assert "model.safetensors" not in names

    monkeypatch.chdir(tmp_path)  # the base is found from anywhere
    merged, _ = load("adapter", "cpu", "float32")
    assert torch.allclose(logits(merged), changed, atol=1e-5)
    sampler = open_transformers("adapter")
    assert sampler.sample([Request(Prompt("theorem"), Settings(max_tokens=2))])[0].finish in ("stop", "length")
    again, _ = open_trainable("adapter", peft=peft)
    assert [name for name, weight in again.named_parameters() if weight.requires_grad] == trained
    for (name, before), after in zip(model.named_parameters(), again.parameters(), strict=True):
        assert torch.equal(before, after), name
    disturb(again, 1)
    save(again, tokenizer, tmp_path / "adapter")
    assert torch.allclose(logits(load("adapter", "cpu", "float32")[0]), logits(again), atol=1e-5)

    with pytest.raises(UserInputError, match="adapter of rank 4 and alpha 8, which is trained on as it is"):
        open_trainable("adapter", peft=PeftOptions(lora_rank=2, lora_alpha=8))


def new_adapter(base, seed):
    model, _ = open_trainable(str(base), peft=PeftOptions(lora_rank=2), seed=seed)
    return bits([weight for weight in model.parameters() if weight.requires_grad])


def test_a_new_adapter_hangs_on_the_seed_alone(base):
    before = torch.random.get_rng_state()
    first = new_adapter(base, 1)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(1)
    assert new_adapter(base, 1) == first
    assert new_adapter(base, 2) != first


def test_what_cannot_be_opened(base, tmp_path):
    with pytest.raises(UserInputError, match=r"There is no folder /nowhere/at/all\."):
        open_trainable("/nowhere/at/all")
    with pytest.raises(UserInputError, match=r"has no config\.json"):
        open_trainable(str(tmp_path))
    if not torch.cuda.is_available():
        with pytest.raises(UserInputError, match="PyTorch finds no CUDA device here"):
            open_trainable(str(base), device="cuda")
    copy = tmp_path / "copy"
    shutil.copytree(base, copy)
    model, tokenizer = open_trainable(str(copy), peft=PeftOptions(lora_rank=2))
    save(model, tokenizer, tmp_path / "adapter")
    (tmp_path / "adapter" / "adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(UserInputError, match=r"The adapter in .* does not fit its model: .*header too small\."):
        open_trainable(str(tmp_path / "adapter"))
    shutil.rmtree(copy)
    with pytest.raises(UserInputError, match=rf"adapts the model in {copy}, and there is no such folder\."):
        open_trainable(str(tmp_path / "adapter"))
    with pytest.raises(UserInputError, match="--lora-rank is at least 1, not 0"):
        PeftOptions(lora_rank=0)
    with pytest.raises(UserInputError, match="--lora-alpha is at least 1, not 0"):
        PeftOptions(lora_alpha=0)


def test_a_model_is_not_saved_into_what_is_no_folder(base, tmp_path):
    model, tokenizer = open_trainable(str(base))
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserInputError, match="cannot be written: "):
        save(model, tokenizer, tmp_path / "file" / "model")
    assert os.listdir(tmp_path) == ["file"]

"""Sampling from tiny random models, against forward passes without a cache and the library's own `generate`."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from prover.sampling import drawing, transformers_sampler
from prover.sampling.decoding import DecoderFault
from prover.sampling.sampler import Message, Prompt, Request, SamplerError, Settings
from prover.sampling.transformers_sampler import open_transformers

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers import (  # noqa: E402
    AutoModelForCausalLM,
    AutoTokenizer,
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from tests.prover.sampling.small_models import CONTEXT, SHAPES, save  # noqa: E402

SHARED = "<|theorem|>\ntheorem t (n : Nat) : n + 0 = n ∧ ∀ x ∈ s, x = x\n<|proof|>\n"
PROMPTS = tuple(SHARED + "intro x\n" * i + "exact ⟨rfl" for i in range(3))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}

    def folder(kind):
        if kind not in made:
            made[kind] = str(save(tmp_path_factory.mktemp(kind), kind))
        return made[kind]

    return folder


@pytest.fixture(scope="module")
def llama(folders):
    return open_transformers(folders("llama"), device="cpu")


def request(text, seed=0, **settings):
    return Request(Prompt(text), Settings(**{"max_tokens": 16, **settings}), seed)


def teacher_forced(model, prompt, ids, temperature, top_p):
    """Log-probabilities of `ids` by one pass over the whole text, and the library's own temperature and top-p."""
    with torch.inference_mode():
        logits = model(torch.tensor([[*prompt, *ids]])).logits[0, len(prompt) - 1 : -1].float()
    warpers = LogitsProcessorList()
    if temperature > 0:
        warpers.append(TemperatureLogitsWarper(temperature))
        if top_p < 1:
            warpers.append(TopPLogitsWarper(top_p))
    found = torch.log_softmax(warpers(None, logits), dim=-1)
    return found[torch.arange(len(ids)), torch.tensor(ids)].numpy()


@pytest.mark.parametrize("kind", SHAPES)
def test_log_probabilities_are_those_of_a_teacher_forced_pass(folders, kind):
    sampler = open_transformers(folders(kind), device="cpu", rows=5)
    model = AutoModelForCausalLM.from_pretrained(folders(kind), dtype=torch.float32)
    settings = [(1.0, 1.0), (0.6, 1.0), (1.3, 0.8), (0.0, 1.0)]
    asked = [
        request(text, seed, temperature=temperature, top_p=top_p)
        for text in PROMPTS
        for seed, (temperature, top_p) in enumerate(settings)
    ]
    for each, sample in zip(asked, sampler.sample(asked), strict=True):
        prompt = sampler.vocabulary.encode(each.prompt)
        expected = teacher_forced(model, prompt, sample.token_ids, each.settings.temperature, each.settings.top_p)
        assert sample.token_log_probabilities == pytest.approx(expected, abs=1e-4)
        assert sample.tokens == len(sample.token_ids) == len(sample.token_log_probabilities) > 0


@pytest.mark.parametrize("kind", SHAPES)
def test_greedy_is_the_library_s_own(folders, kind):
    sampler = open_transformers(folders(kind), device="cpu")
    model = AutoModelForCausalLM.from_pretrained(folders(kind), dtype=torch.float32)
    for text, sample in zip(PROMPTS, sampler.sample([request(t, temperature=0.0) for t in PROMPTS]), strict=True):
        ids = torch.tensor([sampler.vocabulary.encode(Prompt(text))])
        expected = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=16)
        assert list(sample.token_ids) == expected[0, ids.shape[1] :].tolist()


def test_the_same_request_alone_and_among_others(llama):
    asked = [request(PROMPTS[i % 3], seed=i, max_tokens=8 + 2 * i) for i in range(8)]
    together = llama.sample(asked)
    for each, sample in zip(asked, together, strict=True):
        (alone,) = llama.sample([each])
        assert alone.token_ids == sample.token_ids
        assert alone.text == sample.text
        assert alone.token_log_probabilities == pytest.approx(sample.token_log_probabilities, abs=1e-5)
    assert len({sample.token_ids for sample in together}) == 8


def test_what_is_shared_is_run_once_and_the_finished_are_dropped(folders):
    model = AutoModelForCausalLM.from_pretrained(folders("llama"))
    sampler = transformers_sampler.transformers_sampler(model, AutoTokenizer.from_pretrained(folders("llama")))
    shapes: list[tuple[int, ...]] = []
    model.register_forward_pre_hook(
        lambda _, args, given: shapes.append(tuple(given["input_ids"].shape)), with_kwargs=True
    )
    lengths = [len(sampler.vocabulary.encode(Prompt(text))) for text in PROMPTS]
    sampler.sample([request(PROMPTS[0], seed=i, max_tokens=1 + i) for i in range(4)])
    assert shapes == [(1, lengths[0]), (4 - 1, 1), (2, 1), (1, 1)]
    shapes.clear()
    sampler.sample([request(text, seed=i, max_tokens=2) for text in PROMPTS for i in range(4)])
    prefix = sampler.vocabulary.encode(Prompt(SHARED))
    (_, shared), (prompts, rest), (rows, one) = shapes
    assert (prompts, rows, one) == (3, 12, 1)
    assert shared >= len(prefix)
    assert shared + rest == lengths[2]


def test_special_tokens_that_end(llama):
    ids = llama.vocabulary.special
    assert llama.vocabulary.ends == {ids["<|end|>"]}
    assert {"<|state|>", "<|tactic|>", "<|theorem|>", "<|proof|>", "<|pad|>"} <= set(ids)
    assert llama.vocabulary.context == CONTEXT


def test_all_ends_that_the_model_names_are_ends(folders):
    model = AutoModelForCausalLM.from_pretrained(folders("llama"))
    model.generation_config.eos_token_id = [17, 23]
    tokenizer = AutoTokenizer.from_pretrained(folders("llama"))
    vocabulary = transformers_sampler.vocabulary_of(model, tokenizer)
    assert vocabulary.ends == {17, 23, tokenizer.eos_token_id}


def test_an_answer_ends_at_the_end_token_and_at_a_stop_text(llama):
    found = llama.sample([request(PROMPTS[0], seed=i, max_tokens=180) for i in range(64)])
    ended = [sample for sample in found if sample.finish == "stop"]
    assert ended
    assert all(llama.vocabulary.ends.isdisjoint(sample.token_ids[:-1]) for sample in found)
    assert all(sample.token_ids[-1] in llama.vocabulary.ends and "<|end|>" not in sample.text for sample in ended)
    long = max(found, key=lambda sample: len(sample.text))
    stop = next(long.text[at : at + 3] for at in range(5, 99) if "\ufffd" not in long.text[at : at + 3])
    again = replace(request(PROMPTS[0], seed=found.index(long), max_tokens=180, stop=(stop,)))
    (cut,) = llama.sample([again])
    assert cut.text == long.text[: long.text.index(stop)]
    assert cut.finish == "stop"
    assert cut.token_ids == long.token_ids[: cut.tokens]
    assert stop in llama.vocabulary.decode(cut.token_ids)
    assert stop not in llama.vocabulary.decode(cut.token_ids[:-1])


def test_prompts_too_long_fail_alone_and_answers_fill_the_context(llama):
    prompt = "x" * (CONTEXT - 5)
    assert len(llama.vocabulary.encode(Prompt(prompt))) == CONTEXT - 5
    long, good, *full = llama.sample(
        [request("omega " * 200), request("omega"), *(request(prompt, seed, max_tokens=50) for seed in range(8))]
    )
    assert (long.finish, long.tokens) == ("length", 0)
    assert "tokens, the model's context 256" in long.error
    assert {sample.tokens for sample in full if sample.finish == "length"} == {5}
    assert all(sample.tokens <= 5 for sample in full)
    assert good.finish != "error"


def test_messages_go_through_the_model_s_chat_template(folders, llama):
    (refused,) = llama.sample([Request(Prompt(messages=(Message("user", "prove"),)))])
    assert refused.error.startswith("the model has no chat template")
    tokenizer = AutoTokenizer.from_pretrained(folders("llama"))
    turn = "{% for m in messages %}[{{ m.role }}]{{ m.content }}|{% endfor %}"
    tokenizer.chat_template = turn + "{% if add_generation_prompt %}[assistant]{% endif %}"
    vocabulary = transformers_sampler.vocabulary_of(AutoModelForCausalLM.from_pretrained(folders("llama")), tokenizer)

    def text(*messages):
        return tokenizer.decode(vocabulary.encode(Prompt(messages=messages)))

    assert text(Message("system", "s"), Message("user", "u")) == "[system]s|[user]u|[assistant]"
    assert text(Message("user", "u"), Message("assistant", "simp")) == "[user]u|[assistant]simp"


def test_threads_get_what_they_would_alone(llama):
    asked = [[request(PROMPTS[i % 3], seed=i)] for i in range(6)]
    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(llama.sample, asked))
    assert [s.token_ids for (s,) in together] == [s.token_ids for (s,) in map(llama.sample, asked)]


def test_drawing_on_a_device_is_drawing():
    from prover.sampling.torch_decoder import draw_on_device

    random = np.random.default_rng(0)
    logits = random.normal(size=(64, 50)).astype(np.float32) * 3
    logits[5] = np.nan
    temperatures = random.choice([0.0, 0.5, 1.0, 1.7], size=64)
    top_ps = random.choice([0.0, 0.3, 0.9, 1.0], size=64)
    chosen = random.random(64)
    expected = drawing.draw(logits, temperatures, top_ps, chosen)
    tokens, found = draw_on_device(torch.from_numpy(logits), temperatures, top_ps, chosen)
    sound = np.arange(64) != 5
    assert tokens[sound].tolist() == expected[0][sound].tolist()
    assert found[sound] == pytest.approx(expected[1][sound], abs=1e-5)
    assert np.isnan(found[5])


def test_want_of_memory_is_told_from_other_faults():
    from prover.sampling.torch_decoder import _faults

    with pytest.raises(MemoryError), _faults():
        torch.empty(10**15)
    with pytest.raises(DecoderFault, match="shapes cannot be multiplied"), _faults():
        torch.ones(2, 3) @ torch.ones(2, 3)


def test_an_adapter_is_added_to_its_model(folders, tmp_path):
    peft = pytest.importorskip("peft")
    base = AutoModelForCausalLM.from_pretrained(folders("llama"))
    settings = peft.LoraConfig(
        r=4, target_modules=["q_proj", "down_proj"], init_lora_weights=False, task_type="CAUSAL_LM"
    )
    torch.manual_seed(1)
    adapted = peft.get_peft_model(base, settings).eval()
    adapted.save_pretrained(tmp_path / "adapter")
    sampler = open_transformers(str(tmp_path / "adapter"), device="cpu")
    (sample,) = sampler.sample([request(PROMPTS[0])])
    prompt = sampler.vocabulary.encode(Prompt(PROMPTS[0]))
    expected = teacher_forced(adapted, prompt, sample.token_ids, 1.0, 1.0)
    assert sample.token_log_probabilities == pytest.approx(expected, abs=1e-4)
    plain = AutoModelForCausalLM.from_pretrained(folders("llama"))
    assert teacher_forced(plain, prompt, sample.token_ids, 1.0, 1.0) != pytest.approx(expected, abs=1e-2)


def refusal(name, **options):
    with pytest.raises(SamplerError) as caught:
        open_transformers(str(name), **{"device": "cpu", **options})
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


def test_what_cannot_be_opened_is_refused_in_one_sentence(folders, tmp_path, monkeypatch):
    assert refusal(tmp_path / "none") == f"There is no folder {tmp_path / 'none'}."
    (tmp_path / "empty").mkdir()
    assert "has no config.json" in refusal(tmp_path / "empty")
    file = tmp_path / "file"
    file.write_text("")
    assert "is a file" in refusal(file)
    (tmp_path / "empty" / "adapter_config.json").write_text("{}")
    assert "base_model_name_or_path" in refusal(tmp_path / "empty")
    if not torch.cuda.is_available():
        assert "no CUDA device" in refusal(folders("llama"), device="cuda")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))
    assert "0.0 GiB are free; choose a smaller model" in refusal(folders("llama"))


def test_a_folder_in_the_home_of_the_user(folders, tmp_path, monkeypatch):
    peft = pytest.importorskip("peft")
    base = AutoModelForCausalLM.from_pretrained(folders("llama"))
    settings = peft.LoraConfig(r=4, target_modules=["q_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    peft.get_peft_model(base, settings).save_pretrained(tmp_path / "adapter")
    save(tmp_path / "model")
    monkeypatch.setenv("HOME", str(tmp_path))
    home, whole = (open_transformers(place, device="cpu") for place in ("~/model", str(tmp_path / "model")))
    assert home.sample([request("omega")]) == whole.sample([request("omega")])
    assert open_transformers("~/adapter", device="cpu").name == "hf:~/adapter"
    assert refusal("~/none") == "There is no folder ~/none."


def test_damaged_folders(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = save(tmp_path / "model")
    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    save_file({k: v for k, v in tensors.items() if "layers.1.mlp.up" not in k}, weights, {"format": "pt"})
    assert "lacks 1 of the model's weights, model.layers.1.mlp.up_proj.weight" in refusal(folder)
    weights.write_bytes(weights.read_bytes()[:-100])
    assert refusal(folder) == f"{weights} is damaged or was not downloaded whole."
    weights.unlink()
    assert "has no model that can be loaded" in refusal(folder)
    (folder / "config.json").write_text('{"model_type": "made_up"}')
    assert "has no model that can be loaded" in refusal(folder)
    (folder / "config.json").write_text("{")
    assert "has no model that can be loaded" in refusal(folder)


def run(program, **environment):
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )


def test_a_model_on_the_hub_without_a_network():
    program = "from prover.sampling.transformers_sampler import open_transformers; open_transformers('no-one/nothing')"
    done = run(program, HF_HUB_OFFLINE="1")
    assert (
        done.stderr.strip()
        .split("\n")[-1]
        .endswith(
            "no-one/nothing is no folder, and cannot be fetched from the hub: is the name right, is there a network?"
        )
    )


def test_torch_is_imported_with_a_model_and_not_before():
    program = (
        "import sys, prover, prover.cli, prover.commands.export_onnx, prover.sampling.onnx_sampler;"
        "import prover.sampling.transformers_sampler, prover.model.config, prover.model.formats;"
        "print(sorted({'torch', 'transformers', 'peft', 'onnx', 'onnxruntime', 'tokenizers'} & set(sys.modules)))"
    )
    done = run(program)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_without_the_extra():
    program = (
        "import sys; sys.modules['torch'] = None;"
        "from prover.sampling.transformers_sampler import open_transformers; open_transformers('x')"
    )
    assert "pip install 'lean-rl-prover[hf]'." in run(program).stderr


LIBRARY = "libcudart.so.13: cannot open shared object file: No such file or directory"


@pytest.mark.parametrize(
    ("broken", "kind", "program", "said"),
    [
        ("torch", "OSError", "from prover.sampling.transformers_sampler import open_transformers as f; f('x')",
         f"hf: needs PyTorch and transformers, and what is installed cannot be loaded ({LIBRARY}): "
         "pip install --force-reinstall 'lean-rl-prover[hf]'."),
        ("vllm", "RuntimeError", "from prover.sampling.vllm_sampler import open_vllm as f; f('x')",
         f"vllm: needs vLLM and a GPU, and what is installed cannot be loaded ({LIBRARY}): "
         "pip install --force-reinstall 'lean-rl-prover[vllm]', or have it served"),
        ("onnxruntime", "ImportError", "from prover.sampling.onnx_sampler import open_onnx as f; f('x')",
         f"onnx: needs onnxruntime and tokenizers, and what is installed cannot be loaded ({LIBRARY}): "),
        ("onnx", "OSError", "from prover.model.onnx_export import export; export(None, None)",
         f"Exporting needs PyTorch, transformers and onnx, and what is installed cannot be loaded ({LIBRARY}): "),
    ],
)  # fmt: skip
def test_a_library_that_is_broken_is_one_sentence(tmp_path, broken, kind, program, said):
    (tmp_path / broken).mkdir()
    (tmp_path / broken / "__init__.py").write_text(f"raise {kind}({LIBRARY!r})")
    last = run(program, PYTHONPATH=str(tmp_path)).stderr.strip().split("\n")[-1]
    assert last.split(": ", 1)[0] in ("prover.sampling.sampler.SamplerError", "prover.sources.UserInputError")
    assert last.split(": ", 1)[1].startswith(said)

"""`prover policies`: what can be used on machines of all sorts, what a folder says of its model, how it is shown."""

import io
import json
import struct
from dataclasses import replace

import pytest
from rich.console import Console
from typer.testing import CliRunner

from prover.commands.policies import policies, show
from prover.policies.available import PUBLISHED, available, most_parameters
from prover.policies.machine import PACKAGES, Gpu, Machine, gpus_in, this_machine
from prover.policies.model_folder import Model, hub_models, read_model
from prover.prompts.own import MARKERS
from prover.prompts.registry import guessed
from prover.sources import UserInputError

GIB = 2**30
BARE = Machine(16 * GIB, (), dict.fromkeys(PACKAGES), None, False)
CPU = replace(BARE, packages={**BARE.packages, "torch": "2.13.0+cpu", "transformers": "5.19.0"}, hub=True)
CUDA = replace(
    CPU, packages={**CPU.packages, "torch": "2.13.0"}, gpus=(Gpu("small", 4 * GIB), Gpu("H100", 78 * GIB))
)  # fmt: skip
SMALL = Model("hf:models/small", 7_000_000, "own-tactic, own-proof", True, 1024)


def rows(machine, *models):
    return {each.policy: each for each in available(machine, models)}


def test_a_bare_machine_has_the_portfolio_and_servers():
    found = rows(BARE)
    assert [policy for policy, each in found.items() if each.usable] == ["portfolio", "templates", "openai:MODEL"]
    assert found["hf:PATH"].about == "torch and transformers are not installed"
    assert found["hf:PATH"].command == "pip install 'lean-rl-prover[hf]'"
    assert found["onnx:PATH"].command == found["shipped"].command == "pip install lean-rl-prover"
    assert found["vllm:NAME"].about.startswith("no GPU was found, and vllm is not installed")
    assert found[PUBLISHED[0].policy].about == "torch and transformers are not installed"


def test_what_fits_into_memory():
    # Four bytes a number on a CPU: 16 GiB hold 4.29 billion. Two on a GPU: 78 GiB hold 41.9 billion.
    assert most_parameters(CPU)[0] == pytest.approx(4.294967296)
    billions, where = most_parameters(CUDA)
    assert billions == pytest.approx(41.875931, abs=1e-5)
    assert where == "H100 (78 GiB free)"
    # A GPU is of no use to a PyTorch built for the CPU.
    assert most_parameters(replace(CUDA, packages=CPU.packages))[1] == "the CPU (16 GiB free)"
    found = rows(CPU, SMALL)
    assert found["hf:models/small"].usable
    assert found["hf:models/small"].about == (
        "0.007 billion parameters, context of 1024 tokens, asked as own-tactic, own-proof"
    )
    large = found["hf:deepseek-ai/DeepSeek-Prover-V2-7B"]
    # 6.91e9 * 4 bytes are 25.7 GiB.
    assert (large.usable, large.about) == (
        False,
        "needs 26 GiB of memory for its 6.9 billion parameters, more than the CPU (16 GiB free) has; "
        "a larger machine can serve it",
    )
    assert found["hf:AI-MO/Kimina-Prover-Distill-1.7B"].command == "--policy hf:AI-MO/Kimina-Prover-Distill-1.7B"
    assert all(each.usable for policy, each in rows(CUDA).items() if policy.startswith("hf:"))
    assert rows(CUDA)["vllm:NAME"].command == "pip install 'lean-rl-prover[vllm]'"
    ready = replace(CUDA, packages={**CUDA.packages, "vllm": "0.33.0"})
    assert rows(ready)["vllm:NAME"].about == "vLLM 0.33.0 on H100, 78 GiB free"


@pytest.mark.parametrize(
    ("hub", "said", "command"),
    [
        (False, "the hub does not answer", "hf download AI-MO/Kimina-Prover-Distill-1.7B"),
        (None, "HF_HUB_OFFLINE is set", "unset HF_HUB_OFFLINE"),
    ],
)
def test_without_a_network_only_what_is_here(hub, said, command):
    machine = replace(CUDA, hub=hub)
    downloaded = replace(PUBLISHED[1], here=True)
    found = rows(machine, downloaded)
    assert found[downloaded.policy].usable
    assert sum(policy == downloaded.policy for policy in found) == 1
    missing = found[PUBLISHED[0].policy]
    assert (missing.usable, missing.command) == (False, command)
    assert missing.about.startswith(f"not downloaded, and {said}")
    assert said in found["hf:PATH"].about


def test_published_models_have_the_family_that_their_names_say():
    assert {model.policy: model.family for model in PUBLISHED} == {m.policy: guessed(m.policy) for m in PUBLISHED}


def test_gpus():
    assert gpus_in("NVIDIA H100 80GB HBM3, 80995\nA, B, 1\n\nno devices\n") == (
        Gpu("NVIDIA H100 80GB HBM3", 80995 * 2**20), Gpu("A, B", 2**20),
    )  # fmt: skip


def write(folder, config, tensors=None):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    if tensors:
        header = json.dumps(tensors).encode()
        (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(24))


TENSORS = {
    "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
    "b": {"dtype": "F32", "shape": [2], "data_offsets": [16, 24]},
}


def test_what_a_folder_says_of_its_model(tmp_path):
    write(tmp_path, {"model_type": "llama", "max_position_embeddings": 77}, TENSORS)
    assert read_model(tmp_path, "hf:x") == Model("hf:x", 6, "", True, 77)
    assert rows(CPU, Model("hf:x", 6, "", True))["hf:x"].command == "--policy hf:x --prompt FAMILY"
    tokens = [{"content": marker} for marker in MARKERS]
    (tmp_path / "tokenizer.json").write_text(json.dumps({"added_tokens": tokens}))
    assert read_model(tmp_path, "hf:x").family == "own-tactic, own-proof"
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    assert "damaged" in read_model(tmp_path, "hf:x").problem
    write(tmp_path / "t5", {"is_encoder_decoder": True}, TENSORS)
    found = rows(CUDA, read_model(tmp_path / "t5", "hf:t5"))["hf:t5"]
    assert (found.usable, found.about) == (
        False,
        "It is an encoder-decoder; only models that continue a text can be used",
    )
    for config in ("{", "[]"):
        write(tmp_path / "bad", config)
        assert read_model(tmp_path / "bad", "hf:bad").problem
    assert "no config.json" in read_model(tmp_path / "none", "hf:none").problem


def test_an_adapter_is_as_large_as_what_it_adapts(tmp_path):
    adapter, base, cache = tmp_path / "adapter", tmp_path / "Kimina-Prover-X", tmp_path / "cache"
    adapter.mkdir()
    config = adapter / "adapter_config.json"
    write(base, {"max_position_embeddings": 77}, TENSORS)
    config.write_text(json.dumps({"base_model_name_or_path": str(base)}))
    model = read_model(adapter, "hf:adapter")
    assert model == Model("hf:adapter", 6, "kimina", True, 77, adapts=str(base))
    lacking = rows(CPU, model)["hf:adapter"]
    assert (lacking.about, lacking.command) == ("peft is not installed", "pip install 'lean-rl-prover[hf]'")
    machine = replace(CPU, packages={**CPU.packages, "peft": "0.19.0"})
    found = rows(machine, model)["hf:adapter"]
    assert found.usable
    assert found.about.startswith(f"adapts {base}, 6e-09 billion parameters, context of 77 tokens, asked as kimina")
    # One of the hub's, which is here or is to be downloaded.
    name = "deepseek-ai/DeepSeek-Prover-V2-7B"
    config.write_text(json.dumps({"base_model_name_or_path": name}))
    away = read_model(adapter, "hf:adapter", cache)
    assert away == Model("hf:adapter", None, "deepseek-prover-v2", False, adapts=name)
    assert rows(replace(machine, hub=False), away)["hf:adapter"].command == f"hf download {name}"
    place = cache / "models--deepseek-ai--DeepSeek-Prover-V2-7B"
    write(place / "snapshots" / "abc", {"max_position_embeddings": 4096}, TENSORS)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("abc")
    here = read_model(adapter, "hf:adapter", cache)
    assert here == Model("hf:adapter", 6, "deepseek-prover-v2", True, 4096, adapts=name)
    config.write_text(json.dumps({"base_model_name_or_path": str(tmp_path / "gone")}))
    assert read_model(adapter, "hf:adapter").problem == (
        f"It adapts the model in {tmp_path / 'gone'}, and there is no such folder."
    )
    for damaged in ("{}", "[", '{"base_model_name_or_path": 3}'):
        config.write_text(damaged)
        assert read_model(adapter, "hf:adapter").problem == f"{config} does not say which model it adapts."


def test_a_folder_that_nothing_was_exported_to(tmp_path):
    write(tmp_path, {"max_position_embeddings": 77}, TENSORS)
    problem = read_model(tmp_path, "onnx:x").problem
    assert problem == f"{tmp_path} has no model.onnx: `prover export-onnx` writes such a folder."
    (tmp_path / "model.onnx").write_bytes(b"")
    assert read_model(tmp_path, "onnx:x").problem.startswith(f"{tmp_path} has no tokenizer.json: ")
    (tmp_path / "tokenizer.json").write_text("{}")
    assert read_model(tmp_path, "onnx:x") == Model("onnx:x", None, "", True)


def test_models_of_the_hub_that_are_here(tmp_path):
    place = tmp_path / "models--deepseek-ai--DeepSeek-Prover-V1.5-RL"
    write(place / "snapshots" / "abc", {"max_position_embeddings": 4096}, TENSORS)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("abc")
    write(tmp_path / "models--a--tokenizer-only" / "snapshots" / "abc", {})
    (tmp_path / "datasets--a--b").mkdir()
    assert hub_models(tmp_path) == [
        Model("hf:deepseek-ai/DeepSeek-Prover-V1.5-RL", 6, "deepseek-prover-v1.5", True, 4096)
    ]
    assert hub_models(None) == hub_models(tmp_path / "none") == []


@pytest.mark.parametrize("width", [60, 119, 160])
def test_it_can_be_read_at_every_width(width):
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, color_system=None, highlight=False)
    found = available(CPU, [SMALL])
    show(found, console)
    lines = stream.getvalue().split("\n")
    assert max(map(len, lines)) <= width
    text = " ".join(stream.getvalue().split())
    for each in found:
        assert each.policy in text
    if width < 120:
        assert "hf:models/small yes" in text
        assert "needs 26 GiB of memory" in text


def test_in_a_pipe_every_policy_is_a_line():
    stream = io.StringIO()
    found = available(CPU, [SMALL])
    show(found, Console(file=stream))
    lines = [line.split("\t") for line in stream.getvalue().splitlines()]
    assert [(name, usable) for name, usable, _, _ in lines] == [
        (each.policy, "yes" if each.usable else "no") for each in found
    ]


def test_the_command_on_this_machine(tmp_path, monkeypatch):
    import typer

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    app = typer.Typer()
    app.command()(policies)
    write(tmp_path, {"max_position_embeddings": 77}, TENSORS)
    result = CliRunner().invoke(app, [f"hf:{tmp_path}", "--json"])
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["policies"][0]["policy"] == "portfolio"
    assert f"hf:{tmp_path}" in [row["policy"] for row in told["policies"]]
    assert told["machine"]["key"] is True
    assert "secret" not in result.stdout
    assert isinstance(CliRunner().invoke(app, ["hf:none"]).exception, UserInputError)
    assert isinstance(CliRunner().invoke(app, ["portfolio"]).exception, UserInputError)


def test_a_hub_that_is_not_there(monkeypatch):
    constants = pytest.importorskip("huggingface_hub.constants")
    pytest.importorskip("transformers")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert this_machine().hub is False

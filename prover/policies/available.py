"""Which policies can be used on a machine, why the others cannot, and the command that would change that."""

from collections.abc import Sequence
from dataclasses import dataclass

from prover.policies.machine import Machine
from prover.policies.model_folder import Model
from prover.shipped import VERSION

GIB = 2**30
# Published provers of sizes that one GPU holds, with their families as prover/prompts/registry.py knows them.
PUBLISHED = (
    Model("hf:AI-MO/Kimina-Prover-Distill-1.7B", 1_720_000_000, "kimina"),
    Model("hf:deepseek-ai/DeepSeek-Prover-V1.5-RL", 6_910_000_000, "deepseek-prover-v1.5"),
    Model("hf:deepseek-ai/DeepSeek-Prover-V2-7B", 6_910_000_000, "deepseek-prover-v2"),
    Model("hf:ByteDance-Seed/BFS-Prover-V2-7B", 7_620_000_000, "bfs-prover"),
    Model("hf:Goedel-LM/Goedel-Prover-V2-8B", 8_190_000_000, "goedel-prover-v2"),
)
SERVED = "--policy openai:MODEL --base-url URL"


@dataclass(frozen=True)
class Available:
    """One line of the list. `about` says what it is if it is `usable`, else why it is not; `command` uses it, or is
    what would make it usable."""

    policy: str
    usable: bool
    about: str
    command: str


def available(machine: Machine, models: Sequence[Model] = ()) -> list[Available]:
    """What comes with the package, the ways to run models, the `models` that are here, published ones that are not."""
    known = {model.policy for model in models}
    more = [model for model in PUBLISHED if model.policy not in known]
    return [
        Available(
            "portfolio", True, "tactics by rule, and a grammar of them for whole proofs; no model", "--policy portfolio"
        ),
        Available(
            "templates", True, "many more tactics by rule, tried blindly; no model", "--policy portfolio+templates"
        ),
        _shipped(machine),
        _transformers(machine),
        _onnx(machine),
        _vllm(machine),
        _server(machine),
        *(_model(model, machine) for model in [*models, *more]),
    ]


def _shipped(machine: Machine) -> Available:
    if missing := _missing(machine, "onnxruntime", "tokenizers"):
        return Available("shipped", False, missing, "pip install lean-rl-prover")
    about = f"{VERSION}, a small model that comes with the package, for tactics; by default beside the portfolio"
    return Available("shipped", True, about, "--policy shipped+portfolio")


def _transformers(machine: Machine) -> Available:
    missing = _missing(machine, "torch", "transformers")
    if missing:
        return Available("hf:PATH", False, missing, "pip install 'lean-rl-prover[hf]'")
    billions, where = most_parameters(machine)
    network = {
        True: "",
        False: "; the hub does not answer: folders only",
        None: "; HF_HUB_OFFLINE is set: no downloads",
    }
    about = (
        f"PyTorch {machine.packages['torch']} on {where}: up to {billions:.2g} billion parameters{network[machine.hub]}"
    )
    return Available("hf:PATH", True, about, "--policy hf:PATH")


def _onnx(machine: Machine) -> Available:
    missing = _missing(machine, "onnxruntime", "tokenizers")
    if missing:
        return Available("onnx:PATH", False, missing, "pip install lean-rl-prover")
    about = f"onnxruntime {machine.packages['onnxruntime']}, for what `prover export-onnx MODEL PATH` wrote"
    return Available("onnx:PATH", True, about, "--policy onnx:PATH")


def _vllm(machine: Machine) -> Available:
    missing = _missing(machine, "vllm")
    if not machine.gpus:
        also = f", and {missing}" if missing else ""
        return Available("vllm:NAME", False, f"no GPU was found{also}; a machine with one can serve it", SERVED)
    if missing:
        return Available("vllm:NAME", False, missing, "pip install 'lean-rl-prover[vllm]'")
    gpu = max(machine.gpus, key=lambda gpu: gpu.free)
    about = f"vLLM {machine.packages['vllm']} on {gpu.name}, {gpu.free / GIB:.0f} GiB free"
    return Available("vllm:NAME", True, about, "--policy vllm:NAME")


def _server(machine: Machine) -> Available:
    key = "OPENAI_API_KEY is set" if machine.key else "a key, where one is wanted, goes into OPENAI_API_KEY"
    return Available("openai:MODEL", True, f"any OpenAI-compatible server, by its address; {key}", SERVED)


def _model(model: Model, machine: Machine) -> Available:
    name = model.adapts or model.policy.partition(":")[2]  # an adapter's folder is here, what it adapts may not be
    if model.problem:
        return Available(model.policy, False, model.problem.rstrip("."), "none")
    exported = model.policy.startswith("onnx:")
    packages = ("onnxruntime", "tokenizers") if exported else ("torch", "transformers")
    if missing := _missing(machine, *packages, *(("peft",) if model.adapts else ())):
        install = "lean-rl-prover" if exported else "'lean-rl-prover[hf]'"
        return Available(model.policy, False, missing, f"pip install {install}")
    if model.parameters is not None:
        billions, where = most_parameters(machine)
        if model.parameters > billions * 1e9:
            size, width = f"{model.parameters / 1e9:.2g} billion parameters", 2 if machine.torch_gpu else 4
            need = f"{model.parameters * width / GIB:.0f} GiB of memory for its {size}, more than {where} has"
            return Available(
                model.policy, False, f"needs {need}; a larger machine can serve it", SERVED.replace("MODEL", name)
            )
    if not model.here and machine.hub is None:
        return Available(model.policy, False, "not downloaded, and HF_HUB_OFFLINE is set", "unset HF_HUB_OFFLINE")
    if not model.here and not machine.hub:
        about = "not downloaded, and the hub does not answer; where there is a network it can be fetched"
        return Available(model.policy, False, about, f"hf download {name}")
    facts = (
        f"adapts {model.adapts}" if model.adapts else "",
        f"{model.parameters / 1e9:.2g} billion parameters" if model.parameters else "",
        f"context of {model.context} tokens" if model.context else "",
        f"asked as {model.family}" if model.family else "its prompt family is not known",
        "" if model.here else "to be downloaded",
    )
    option = "" if model.family else " --prompt FAMILY"
    return Available(model.policy, True, ", ".join(fact for fact in facts if fact), f"--policy {model.policy}{option}")


def most_parameters(machine: Machine) -> tuple[float, str]:
    """How many billion parameters PyTorch can hold, and where: two bytes each on a GPU, four on a CPU."""
    gpu = machine.torch_gpu
    if gpu is not None:
        return gpu.free / 2e9, f"{gpu.name} ({gpu.free / GIB:.0f} GiB free)"
    return machine.memory / 4e9, f"the CPU ({machine.memory / GIB:.0f} GiB free)"


def _missing(machine: Machine, *names: str) -> str:
    missing = [name for name in names if machine.packages[name] is None]
    if not missing:
        return ""
    return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"

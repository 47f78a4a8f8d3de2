"""Writes down those signatures of vLLM that the adapter relies on, out of the source in an unpacked wheel.

`python -m tests.prover.sampling.record_vllm_signatures FOLDER`, where FOLDER holds what `pip download --no-deps vllm`
fetched and `unzip` unpacked; nothing of it is run.
"""

import ast
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

RECORDED = Path(__file__).parents[2] / "data" / "vllm_signatures.json"
METHODS = {
    "LLM": (
        "entrypoints/llm.py",
        ("__init__", "enqueue", "get_tokenizer", "collective_rpc", "reset_prefix_cache", "sleep", "wake_up"),
    ),
    "LLMEngine": ("v1/engine/llm_engine.py", ("has_unfinished_requests", "step", "abort_request")),
    "RequestOutput": ("outputs.py", ("__init__",)),
    "GPUModelRunner": ("v1/worker/gpu/model_runner.py", ("reload_weights",)),
    "TokenizerLike": ("tokenizers/protocol.py", ("encode", "apply_chat_template")),
}
FIELDS = {
    "EngineArgs": "engine/arg_utils.py",
    "SamplingParams": "sampling_params.py",
    "CompletionOutput": "outputs.py",
    "Logprob": "logprobs.py",
    "TokensPrompt": "inputs/llm.py",
}


Methods = Mapping[str, tuple[str, Sequence[str]]]


def main() -> None:
    root = Path(sys.argv[1]) / "vllm"
    more = {"logprobs_modes": _literal(root / "config/model.py", "LogprobsMode")}
    RECORDED.write_text(recorded(root, METHODS, FIELDS, more))


def recorded(root: Path, methods: Methods, fields: Mapping[str, str], more: Mapping[str, object] = {}) -> str:
    """JSON of the version in `root`, the parameters of methods by their class, the fields of classes, and more."""
    version = next(
        ast.literal_eval(node.value)
        for node in ast.parse((root / "_version.py").read_text()).body
        if isinstance(node, ast.Assign) and "__version__" in map(ast.unparse, node.targets)
    )
    signatures = {
        f"{name}.{method}": _parameters(root / path, name, method)
        for name, (path, named) in methods.items()
        for method in named
    }
    kept = {name: _fields(root / path, name) for name, path in fields.items()}
    return json.dumps({"version": version, "signatures": signatures, "fields": kept, **more}, indent=1) + "\n"


def _class(path: Path, name: str) -> ast.ClassDef:
    return next(
        node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef) and node.name == name
    )


def _parameters(path: Path, name: str, method: str) -> list[list[object]]:
    """[name, kind as `inspect` numbers it, whether it has a default] of each parameter but `self`."""
    found = next(
        node for node in _class(path, name).body if isinstance(node, ast.FunctionDef) and node.name == method
    ).args
    plain = [*found.posonlyargs, *found.args]
    without = len(plain) - len(found.defaults)
    parameters: list[list[object]] = [[each.arg, 1, place >= without] for place, each in enumerate(plain)][1:]
    parameters += [[found.vararg.arg, 2, False]] if found.vararg else []
    parameters += [
        [each.arg, 3, default is not None] for each, default in zip(found.kwonlyargs, found.kw_defaults, strict=True)
    ]
    parameters += [[found.kwarg.arg, 4, False]] if found.kwarg else []
    return parameters


def _fields(path: Path, name: str) -> list[str]:
    body = _class(path, name).body
    return [node.target.id for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]


def _literal(path: Path, name: str) -> list[str]:
    tree = ast.parse(path.read_text())
    value = next(
        node.value for node in tree.body if isinstance(node, ast.Assign) and name in map(ast.unparse, node.targets)
    )
    assert isinstance(value, ast.Subscript)
    return list(ast.literal_eval(value.slice))


if __name__ == "__main__":
    main()

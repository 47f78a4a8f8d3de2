"""The patches of lean.js: that they land where they should, and that the JavaScript they put in does what it says."""

import json
import os
import random
import re
import subprocess
from pathlib import Path

import pytest

from lean_env.wasm import patch
from lean_env.wasm.node import node_executable
from tests.lean_env.fake_package import NAMES, USED, lean_js

# What surrounds the patches in the real script, cut down to what they touch; a memory of 4 KiB.
AROUND = """
var ENVIRONMENT_IS_NODE=true, buffer=new ArrayBuffer(4096), HEAPU8=new Uint8Array(buffer);
var HEAP32=new Int32Array(buffer), HEAPU32=new Uint32Array(buffer), HEAP64=new BigInt64Array(buffer);
var growMemViews=()=>{}, mmapAlloc=(n)=>2048;
var SYSCALLS={writeStat:(at,s)=>(HEAPU32[at>>2]=s.mode,HEAPU32[at+4>>2]=s.size,0)};
"""


def run_node(folder: Path, script: str) -> object:
    """What `script` prints as JSON when it runs in `folder` beside the patches."""
    file = folder / "script.js"
    file.write_text(AROUND + patch.LIBRARY_CALLS + patch.SYMBOLS + script)
    done = subprocess.run([node_executable(), file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def library(tmp_path):
    (tmp_path / "lib" / "Init").mkdir(parents=True)
    (tmp_path / "lib" / "Init" / "Core.olean").write_bytes(b"0123456789")
    (tmp_path / "secret").write_text("secret")
    return tmp_path


def test_only_the_exports_that_the_rest_uses_stay():
    text = patch.slim(lean_js())
    assert re.findall(r'wasmExports\["(\w+)"\]', text) == [f"n{i}" for i in range(USED)]
    assert re.search(r"\bvar _n0,_n1,", text)
    assert "_n30" not in text
    assert "var before;" in text
    assert len(text) < len(lean_js()) / 5


def test_every_patch_is_in_the_text_once():
    text = patch.patch_lean_js(lean_js())
    for head, first in patch.SERVED.items():
        assert text.count(head + first) == 1
    for old, new in patch.CLOSED.items():
        assert new in text
        assert old not in text.replace(new, "")
    assert patch.LOOKUP_HEAD + patch.LOOKUP_FIRST in text
    assert "var pthreadPoolSize=1;" in text
    assert "var pthreadPoolSize=4;" not in text
    assert text.index("var Library={") < text.index("var Symbols={") < text.index("var PThread={")


def test_the_ways_out_to_the_host_are_shut():
    before, after = lean_js(), patch.patch_lean_js(lean_js())
    for way in (
        'FS.mount(NODEFS,{root:"/home"}',
        'FS.mount(NODEFS,{root:"/tmp"}',
        "eval(",
        "process.env",
        "process.cwd",
    ):
        assert way in before
        assert way not in after


@pytest.mark.parametrize(
    "head", [*patch.SERVED, *patch.CLOSED, patch.LOOKUP_HEAD, "var pthreadPoolSize=4;", "var PThread={"]
)
def test_a_script_without_one_of_the_places_is_refused(head):
    with pytest.raises(patch.PatchError, match="found 0 times"):
        patch.patch_lean_js(lean_js().replace(head, ""))


def test_a_script_with_a_place_twice_is_refused():
    with pytest.raises(patch.PatchError, match="found 2 times"):
        patch.patch_lean_js(lean_js() + "var PThread={};")


def test_a_script_with_too_few_exports_is_refused():
    few = lean_js().replace(f"_n{NAMES - 1};function", "_other;function")
    assert patch.slim(few)  # one name more or less does not matter
    with pytest.raises(patch.PatchError, match="2 exported names"):
        patch.slim("var a,b;function assignWasmExports(wasmExports){a=1}a")
    with pytest.raises(patch.PatchError, match="not where it was"):
        patch.slim("var a;")


def test_only_paths_below_the_library_are_served(library):
    paths = {
        "/lean/lib/lean": "",
        "/lean/lib/lean/Init/Core.olean": "/Init/Core.olean",
        "//lean//lib/lean/Init": "/Init",
        "/lean/lib/leanness": None,
        "/lean/lib/lean/../../../secret": None,
        "/lean/lib/lean/..": None,
        "/secret": None,
        "lean/lib/lean/Init": None,
    }
    found = run_node(library, f"console.log(JSON.stringify({json.dumps(list(paths))}.map(p=>Library.host(p))))")
    assert found == [None if end is None else f"{library}/lib{end}" for end in paths.values()]


def test_reading_seeking_and_mapping_give_the_bytes_of_the_file(library):
    script = """
    var host=Library.host('/lean/lib/lean/Init/Core.olean'), id=Library.open(host,0), f=Library.files.get(id), out={id};
    HEAPU32.set([256,4,512,3],0);                        // two vectors: 4 bytes at 256, 3 at 512
    out.read=[Library.read(f,0,2,64), HEAPU32[16],
        Buffer.from(buffer,256,4).toString(), Buffer.from(buffer,512,3).toString()];
    out.end=[Library.seek(f,-2n,2,128), Number(HEAP64[16])];
    Library.read(f,0,2,64); out.tail=[HEAPU32[16], Buffer.from(buffer,256,2).toString()];
    out.seek=[Library.seek(f,1n,0,128), Number(HEAP64[16]), Library.seek(f,2n,1,128), Number(HEAP64[16])];
    out.map=[Library.map(f,5,4n,32,36), HEAP32[8], HEAPU32[9], Buffer.from(buffer,2048,5).toString()];
    out.close=[Library.close(id), Library.files.size];
    console.log(JSON.stringify(out))"""
    assert run_node(library, script) == {
        "id": 1 << 20,
        "read": [0, 7, "0123", "456"],
        "end": [0, 8],
        "tail": [2, "89"],
        "seek": [0, 1, 0, 3],
        "map": [0, 1, 2048, "45678"],
        "close": [0, 0],
    }


def test_nothing_opens_for_writing_and_no_mode_has_a_write_bit(library):
    os.chmod(library / "lib" / "Init" / "Core.olean", 0o666)
    script = """
    var host=Library.host('/lean/lib/lean/Init/Core.olean');
    var flags={write:1, both:2, create:64, truncate:512, createAndWrite:65, read:0, readLargeFile:32768};
    for (var k in flags) flags[k]=Library.open(host,flags[k]);
    Library.statInto(1024,host);
    var missing=[Library.open(host+'x',0), Library.statInto(0,host+'x')];
    console.log(JSON.stringify({flags, mode:HEAPU32[256]&0o777, size:HEAPU32[257], missing}))"""
    read_only = -69  # EROFS as emscripten numbers it; 44 is its ENOENT
    assert run_node(library, script) == {
        "flags": {
            **dict.fromkeys(["write", "both", "create", "truncate", "createAndWrite"], read_only),
            "read": 1 << 20,
            "readLargeFile": (1 << 20) + 1,
        },
        "mode": 0o444,
        "size": 10,
        "missing": [-44, -44],
    }


def test_every_symbol_is_found_by_halving_and_no_other(tmp_path):
    chance = random.Random(7)
    # Names that are beginnings of others, and characters on both sides of the tab that ends a name.
    names = {"".join(chance.choices("ab_.0é", k=chance.randint(1, 6))) for _ in range(800)}
    symbols = {name: number for number, name in enumerate(sorted(names), start=1)}
    (tmp_path / "symbols.tsv").write_bytes(b"".join(sorted(f"{k}\t{v}\n".encode() for k, v in symbols.items())))
    absent = ["", "c", "a" * 7, "0123", "zz", min(names) + "!"]
    asked = json.dumps([*symbols, *absent])
    found = run_node(tmp_path, f"console.log(JSON.stringify({asked}.map(n=>Symbols.find(n))))")
    assert found == [*symbols.values(), *[0] * len(absent)]
